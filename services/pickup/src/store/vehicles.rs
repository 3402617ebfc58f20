//! Vehicles.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{PageQuery, id::VehicleId};
use quenty_platform::{Error, Result};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::unreadable;
use crate::domain::vehicle::Vehicle;

struct VehicleRow {
    id: Uuid,
    kind: String,
    capacity_grams: i64,
    capacity_cm3: i64,
    created_at: jiff_sqlx::Timestamp,
}

impl TryFrom<VehicleRow> for Vehicle {
    type Error = Error;
    fn try_from(row: VehicleRow) -> Result<Self> {
        let capacity = |value: i64| u32::try_from(value).map_err(|_| unreadable("capacity"));
        Ok(Self {
            id: VehicleId::from_uuid(row.id),
            kind: row.kind.parse().map_err(|_| unreadable("vehicle kind"))?,
            capacity_grams: capacity(row.capacity_grams)?,
            capacity_cm3: capacity(row.capacity_cm3)?,
            created_at: row.created_at.to_jiff(),
        })
    }
}

pub(crate) async fn find(db: impl PgExecutor<'_>, id: VehicleId) -> Result<Option<Vehicle>> {
    sqlx::query_as!(
        VehicleRow,
        "select id, kind, capacity_grams, capacity_cm3, created_at from vehicles where id = $1",
        id.uuid()
    )
    .fetch_optional(db)
    .await?
    .map(Vehicle::try_from)
    .transpose()
}

pub(crate) async fn list(db: impl PgExecutor<'_>, page: &PageQuery) -> Result<Vec<Vehicle>> {
    let rows = sqlx::query_as!(
        VehicleRow,
        "select id, kind, capacity_grams, capacity_cm3, created_at from vehicles
         where $1::uuid is null or id < $1 order by id desc limit $2",
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Vehicle::try_from).collect()
}

pub(crate) async fn insert(connection: &mut PgConnection, vehicle: &Vehicle) -> Result<()> {
    sqlx::query!(
        "insert into vehicles (id, kind, capacity_grams, capacity_cm3, created_at) values ($1, $2, $3, $4, $5)",
        vehicle.id.uuid(),
        vehicle.kind.as_str(),
        i64::from(vehicle.capacity_grams),
        i64::from(vehicle.capacity_cm3),
        vehicle.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
