//! Drivers.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    PageQuery,
    id::{DriverId, UserId, VehicleId},
};
use quenty_platform::{Error, Result};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::unreadable;
use crate::domain::driver::{Driver, DriverProfile, DriverStatus};

struct DriverRow {
    id: Uuid,
    user_id: Uuid,
    name: String,
    phone: String,
    status: String,
    skills: Vec<String>,
    vehicle_id: Option<Uuid>,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

impl TryFrom<DriverRow> for Driver {
    type Error = Error;
    fn try_from(row: DriverRow) -> Result<Self> {
        let profile = DriverProfile {
            name: row.name.parse().map_err(|_| unreadable("name"))?,
            phone: row.phone.parse().map_err(|_| unreadable("phone"))?,
            status: row.status.parse().map_err(|_| unreadable("driver status"))?,
            skills: row
                .skills
                .iter()
                .map(|skill| skill.parse().map_err(|_| unreadable("skill")))
                .collect::<Result<_>>()?,
            vehicle_id: row.vehicle_id.map(VehicleId::from_uuid),
        };
        Ok(Self {
            id: DriverId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            profile,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

/// One column list for every read; `$rows` is what differs.
macro_rules! select_drivers {
    ($rows:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            DriverRow,
            "select id, user_id, name, phone, status, skills, vehicle_id, version, created_at, updated_at from drivers " + $rows,
            $($argument),+
        )
    };
}

pub(crate) async fn find(db: impl PgExecutor<'_>, id: DriverId) -> Result<Option<Driver>> {
    let row = select_drivers!("where id = $1", id.uuid()).fetch_optional(db).await?;
    row.map(Driver::try_from).transpose()
}

/// Locked against changes, so that a driver who is set inactive gets no stop in the same moment.
pub(crate) async fn lock_shared(connection: &mut PgConnection, id: DriverId) -> Result<Option<Driver>> {
    let row = select_drivers!("where id = $1 for share", id.uuid()).fetch_optional(connection).await?;
    row.map(Driver::try_from).transpose()
}

pub(crate) async fn lock(connection: &mut PgConnection, id: DriverId) -> Result<Option<Driver>> {
    let row = select_drivers!("where id = $1 for update", id.uuid()).fetch_optional(connection).await?;
    row.map(Driver::try_from).transpose()
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    status: Option<DriverStatus>,
    page: &PageQuery,
) -> Result<Vec<Driver>> {
    let rows = select_drivers!(
        "where ($1::text is null or status = $1) and ($2::uuid is null or id < $2) order by id desc limit $3",
        status.map(DriverStatus::as_str),
        page.before(),
        page.fetch()
    );
    rows.fetch_all(db).await?.into_iter().map(Driver::try_from).collect()
}

/// Inserts a driver, or replaces the one that has its id.
pub(crate) async fn save(connection: &mut PgConnection, driver: &Driver) -> Result<()> {
    let profile = &driver.profile;
    let skills: Vec<String> = profile.skills.iter().map(|skill| skill.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into drivers (id, user_id, name, phone, status, skills, vehicle_id, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (id) do update set name = excluded.name, phone = excluded.phone, status = excluded.status,
             skills = excluded.skills, vehicle_id = excluded.vehicle_id, version = excluded.version, updated_at = excluded.updated_at",
        driver.id.uuid(),
        driver.user_id.uuid(),
        profile.name.as_str(),
        profile.phone.as_str(),
        profile.status.as_str(),
        &skills,
        profile.vehicle_id.map(VehicleId::uuid),
        driver.version,
        driver.created_at.to_sqlx() as _,
        driver.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
