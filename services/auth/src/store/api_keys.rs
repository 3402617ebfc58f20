//! API keys; of a secret only its keyed hash is here.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Page, PageQuery, Scope,
    id::{ApiKeyId, CompanyId, MemberId, UserId},
};
use quenty_platform::{Error, Result};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::api_key::{ApiKey, Macs};

struct Row {
    id: uuid::Uuid,
    user_id: uuid::Uuid,
    company_id: uuid::Uuid,
    name: String,
    scopes: Vec<String>,
    addresses: Vec<String>,
    secret_mac: Vec<u8>,
    previous_mac: Option<Vec<u8>>,
    previous_until: Option<jiff_sqlx::Timestamp>,
    created_at: jiff_sqlx::Timestamp,
    expires_at: jiff_sqlx::Timestamp,
    rotated_at: Option<jiff_sqlx::Timestamp>,
    last_used_at: Option<jiff_sqlx::Timestamp>,
    revoked_at: Option<jiff_sqlx::Timestamp>,
}

fn mac(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| Error::internal("a hash in api_keys has not 32 bytes"))
}

impl TryFrom<Row> for ApiKey {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        let previous = match row.previous_mac.zip(row.previous_until) {
            Some((bytes, until)) => Some((mac(bytes)?, until.to_jiff())),
            None => None,
        };
        let addresses = row.addresses.iter().map(|text| text.parse().map_err(Error::internal));
        Ok(Self {
            id: ApiKeyId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            company_id: CompanyId::from_uuid(row.company_id),
            name: row.name,
            scopes: row.scopes,
            addresses: addresses.collect::<Result<_>>()?,
            macs: Macs { current: mac(row.secret_mac)?, previous },
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
            rotated_at: row.rotated_at.map(|t| t.to_jiff()),
            last_used_at: row.last_used_at.map(|t| t.to_jiff()),
            revoked_at: row.revoked_at.map(|t| t.to_jiff()),
        })
    }
}

pub async fn insert(connection: &mut PgConnection, key: &ApiKey) -> Result<()> {
    let addresses: Vec<String> = key.addresses.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "insert into api_keys (id, user_id, company_id, name, scopes, addresses, secret_mac, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        key.id.uuid(),
        key.user_id.uuid(),
        key.company_id.uuid(),
        key.name,
        &key.scopes,
        &addresses,
        &key.macs.current[..],
        key.created_at.to_sqlx() as _,
        key.expires_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Of any company: who presents a key has told no other name.
pub async fn find(db: impl PgExecutor<'_>, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let row = sqlx::query_as!(
        Row,
        "select id, user_id, company_id, name, scopes, addresses, secret_mac, previous_mac, previous_until, created_at, expires_at,
                rotated_at, last_used_at, revoked_at
         from api_keys where id = $1",
        id.uuid()
    );
    row.fetch_optional(db).await?.map(ApiKey::try_from).transpose()
}

/// As [`find`], so that nobody rotates or revokes it meanwhile.
pub async fn lock_any(connection: &mut PgConnection, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let row = sqlx::query_as!(
        Row,
        "select id, user_id, company_id, name, scopes, addresses, secret_mac, previous_mac, previous_until, created_at, expires_at,
                rotated_at, last_used_at, revoked_at
         from api_keys where id = $1 for update",
        id.uuid()
    );
    row.fetch_optional(connection).await?.map(ApiKey::try_from).transpose()
}

/// A key that was not revoked.
pub async fn lock(connection: &mut PgConnection, scope: Scope, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let row = sqlx::query_as!(
        Row,
        "select id, user_id, company_id, name, scopes, addresses, secret_mac, previous_mac, previous_until, created_at, expires_at,
                rotated_at, last_used_at, revoked_at
         from api_keys where id = $2 and ($1::uuid is null or company_id = $1) and revoked_at is null for update",
        scope.company_uuid(),
        id.uuid()
    );
    row.fetch_optional(connection).await?.map(ApiKey::try_from).transpose()
}

/// Keys that were not revoked, newest first.
pub async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    owner: Option<UserId>,
    page: &PageQuery,
) -> Result<Page<ApiKey>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, user_id, company_id, name, scopes, addresses, secret_mac, previous_mac, previous_until, created_at, expires_at,
                rotated_at, last_used_at, revoked_at
         from api_keys
         where ($1::uuid is null or company_id = $1) and ($2::uuid is null or user_id = $2) and ($3::uuid is null or id < $3)
           and revoked_at is null
         order by id desc limit $4",
        scope.company_uuid(),
        owner.map(UserId::uuid),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    let keys = rows.into_iter().map(ApiKey::try_from).collect::<Result<Vec<_>>>()?;
    Ok(Page::from_rows(keys, page, |key| key.id.uuid()))
}

/// How many keys of a person live in a company.
pub async fn count_live(
    db: impl PgExecutor<'_>,
    user: UserId,
    company: CompanyId,
    now: Timestamp,
) -> Result<i64> {
    let count = sqlx::query_scalar!(
        "select count(*) as \"count!\" from api_keys where user_id = $1 and company_id = $2 and revoked_at is null and expires_at > $3",
        user.uuid(),
        company.uuid(),
        now.to_sqlx() as _
    );
    Ok(count.fetch_one(db).await?)
}

/// Saves the secrets and when the key was rotated or revoked.
pub async fn save(connection: &mut PgConnection, key: &ApiKey) -> Result<()> {
    let previous = key.macs.previous;
    sqlx::query!(
        "update api_keys set secret_mac = $2, previous_mac = $3, previous_until = $4, rotated_at = $5, revoked_at = $6 where id = $1",
        key.id.uuid(),
        &key.macs.current[..],
        previous.map(|(mac, _)| mac.to_vec()),
        previous.map(|(_, until)| until.to_sqlx()) as _,
        key.rotated_at.map(|t| t.to_sqlx()) as _,
        key.revoked_at.map(|t| t.to_sqlx()) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn touch(connection: &mut PgConnection, id: ApiKeyId, now: Timestamp) -> Result<()> {
    sqlx::query!("update api_keys set last_used_at = $2 where id = $1", id.uuid(), now.to_sqlx() as _)
        .execute(connection)
        .await?;
    Ok(())
}

/// Revokes the keys of a person, in one company or in every one, and tells which, in which company. Ids tell by their
/// order which keys are from before a membership.
pub async fn revoke_all(
    connection: &mut PgConnection,
    user: UserId,
    company: Option<CompanyId>,
    before: Option<MemberId>,
    now: Timestamp,
) -> Result<Vec<(ApiKeyId, CompanyId)>> {
    let rows = sqlx::query!(
        "update api_keys set revoked_at = $2
         where user_id = $1 and ($3::uuid is null or company_id = $3) and ($4::uuid is null or id < $4) and revoked_at is null
         returning id, company_id",
        user.uuid(),
        now.to_sqlx() as _,
        company.map(CompanyId::uuid),
        before.map(MemberId::uuid)
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (ApiKeyId::from_uuid(row.id), CompanyId::from_uuid(row.company_id)))
        .collect())
}
