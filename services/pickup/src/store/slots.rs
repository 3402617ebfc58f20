//! Places in slots. A slot's row is locked while a place is taken or held, so that it is never oversold;
//! slots of one transaction are locked in the order of their start.

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

/// The places of an area that are taken or held, by the windows they were given out for. Those of an earlier timetable
/// overlap the slots of now.
#[derive(Debug)]
pub(crate) struct Occupied(Vec<(Window, i64)>);

impl Occupied {
    /// How many of them lie in a slot, whole or in part.
    pub(crate) fn places_in(&self, slot: Window) -> i64 {
        self.0.iter().filter(|(window, _)| window.overlaps(&slot)).map(|(_, places)| places).sum()
    }
}

/// What is taken or held in the span, without one place in the slot that begins at `released`.
pub(crate) async fn occupied(
    db: impl PgExecutor<'_>,
    area: ServiceAreaId,
    span: Window,
    released: Option<Timestamp>,
    now: Timestamp,
) -> Result<Occupied> {
    // No slot is longer than twelve hours.
    let rows = sqlx::query!(
        "select starts_at as \"starts_at!\", ends_at as \"ends_at!\",
                (taken - case when starts_at = $5 then 1 else 0 end)::bigint as \"places!\" from slots
         where area_id = $1 and taken > 0 and starts_at > $2::timestamptz - interval '12 hours' and starts_at < $3 and ends_at > $2
         union all
         select starts_at, ends_at, count(*) from slot_holds
         where area_id = $1 and starts_at > $2::timestamptz - interval '12 hours' and starts_at < $3 and ends_at > $2 and expires_at > $4
         group by starts_at, ends_at",
        area.uuid(),
        span.start.to_sqlx() as _,
        span.end.to_sqlx() as _,
        now.to_sqlx() as _,
        released.map(|at| at.to_sqlx()) as _
    )
    .fetch_all(db)
    .await?;
    let window = |start: jiff_sqlx::Timestamp, end: jiff_sqlx::Timestamp| Window {
        start: start.to_jiff(),
        end: end.to_jiff(),
    };
    Ok(Occupied(rows.into_iter().map(|row| (window(row.starts_at, row.ends_at), row.places)).collect()))
}

/// Locks a slot, whose first use makes its row, together with those of an earlier timetable that it overlaps; tells
/// whether it has room.
async fn lock(
    connection: &mut PgConnection,
    area: &ServiceArea,
    slot: Window,
    released: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool> {
    let capacity = i32::from(area.definition.capacity_per_slot.get());
    sqlx::query!(
        "insert into slots (area_id, starts_at, ends_at, capacity, taken) values ($1, $2, $3, $4, 0)
         on conflict (area_id, starts_at) do nothing",
        area.id.uuid(),
        slot.start.to_sqlx() as _,
        slot.end.to_sqlx() as _,
        capacity
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "select 1 as \"locked!\" from slots
         where area_id = $1 and starts_at > $2::timestamptz - interval '12 hours' and starts_at < $3 and ends_at > $2
         order by starts_at for update",
        area.id.uuid(),
        slot.start.to_sqlx() as _,
        slot.end.to_sqlx() as _
    )
    .fetch_all(&mut *connection)
    .await?;
    // Only after the lock: what it waited for is seen by this statement.
    let occupied = occupied(connection, area.id, slot, released, now).await?;
    Ok(occupied.places_in(slot) < i64::from(capacity))
}

/// Takes a place, if there is one, or will be when the one in the slot that begins at `released` is given back.
pub(crate) async fn take(
    connection: &mut PgConnection,
    area: &ServiceArea,
    slot: Window,
    released: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool> {
    if !lock(connection, area, slot, released, now).await? {
        return Ok(false);
    }
    // Who holds a place in a slot that was longer keeps it until its end.
    sqlx::query!(
        "update slots set taken = taken + 1, carried = 0, capacity = greatest($4, taken),
             ends_at = case when taken > 0 then greatest(ends_at, $3) else $3 end
         where area_id = $1 and starts_at = $2",
        area.id.uuid(),
        slot.start.to_sqlx() as _,
        slot.end.to_sqlx() as _,
        i32::from(area.definition.capacity_per_slot.get())
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
    if !lock(connection, area, hold.slot, None, now).await? {
        return Ok(false);
    }
    sqlx::query!(
        "with gone as (delete from slot_holds where pickup_id in
             (select pickup_id from slot_holds where area_id = $3 and expires_at <= $7 for update skip locked))
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
