//! Service areas: the definition as a document, and the columns by which it is found.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{PageQuery, id::ServiceAreaId};
use quenty_platform::{Error, Result};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::document;
use crate::domain::service_area::{Place, PostalPrefix, ServiceArea};

struct AreaRow {
    id: Uuid,
    definition: Value,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

impl TryFrom<AreaRow> for ServiceArea {
    type Error = Error;
    fn try_from(row: AreaRow) -> Result<Self> {
        Ok(Self {
            id: ServiceAreaId::from_uuid(row.id),
            definition: document(row.definition)?,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

/// One column list for every read; `$rows` is what differs.
macro_rules! select_areas {
    ($rows:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            AreaRow,
            "select id, definition, version, created_at, updated_at from service_areas " + $rows,
            $($argument),+
        )
    };
}

/// The active area that serves the place. SQL narrows by box and prefix, the domain chooses.
pub(crate) async fn locate(db: impl PgExecutor<'_>, place: &Place) -> Result<Option<ServiceArea>> {
    let rows = select_areas!(
        "where active and ($1::text is null or country = $1)
           and (($2::float8 between south and north and $3::float8 between west and east)
                or exists (select from unnest(postal_prefixes) prefix where starts_with($4::text, prefix)))",
        place.country.map(|country| country.code()),
        place.location.map(|location| location.lat()),
        place.location.map(|location| location.lng()),
        place.postal_code
    );
    let areas: Result<_> = rows.fetch_all(db).await?.into_iter().map(ServiceArea::try_from).collect();
    Ok(place.choose(areas?))
}

pub(crate) async fn find(db: impl PgExecutor<'_>, id: ServiceAreaId) -> Result<Option<ServiceArea>> {
    let row = select_areas!("where id = $1", id.uuid()).fetch_optional(db).await?;
    row.map(ServiceArea::try_from).transpose()
}

/// Locked against changes, as a booking counts on the timetable.
pub(crate) async fn lock_shared(
    connection: &mut PgConnection,
    id: ServiceAreaId,
) -> Result<Option<ServiceArea>> {
    let row = select_areas!("where id = $1 for share", id.uuid()).fetch_optional(connection).await?;
    row.map(ServiceArea::try_from).transpose()
}

pub(crate) async fn lock(connection: &mut PgConnection, id: ServiceAreaId) -> Result<Option<ServiceArea>> {
    let row = select_areas!("where id = $1 for update", id.uuid()).fetch_optional(connection).await?;
    row.map(ServiceArea::try_from).transpose()
}

pub(crate) async fn list(db: impl PgExecutor<'_>, page: &PageQuery) -> Result<Vec<ServiceArea>> {
    let rows = select_areas!(
        "where $1::uuid is null or id < $1 order by id desc limit $2",
        page.before(),
        page.fetch()
    );
    rows.fetch_all(db).await?.into_iter().map(ServiceArea::try_from).collect()
}

/// Inserts an area, or replaces the one that has its id.
pub(crate) async fn save(connection: &mut PgConnection, area: &ServiceArea) -> Result<()> {
    let definition = &area.definition;
    let corners = definition.polygon.as_ref().map(|polygon| polygon.bounding_box());
    let (low, high) =
        (corners.map(|corners| corners.south_west()), corners.map(|corners| corners.north_east()));
    let prefixes: Vec<String> =
        definition.postal_prefixes.iter().map(PostalPrefix::as_str).map(str::to_owned).collect();
    sqlx::query!(
        "insert into service_areas (id, definition, country, postal_prefixes, south, west, north, east, active, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (id) do update set definition = excluded.definition, country = excluded.country,
             postal_prefixes = excluded.postal_prefixes, south = excluded.south, west = excluded.west, north = excluded.north,
             east = excluded.east, active = excluded.active, version = excluded.version, updated_at = excluded.updated_at",
        area.id.uuid(),
        serde_json::to_value(definition)?,
        definition.country.code(),
        &prefixes,
        low.map(|point| point.lat()),
        low.map(|point| point.lng()),
        high.map(|point| point.lat()),
        high.map(|point| point.lng()),
        definition.active,
        area.version,
        area.created_at.to_sqlx() as _,
        area.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
