//! Pickups. Whoever reads or locks one says within which [`Reach`].

mod row;

use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    PageQuery, Scope,
    id::{CompanyId, DriverId, OrderId, PickupId, ReturnId, UserId},
};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::pickup::{Pickup, Status};
use row::{PickupRow, Stored};

/// Whose pickups: those of a scope, for a driver only the own stops among them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) scope: Scope,
    pub(crate) driver: Option<UserId>,
}

impl Reach {
    /// The platform itself: reactions and deadlines.
    pub(crate) const PLATFORM: Self = Self { scope: Scope::All, driver: None };
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PickupFilter {
    pub(crate) status: Option<Status>,
    pub(crate) date: Option<Date>,
    pub(crate) driver_id: Option<DriverId>,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) return_id: Option<ReturnId>,
    /// Only those whose window had ended by then, and that still wait for somebody.
    pub(crate) overdue_at: Option<Timestamp>,
}

/// One column list for every read; `$tail` is what differs.
macro_rules! select_pickups {
    ($tail:tt, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            PickupRow,
            "select id, company_id, order_id, return_id, attempt, kind, status, contact, parcels, insured_amount, insured_currency, packaging,
                    wanted, tracking_number, area_id, time_zone, window_start, window_end, slot_start, currency, cost_amount, cost_items,
                    driver_id, guaranteed_until, refund_amount, started_at, arrived_at, failures, merchant_reschedules, proof,
                    reason_code, reason, cancelled_at, version, created_at, updated_at
             from pickups
             where ($1::uuid is null or company_id = $1)
               and ($2::uuid is null or driver_id = (select d.id from drivers d where d.user_id = $2)) " + $tail,
            $($argument),+
        )
    };
}

pub(crate) async fn find(db: impl PgExecutor<'_>, reach: Reach, id: PickupId) -> Result<Option<Pickup>> {
    let (company, driver) = (reach.scope.company_uuid(), reach.driver.map(UserId::uuid));
    let row = select_pickups!("and id = $3", company, driver, id.uuid()).fetch_optional(db).await?;
    row.map(Pickup::try_from).transpose()
}

pub(crate) async fn lock(
    connection: &mut PgConnection,
    reach: Reach,
    id: PickupId,
) -> Result<Option<Pickup>> {
    let (company, driver) = (reach.scope.company_uuid(), reach.driver.map(UserId::uuid));
    let row = select_pickups!("and id = $3 for update", company, driver, id.uuid())
        .fetch_optional(connection)
        .await?;
    row.map(Pickup::try_from).transpose()
}

/// The pickups of these returns, in the order in which they are locked.
pub(crate) async fn ids_of_returns(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    returns: &[ReturnId],
) -> Result<Vec<PickupId>> {
    let returns: Vec<Uuid> = returns.iter().map(|id| id.uuid()).collect();
    let ids = sqlx::query_scalar!(
        "select id from pickups where company_id = $1 and return_id = any($2) order by id",
        company.uuid(),
        &returns
    );
    Ok(ids.fetch_all(db).await?.into_iter().map(PickupId::from_uuid).collect())
}

/// Locks what may still be cancelled of a company's own bookings, in the order in which their slots are locked.
pub(crate) async fn lock_own_of_company(
    connection: &mut PgConnection,
    company: CompanyId,
) -> Result<Vec<PickupId>> {
    let ids = sqlx::query_scalar!(
        "select id from pickups
         where company_id = $1 and order_id is null and return_id is null and status in ('scheduled', 'assigned', 'failed')
         order by slot_start, id for update",
        company.uuid()
    );
    Ok(ids.fetch_all(connection).await?.into_iter().map(PickupId::from_uuid).collect())
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    reach: Reach,
    filter: &PickupFilter,
    page: &PageQuery,
) -> Result<Vec<Pickup>> {
    let rows = select_pickups!(
        "and ($3::text is null or status = $3) and ($4::date is null or local_date = $4)
         and ($5::uuid is null or driver_id = $5) and ($6::uuid is null or order_id = $6)
         and ($7::uuid is null or return_id = $7)
         and ($8::timestamptz is null or (window_end < $8 and status in ('scheduled', 'assigned', 'in_progress', 'failed')))
         and ($9::uuid is null or id < $9) order by id desc limit $10",
        reach.scope.company_uuid(),
        reach.driver.map(UserId::uuid),
        filter.status.map(Status::as_str),
        filter.date.map(|date| date.to_sqlx()) as _,
        filter.driver_id.map(DriverId::uuid),
        filter.order_id.map(OrderId::uuid),
        filter.return_id.map(ReturnId::uuid),
        filter.overdue_at.map(|at| at.to_sqlx()) as _,
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Pickup::try_from).collect()
}

pub(crate) async fn insert(connection: &mut PgConnection, pickup: &Pickup) -> Result<()> {
    let stored = Stored::try_from(pickup)?;
    let request = &pickup.request;
    sqlx::query!(
        "insert into pickups (id, company_id, order_id, attempt, kind, contact, parcels, insured_amount, insured_currency, packaging,
                              wanted, tracking_number, area_id, time_zone, currency, cost_amount, cost_items, created_at,
                              status, failures, merchant_reschedules, version, updated_at, return_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 'rejected', '[]', 0, 1, $18, $19)",
        pickup.id.uuid(),
        request.company_id.uuid(),
        request.order_id.map(OrderId::uuid),
        stored.attempt,
        request.kind.as_str(),
        stored.contact,
        stored.parcels,
        request.insured_value.map(|value| value.amount()),
        request.insured_value.map(|value| value.currency().code()),
        request.packaging,
        stored.wanted,
        request.tracking_number,
        stored.area_id,
        stored.time_zone,
        stored.currency,
        stored.cost_amount,
        stored.cost_items,
        pickup.created_at.to_sqlx() as _,
        request.return_id.map(ReturnId::uuid)
    )
    .execute(&mut *connection)
    .await?;
    save(connection, pickup).await
}

/// Writes what a fact can change.
pub(crate) async fn save(connection: &mut PgConnection, pickup: &Pickup) -> Result<()> {
    let stored = Stored::try_from(pickup)?;
    let window = pickup.promise.as_ref().map(|promise| promise.window);
    sqlx::query!(
        "update pickups set status = $2, window_start = $3, window_end = $4, local_date = $5, slot_start = $6, driver_id = $7,
                guaranteed_until = $8, refund_amount = $9, started_at = $10, arrived_at = $11, failures = $12,
                merchant_reschedules = $13, proof = $14, reason_code = $15, reason = $16, version = $17, updated_at = $18,
                contact = $19, cost_amount = $20, cost_items = $21, cancelled_at = $22
         where id = $1",
        pickup.id.uuid(),
        pickup.status.as_str(),
        window.map(|window| window.start.to_sqlx()) as _,
        window.map(|window| window.end.to_sqlx()) as _,
        stored.local_date.map(|date| date.to_sqlx()) as _,
        pickup.slot_start.map(|at| at.to_sqlx()) as _,
        pickup.driver_id.map(DriverId::uuid),
        pickup.promise.as_ref().and_then(|promise| promise.guaranteed_until).map(|at| at.to_sqlx()) as _,
        pickup.refund.map(|refund| refund.amount()),
        pickup.started_at.map(|at| at.to_sqlx()) as _,
        pickup.arrived_at.map(|at| at.to_sqlx()) as _,
        stored.failures,
        stored.merchant_reschedules,
        stored.proof,
        pickup.reason.as_ref().and_then(|reason| reason.code.as_deref()),
        pickup.reason.as_ref().map(|reason| reason.text.as_str()),
        pickup.version,
        pickup.updated_at.to_sqlx() as _,
        stored.contact,
        stored.cost_amount,
        stored.cost_items,
        pickup.cancelled_at.map(|at| at.to_sqlx()) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
