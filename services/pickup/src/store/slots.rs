//! Places in slots. A slot's row is locked while a place is taken or held, so that it is never oversold;
//! slots of one transaction are locked in the order of their start.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::{CompanyId, PickupId, ServiceAreaId};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::{service_area::ServiceArea, timetable::Window};

/// A place that is kept for a company.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hold {
    /// The id that the pickup made of it will have.
    pub(crate) pickup_id: PickupId,
    pub(crate) area_id: ServiceAreaId,
    pub(crate) slot: Window,
    pub(crate) expires_at: Timestamp,
}

struct HoldRow {
    area_id: Uuid,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    expires_at: jiff_sqlx::Timestamp,
}

impl HoldRow {
    fn hold(self, pickup_id: PickupId) -> Hold {
        Hold {
            pickup_id,
            area_id: ServiceAreaId::from_uuid(self.area_id),
            slot: Window { start: self.starts_at.to_jiff(), end: self.ends_at.to_jiff() },
            expires_at: self.expires_at.to_jiff(),
        }
    }
}

/// How many places are taken or held in the slots that begin in the span.
pub(crate) async fn occupied(
    db: impl PgExecutor<'_>,
    area: ServiceAreaId,
    span: Window,
    now: Timestamp,
) -> Result<HashMap<Timestamp, i64>> {
    let rows = sqlx::query!(
        "select s.starts_at, s.taken + s.carried
                + (select count(*) from slot_holds h where h.area_id = s.area_id and h.starts_at = s.starts_at and h.expires_at > $4) as \"occupied!\"
         from slots s where s.area_id = $1 and s.starts_at >= $2 and s.starts_at < $3",
        area.uuid(),
        span.start.to_sqlx() as _,
        span.end.to_sqlx() as _,
        now.to_sqlx() as _
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.starts_at.to_jiff(), row.occupied)).collect())
}

/// Locks a slot and counts its free places. Its first use makes the row, which counts what an earlier
/// timetable of the area gave out in overlapping slots.
async fn lock(
    connection: &mut PgConnection,
    area: &ServiceArea,
    slot: Window,
    now: Timestamp,
) -> Result<i64> {
    let row = sqlx::query!(
        "with carried as (
           select coalesce(sum(taken), 0)::int as places from slots
           where area_id = $1 and starts_at <> $2 and starts_at < $3 and ends_at > $2
         )
         insert into slots (area_id, starts_at, ends_at, capacity, taken, carried)
         select $1, $2, $3, greatest($4, places), 0, places from carried
         on conflict (area_id, starts_at) do update
             set ends_at = excluded.ends_at, capacity = greatest($4, slots.taken + slots.carried)
         returning taken + carried as \"taken!\", capacity",
        area.id.uuid(),
        slot.start.to_sqlx() as _,
        slot.end.to_sqlx() as _,
        i32::from(area.definition.capacity_per_slot.get())
    )
    .fetch_one(&mut *connection)
    .await?;
    // Only after the lock: what it waited for is seen by this statement.
    let held = sqlx::query_scalar!(
        "select count(*) as \"held!\" from slot_holds where area_id = $1 and starts_at = $2 and expires_at > $3",
        area.id.uuid(),
        slot.start.to_sqlx() as _,
        now.to_sqlx() as _
    )
    .fetch_one(connection)
    .await?;
    Ok(i64::from(row.capacity - row.taken) - held)
}

/// Takes a place, if there is one.
pub(crate) async fn take(
    connection: &mut PgConnection,
    area: &ServiceArea,
    slot: Window,
    now: Timestamp,
) -> Result<bool> {
    if lock(connection, area, slot, now).await? <= 0 {
        return Ok(false);
    }
    sqlx::query!(
        "update slots set taken = taken + 1 where area_id = $1 and starts_at = $2",
        area.id.uuid(),
        slot.start.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(true)
}

/// Gives a place back.
pub(crate) async fn release(
    connection: &mut PgConnection,
    area: ServiceAreaId,
    slot_start: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "update slots set taken = taken - 1 where area_id = $1 and starts_at = $2",
        area.uuid(),
        slot_start.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps a place for a while, if there is one.
pub(crate) async fn hold(
    connection: &mut PgConnection,
    area: &ServiceArea,
    company: CompanyId,
    hold: &Hold,
    now: Timestamp,
) -> Result<bool> {
    if lock(connection, area, hold.slot, now).await? <= 0 {
        return Ok(false);
    }
    sqlx::query!(
        "with gone as (delete from slot_holds where area_id = $3 and starts_at = $4 and expires_at <= $7)
         insert into slot_holds (pickup_id, company_id, area_id, starts_at, ends_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
        hold.pickup_id.uuid(),
        company.uuid(),
        hold.area_id.uuid(),
        hold.slot.start.to_sqlx() as _,
        hold.slot.end.to_sqlx() as _,
        hold.expires_at.to_sqlx() as _,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(true)
}

/// Counts a company's live holds. Its next count waits until this transaction has ended, so that holds made at
/// once are counted, too.
pub(crate) async fn count_holds(
    connection: &mut PgConnection,
    company: CompanyId,
    now: Timestamp,
) -> Result<i64> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", format!("holds of {company}"))
        .execute(&mut *connection)
        .await?;
    Ok(sqlx::query_scalar!(
        "select count(*) as \"count!\" from slot_holds where company_id = $1 and expires_at > $2",
        company.uuid(),
        now.to_sqlx() as _
    )
    .fetch_one(connection)
    .await?)
}

pub(crate) async fn find_hold(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    pickup: PickupId,
    now: Timestamp,
) -> Result<Option<Hold>> {
    let row = sqlx::query_as!(
        HoldRow,
        "select area_id, starts_at, ends_at, expires_at from slot_holds
         where pickup_id = $1 and company_id = $2 and expires_at > $3",
        pickup.uuid(),
        company.uuid(),
        now.to_sqlx() as _
    );
    Ok(row.fetch_optional(db).await?.map(|row| row.hold(pickup)))
}

/// Ends a company's hold to book what it kept; nothing, if it has run out or was used.
pub(crate) async fn claim_hold(
    connection: &mut PgConnection,
    company: CompanyId,
    pickup: PickupId,
    now: Timestamp,
) -> Result<Option<Hold>> {
    let row = sqlx::query_as!(
        HoldRow,
        "delete from slot_holds where pickup_id = $1 and company_id = $2 and expires_at > $3
         returning area_id, starts_at, ends_at, expires_at",
        pickup.uuid(),
        company.uuid(),
        now.to_sqlx() as _
    );
    Ok(row.fetch_optional(connection).await?.map(|row| row.hold(pickup)))
}
