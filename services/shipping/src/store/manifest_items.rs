//! Rows of `manifest_items`: which shipment travels on which manifest.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Page, PageQuery, Scope,
    id::{ManifestId, ShipmentId},
};
use sqlx::{PgConnection, PgExecutor};

use crate::{Error, domain::manifest::ManifestLine};

/// One shipment of a manifest, as a list shows it.
#[derive(Debug, Clone)]
pub struct ManifestItem {
    pub shipment_id: ShipmentId,
    pub line: ManifestLine,
    pub status: String,
}

/// # Errors
/// When the shipment is on a manifest already: its row's primary key says so, whoever comes first.
pub async fn insert(
    connection: &mut PgConnection,
    manifest: ManifestId,
    shipment: ShipmentId,
    weight_grams: u64,
    now: Timestamp,
) -> Result<(), Error> {
    let inserted = sqlx::query!(
        "insert into manifest_items (shipment_id, manifest_id, weight_grams, added_at) values ($1, $2, $3, $4) on conflict (shipment_id) do nothing",
        shipment.uuid(),
        manifest.uuid(),
        i64::try_from(weight_grams)?,
        now.to_sqlx() as _
    );
    if inserted.execute(connection).await?.rows_affected() == 0 {
        return Err(Error::OnAManifest);
    }
    Ok(())
}

/// Takes a shipment out and gives its weight, if it was on this manifest.
pub async fn delete(
    connection: &mut PgConnection,
    manifest: ManifestId,
    shipment: ShipmentId,
) -> Result<Option<u64>, Error> {
    let weight = sqlx::query_scalar!(
        "delete from manifest_items where manifest_id = $1 and shipment_id = $2 returning weight_grams",
        manifest.uuid(),
        shipment.uuid()
    );
    Ok(weight.fetch_optional(connection).await?.map(TryInto::try_into).transpose()?)
}

pub async fn delete_all(connection: &mut PgConnection, manifest: ManifestId) -> Result<(), Error> {
    sqlx::query!("delete from manifest_items where manifest_id = $1", manifest.uuid())
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn manifest_of(db: impl PgExecutor<'_>, shipment: ShipmentId) -> Result<Option<ManifestId>, Error> {
    let id =
        sqlx::query_scalar!("select manifest_id from manifest_items where shipment_id = $1", shipment.uuid());
    Ok(id.fetch_optional(db).await?.map(ManifestId::from_uuid))
}

/// Whether every shipment of a manifest is in one of these states.
pub async fn all_are(
    db: impl PgExecutor<'_>,
    manifest: ManifestId,
    statuses: &[&str],
) -> Result<bool, Error> {
    let statuses: Vec<String> = statuses.iter().map(|status| (*status).to_owned()).collect();
    let all = sqlx::query_scalar!(
        r#"select not exists (select from manifest_items i join shipments s on s.id = i.shipment_id
                              where i.manifest_id = $1 and not s.status = any($2)) as "all!""#,
        manifest.uuid(),
        &statuses
    );
    Ok(all.fetch_one(db).await?)
}

pub async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    manifest: ManifestId,
    page: &PageQuery,
) -> Result<Page<ManifestItem>, Error> {
    let items = rows(db, scope, manifest, page.before(), page.fetch()).await?;
    Ok(Page::from_rows(items, page, |item| item.shipment_id.uuid()))
}

/// Every shipment of a manifest, for its document.
pub async fn lines(
    db: impl PgExecutor<'_>,
    scope: Scope,
    manifest: ManifestId,
) -> Result<Vec<ManifestLine>, Error> {
    let items = rows(db, scope, manifest, None, i64::MAX).await?;
    Ok(items.into_iter().rev().map(|item| item.line).collect())
}

async fn rows(
    db: impl PgExecutor<'_>,
    scope: Scope,
    manifest: ManifestId,
    before: Option<uuid::Uuid>,
    limit: i64,
) -> Result<Vec<ManifestItem>, Error> {
    let rows = sqlx::query!(
        r#"select s.id, s.tracking_number as "tracking_number!", s.reference, s.consignee #>> '{address,country}' as "destination!",
                  jsonb_array_length(s.parcels)::bigint as "parcels!", i.weight_grams, s.status
           from manifest_items i join shipments s on s.id = i.shipment_id
           where i.manifest_id = $1 and ($2::uuid is null or s.company_id = $2) and ($3::uuid is null or s.id < $3)
           order by s.id desc limit $4"#,
        manifest.uuid(),
        scope.company_uuid(),
        before,
        limit
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    rows.map(|row| {
        let line = ManifestLine {
            tracking_number: row.tracking_number,
            reference: row.reference,
            destination: row.destination.parse()?,
            parcels: row.parcels.try_into()?,
            weight_grams: row.weight_grams.try_into()?,
        };
        Ok(ManifestItem { shipment_id: ShipmentId::from_uuid(row.id), line, status: row.status })
    })
    .collect()
}
