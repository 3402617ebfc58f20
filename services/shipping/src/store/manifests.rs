//! Rows of `manifests`.

use jiff_sqlx::{Date as SqlDate, Timestamp as SqlTimestamp, ToSqlx};
use quenty_kernel::{
    Page, PageQuery, Scope,
    id::{CompanyId, ManifestId},
};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    Error,
    domain::manifest::{Manifest, ManifestState, ManifestStatus},
};

struct Row {
    id: Uuid,
    company_id: Uuid,
    carrier: String,
    origin: String,
    date: SqlDate,
    reference: Option<String>,
    status: String,
    shipment_count: i64,
    weight_grams: i64,
    submitted_by: Option<String>,
    rejected_reason: Option<String>,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
}

/// The one list of columns; each query adds which rows it wants.
macro_rules! select {
    ($rows:literal, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            "select id, company_id, carrier, origin, date, reference, status, shipment_count, weight_grams, submitted_by,
                    rejected_reason, version, created_at, updated_at from manifests " + $rows,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Manifest {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self::from_state(ManifestState {
            id: ManifestId::from_uuid(row.id),
            company_id: CompanyId::from_uuid(row.company_id),
            carrier: row.carrier,
            origin: row.origin.parse()?,
            date: row.date.to_jiff(),
            reference: row.reference,
            status: row.status.parse()?,
            shipment_count: row.shipment_count.try_into()?,
            weight_grams: row.weight_grams.try_into()?,
            submitted_by: row.submitted_by.map(|actor| actor.parse()).transpose()?,
            rejected_reason: row.rejected_reason,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }))
    }
}

pub async fn find(db: impl PgExecutor<'_>, scope: Scope, id: ManifestId) -> Result<Manifest, Error> {
    let row =
        select!("where id = $1 and ($2::uuid is null or company_id = $2)", id.uuid(), scope.company_uuid());
    row.fetch_optional(db).await?.ok_or(Error::NotFound("manifest"))?.try_into()
}

pub async fn lock(connection: &mut PgConnection, scope: Scope, id: ManifestId) -> Result<Manifest, Error> {
    let row = select!(
        "where id = $1 and ($2::uuid is null or company_id = $2) for update",
        id.uuid(),
        scope.company_uuid()
    );
    row.fetch_optional(connection).await?.ok_or(Error::NotFound("manifest"))?.try_into()
}

pub async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    status: Option<ManifestStatus>,
    page: &PageQuery,
) -> Result<Page<Manifest>, Error> {
    let rows = select!(
        "where ($1::uuid is null or company_id = $1) and ($2::text is null or status = $2) and ($3::uuid is null or id < $3)
         order by id desc limit $4",
        scope.company_uuid(),
        status.map(ManifestStatus::as_str),
        page.before(),
        page.fetch()
    );
    let manifests = rows
        .fetch_all(db)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect::<Result<Vec<Manifest>, Error>>()?;
    Ok(Page::from_rows(manifests, page, |manifest| manifest.state().id.uuid()))
}

pub async fn insert(connection: &mut PgConnection, manifest: &Manifest) -> Result<(), Error> {
    let state = manifest.state();
    sqlx::query!(
        "insert into manifests (id, company_id, carrier, origin, date, reference, status, shipment_count, weight_grams, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, 'draft', 0, 0, 1, $7, $7)",
        state.id.uuid(),
        state.company_id.uuid(),
        state.carrier,
        state.origin.as_str(),
        state.date.to_sqlx() as _,
        state.reference,
        state.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn save(connection: &mut PgConnection, manifest: &Manifest) -> Result<(), Error> {
    let state = manifest.state();
    sqlx::query!(
        "update manifests set date = $2, reference = $3, status = $4, shipment_count = $5, weight_grams = $6, submitted_by = $7,
                rejected_reason = $8, version = $9, updated_at = $10 where id = $1",
        state.id.uuid(),
        state.date.to_sqlx() as _,
        state.reference,
        state.status.as_str(),
        i64::from(state.shipment_count),
        i64::try_from(state.weight_grams)?,
        state.submitted_by.as_ref().map(ToString::to_string),
        state.rejected_reason,
        state.version,
        state.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
