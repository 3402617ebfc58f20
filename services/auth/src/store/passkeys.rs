//! Passkeys, and what their authenticators were asked.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::{PasskeyId, UserId};
use quenty_platform::{Error, Result};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::passkey::{Credential, Passkey, Purpose};

struct Row {
    id: Uuid,
    user_id: Uuid,
    name: String,
    credential_id: Vec<u8>,
    transports: i16,
    static_state: Vec<u8>,
    dynamic_state: Vec<u8>,
    password_id: i64,
    created_at: jiff_sqlx::Timestamp,
    last_used_at: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for Passkey {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        let unfit = || Error::internal(format!("passkeys {} is unfit", row.id));
        Ok(Self {
            id: PasskeyId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            name: row.name,
            credential: Credential {
                id: row.credential_id,
                transports: row.transports.try_into().map_err(|_| unfit())?,
                static_state: row.static_state,
                dynamic_state: row.dynamic_state.try_into().map_err(|_| unfit())?,
            },
            password_id: row.password_id,
            created_at: row.created_at.to_jiff(),
            last_used_at: row.last_used_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// All of a person's, oldest first.
pub async fn of_user(db: impl PgExecutor<'_>, user: UserId) -> Result<Vec<Passkey>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, user_id, name, credential_id, transports, static_state, dynamic_state, password_id, created_at,
                last_used_at
         from passkeys where user_id = $1 order by id",
        user.uuid()
    );
    rows.fetch_all(db).await?.into_iter().map(Passkey::try_from).collect()
}

/// Whoever's it is.
pub async fn by_credential(db: impl PgExecutor<'_>, credential: &[u8]) -> Result<Option<Passkey>> {
    let row = sqlx::query_as!(
        Row,
        "select id, user_id, name, credential_id, transports, static_state, dynamic_state, password_id, created_at,
                last_used_at
         from passkeys where credential_id = $1",
        credential
    );
    row.fetch_optional(db).await?.map(Passkey::try_from).transpose()
}

/// Tells whether there was none of this credential.
pub async fn insert(connection: &mut PgConnection, passkey: &Passkey) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into passkeys (id, user_id, name, credential_id, transports, static_state, dynamic_state, password_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (credential_id) do nothing",
        passkey.id.uuid(),
        passkey.user_id.uuid(),
        passkey.name,
        passkey.credential.id,
        i16::from(passkey.credential.transports),
        passkey.credential.static_state,
        &passkey.credential.dynamic_state[..],
        passkey.password_id,
        passkey.created_at.to_sqlx() as _
    );
    Ok(inserted.execute(connection).await?.rows_affected() == 1)
}

/// It was used.
pub async fn save(connection: &mut PgConnection, passkey: &Passkey) -> Result<()> {
    sqlx::query!(
        "update passkeys set dynamic_state = $2, password_id = $3, last_used_at = $4 where id = $1",
        passkey.id.uuid(),
        &passkey.credential.dynamic_state[..],
        passkey.password_id,
        passkey.last_used_at.map(ToSqlx::to_sqlx) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Tells whether it was the person's.
pub async fn delete(connection: &mut PgConnection, user: UserId, id: PasskeyId) -> Result<bool> {
    let deleted = sqlx::query!("delete from passkeys where id = $1 and user_id = $2", id.uuid(), user.uuid());
    Ok(deleted.execute(connection).await?.rows_affected() == 1)
}

pub async fn delete_all(connection: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!("delete from passkeys where user_id = $1", user.uuid()).execute(connection).await?;
    Ok(())
}

/// Takes the place of what this owner asked before.
pub async fn put_ceremony(
    connection: &mut PgConnection,
    (purpose, owner): (Purpose, &[u8]),
    state: &[u8],
    expires_at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into passkey_ceremonies (purpose, owner, state, expires_at) values ($1, $2, $3, $4)
         on conflict (purpose, owner) do update set state = $3, expires_at = $4",
        purpose.as_str(),
        owner,
        state,
        expires_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Each is answered once, by whichever process comes first.
pub async fn take_ceremony(
    connection: &mut PgConnection,
    (purpose, owner): (Purpose, &[u8]),
    now: Timestamp,
) -> Result<Option<Vec<u8>>> {
    let taken = sqlx::query!(
        "delete from passkey_ceremonies where purpose = $1 and owner = $2
         returning state, expires_at",
        purpose.as_str(),
        owner
    );
    let taken = taken.fetch_optional(connection).await?;
    Ok(taken.filter(|ceremony| now < ceremony.expires_at.to_jiff()).map(|ceremony| ceremony.state))
}

pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    sqlx::query!("delete from passkey_ceremonies where expires_at < $1", now.to_sqlx() as _)
        .execute(connection)
        .await?;
    Ok(())
}
