//! Profiles: one row for each user of Auth. They belong to no company, so that no function here takes a
//! scope; who may ask is decided at the edge.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    PageQuery,
    contact::{Email, Phone},
    id::UserId,
};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{parse, parse_some};
use crate::domain::{
    member::Member,
    profile::{Profile, ProfileState, ProfileStatus},
};

struct Row {
    user_id: Uuid,
    email: String,
    given_name: String,
    family_name: String,
    phone: Option<String>,
    language: String,
    status: String,
    status_reason: Option<String>,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

/// `select … from profiles` and the rest of the statement.
macro_rules! select {
    ($rest:literal $(, $value:expr)*) => {
        sqlx::query_as!(
            Row,
            "select user_id, email, given_name, family_name, phone, language, status, status_reason, version, created_at, updated_at
             from profiles " + $rest
            $(, $value)*
        )
    };
}

impl TryFrom<Row> for Profile {
    type Error = quenty_platform::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self::from_state(ProfileState {
            user_id: UserId::from_uuid(row.user_id),
            email: parse(&row.email)?,
            given_name: parse(&row.given_name)?,
            family_name: parse(&row.family_name)?,
            phone: parse_some(row.phone.as_deref())?,
            language: parse(&row.language)?,
            status: parse(&row.status)?,
            status_reason: row.status_reason,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }))
    }
}

pub(crate) async fn find(db: impl PgExecutor<'_>, id: UserId) -> Result<Option<Profile>> {
    let row = select!("where user_id = $1", id.uuid()).fetch_optional(db).await?;
    row.map(Profile::try_from).transpose()
}

/// The profiles of those members who have joined.
pub(crate) async fn of_members(db: impl PgExecutor<'_>, members: &[Member]) -> Result<Vec<Profile>> {
    let users: Vec<Uuid> =
        members.iter().filter_map(|member| member.state().user_id).map(UserId::uuid).collect();
    let rows = select!("where user_id = any($1)", &users).fetch_all(db).await?;
    rows.into_iter().map(Profile::try_from).collect()
}

/// The latest, should there ever be two.
pub(crate) async fn find_by_email(db: impl PgExecutor<'_>, email: &Email) -> Result<Option<Profile>> {
    let row = select!("where email_key = $1 order by user_id desc limit 1", email.canonical())
        .fetch_optional(db)
        .await?;
    row.map(Profile::try_from).transpose()
}

pub(crate) async fn lock(connection: &mut PgConnection, id: UserId) -> Result<Option<Profile>> {
    let row = select!("where user_id = $1 for update", id.uuid()).fetch_optional(connection).await?;
    row.map(Profile::try_from).transpose()
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    status: Option<ProfileStatus>,
    email: Option<&Email>,
    page: &PageQuery,
) -> Result<Vec<Profile>> {
    let rows = select!(
        "where ($1::text is null or status = $1) and ($2::text is null or email_key = $2) and ($3::uuid is null or user_id < $3)
         order by user_id desc limit $4",
        status.map(ProfileStatus::as_str),
        email.map(Email::canonical),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Profile::try_from).collect()
}

/// Unless the user has a profile: then nothing, and false.
pub(crate) async fn insert(connection: &mut PgConnection, profile: &Profile) -> Result<bool> {
    let state = profile.state();
    let inserted = sqlx::query!(
        "insert into profiles (user_id, email, email_key, given_name, family_name, phone, language, status, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) on conflict (user_id) do nothing",
        state.user_id.uuid(),
        state.email.as_str(),
        state.email.canonical(),
        state.given_name.as_str(),
        state.family_name.as_str(),
        state.phone.as_ref().map(Phone::as_str),
        state.language.as_str(),
        state.status.as_str(),
        state.version,
        state.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(crate) async fn save(connection: &mut PgConnection, profile: &Profile) -> Result<()> {
    let state = profile.state();
    sqlx::query!(
        "update profiles set given_name = $2, family_name = $3, phone = $4, language = $5, status = $6, status_reason = $7, version = $8,
                updated_at = $9
         where user_id = $1",
        state.user_id.uuid(),
        state.given_name.as_str(),
        state.family_name.as_str(),
        state.phone.as_ref().map(Phone::as_str),
        state.language.as_str(),
        state.status.as_str(),
        state.status_reason,
        state.version,
        state.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
