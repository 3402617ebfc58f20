//! Which pictures there are of a return; the files are in the file store.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Actor, Scope,
    id::{CompanyId, PhotoId, ReturnId},
};
use quenty_platform::{
    Result,
    row::{narrow, parse},
};
use sqlx::{PgConnection, PgExecutor};

/// A picture.
#[derive(Debug, Clone)]
pub(crate) struct Photo {
    pub(crate) id: PhotoId,
    pub(crate) line: Option<u32>,
    pub(crate) unit: Option<u32>,
    pub(crate) media_type: String,
    pub(crate) bytes: u64,
    pub(crate) added_by: Actor,
    pub(crate) created_at: Timestamp,
}

struct PhotoRow {
    id: uuid::Uuid,
    line: Option<i32>,
    unit: Option<i32>,
    media_type: String,
    bytes: i64,
    added_by: String,
    created_at: jiff_sqlx::Timestamp,
}

impl TryFrom<PhotoRow> for Photo {
    type Error = quenty_platform::Error;

    fn try_from(row: PhotoRow) -> Result<Self> {
        Ok(Self {
            id: PhotoId::from_uuid(row.id),
            line: row.line.map(narrow).transpose()?,
            unit: row.unit.map(narrow).transpose()?,
            media_type: row.media_type,
            bytes: narrow(row.bytes)?,
            added_by: parse(&row.added_by)?,
            created_at: row.created_at.to_jiff(),
        })
    }
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    company: CompanyId,
    of: ReturnId,
    photo: &Photo,
    sha256: &[u8],
) -> Result<()> {
    sqlx::query!(
        "insert into return_photos (id, return_id, company_id, line, unit, media_type, bytes, sha256, added_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        photo.id.uuid(),
        of.uuid(),
        company.uuid(),
        photo.line.map(narrow::<i32, _>).transpose()?,
        photo.unit.map(narrow::<i32, _>).transpose()?,
        photo.media_type,
        narrow::<i64, _>(photo.bytes)?,
        sha256,
        photo.added_by.to_string(),
        photo.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn list(db: impl PgExecutor<'_>, scope: Scope, of: ReturnId) -> Result<Vec<Photo>> {
    let rows = sqlx::query_as!(
        PhotoRow,
        "select id, line, unit, media_type, bytes, added_by, created_at from return_photos
         where return_id = $1 and ($2::uuid is null or company_id = $2) order by id",
        of.uuid(),
        scope.company_uuid()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Photo::try_from).collect()
}

pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    scope: Scope,
    of: ReturnId,
    id: PhotoId,
) -> Result<Option<Photo>> {
    let row = sqlx::query_as!(
        PhotoRow,
        "select id, line, unit, media_type, bytes, added_by, created_at from return_photos
         where id = $1 and return_id = $2 and ($3::uuid is null or company_id = $3)",
        id.uuid(),
        of.uuid(),
        scope.company_uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(Photo::try_from).transpose()
}
