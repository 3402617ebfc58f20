//! Rows of orders, each with its saga.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_contracts::{
    order::{OrderLine, OrderTotals, WantedPickup},
    party::{Item, Parcel, Party},
};
use quenty_kernel::{
    PageQuery, Scope,
    currency::Currency,
    id::{CompanyId, CustomerId, OrderId, PickupId, ReservationId, ShipmentId, WarehouseId},
    money::Money,
};
use quenty_platform::{Error, Result};
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use super::{narrow, parse, parse_some, unreadable};
use crate::domain::{
    fulfilment::Fulfilment,
    order::{Hold, HoldCode, Order, OrderKind, OrderState, PaymentStatus, Status},
};

struct Row {
    id: Uuid,
    company_id: Uuid,
    customer_id: Option<Uuid>,
    external_reference: Option<String>,
    kind: String,
    status: String,
    payment_method: String,
    payment_status: String,
    paid: Decimal,
    refunded: Decimal,
    currency: String,
    subtotal: Decimal,
    discount: Decimal,
    shipping: Decimal,
    tax: Decimal,
    total: Decimal,
    lines: Json<Vec<OrderLine>>,
    items: Json<Vec<Item>>,
    parcels: Json<Vec<Parcel>>,
    consignee: Json<Party>,
    sender: Json<Party>,
    warehouse_id: Uuid,
    reservation_id: Option<Uuid>,
    wanted_pickup: Option<Json<WantedPickup>>,
    notes: Option<String>,
    stale_standing: bool,
    hold_code: Option<String>,
    hold_reason: Option<String>,
    interrupted: Option<String>,
    cancel_reason: Option<String>,
    placed_at: jiff_sqlx::Timestamp,
    picked_up_at: Option<jiff_sqlx::Timestamp>,
    delivered_at: Option<jiff_sqlx::Timestamp>,
    updated_at: jiff_sqlx::Timestamp,
    version: i64,
    shipment: String,
    shipment_attempt: i32,
    shipment_id: Option<Uuid>,
    carrier: Option<String>,
    tracking_number: Option<String>,
    promised_at: Option<jiff_sqlx::Timestamp>,
    pickup: String,
    pickup_attempt: i32,
    pickup_id: Option<Uuid>,
    window_start: Option<jiff_sqlx::Timestamp>,
    window_end: Option<jiff_sqlx::Timestamp>,
    deadline: Option<jiff_sqlx::Timestamp>,
    deadline_number: i32,
}

macro_rules! select_orders {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            "select o.id, o.company_id, o.customer_id, o.external_reference, o.kind, o.status, o.payment_method, o.payment_status,
                    o.paid, o.refunded, o.currency, o.subtotal, o.discount, o.shipping, o.tax, o.total,
                    o.lines as \"lines: Json<Vec<OrderLine>>\", o.items as \"items: Json<Vec<Item>>\",
                    o.parcels as \"parcels: Json<Vec<Parcel>>\", o.consignee as \"consignee: Json<Party>\",
                    o.sender as \"sender: Json<Party>\", o.warehouse_id, o.reservation_id,
                    o.wanted_pickup as \"wanted_pickup: Json<WantedPickup>\", o.notes, o.stale_standing, o.hold_code, o.hold_reason,
                    o.interrupted, o.cancel_reason, o.placed_at, o.picked_up_at, o.delivered_at, o.updated_at, o.version,
                    f.shipment, f.shipment_attempt, f.shipment_id, f.carrier, f.tracking_number, f.promised_at,
                    f.pickup, f.pickup_attempt, f.pickup_id, f.window_start, f.window_end, f.deadline, f.deadline_number
             from orders o join fulfilments f on f.order_id = o.id " + $rest
            $(, $argument)*
        )
    };
}

fn fulfilment(row: &Row) -> Result<Fulfilment> {
    Ok(Fulfilment {
        shipment: parse(&row.shipment)?,
        shipment_attempt: narrow(row.shipment_attempt)?,
        shipment_id: row.shipment_id.map(ShipmentId::from_uuid),
        carrier: row.carrier.clone(),
        tracking_number: row.tracking_number.clone(),
        promised_at: row.promised_at.map(jiff_sqlx::Timestamp::to_jiff),
        pickup: parse(&row.pickup)?,
        pickup_attempt: narrow(row.pickup_attempt)?,
        pickup_id: row.pickup_id.map(PickupId::from_uuid),
        window_start: row.window_start.map(jiff_sqlx::Timestamp::to_jiff),
        window_end: row.window_end.map(jiff_sqlx::Timestamp::to_jiff),
        deadline: row.deadline.map(jiff_sqlx::Timestamp::to_jiff),
        deadline_number: narrow(row.deadline_number)?,
    })
}

impl TryFrom<Row> for Order {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let fulfilment = fulfilment(&row)?;
        let currency: Currency = parse(&row.currency)?;
        let money = |amount| Money::new(amount, currency).map_err(unreadable);
        let totals = OrderTotals {
            subtotal: money(row.subtotal)?,
            discount: money(row.discount)?,
            shipping: money(row.shipping)?,
            tax: money(row.tax)?,
            total: money(row.total)?,
        };
        let payment_status = parse(&row.payment_status)?;
        // A replica of before this column pays an order and leaves it alone.
        let paid = if payment_status == PaymentStatus::Paid { totals.total } else { money(row.paid)? };
        let hold = match (row.hold_code, row.hold_reason) {
            // As in the fold: a newer version may know more words.
            (Some(code), Some(reason)) => {
                Some(Hold { code: code.parse().unwrap_or(HoldCode::Manual), reason })
            }
            _ => None,
        };
        Ok(Self::restore(OrderState {
            id: OrderId::from_uuid(row.id),
            company_id: CompanyId::from_uuid(row.company_id),
            customer_id: row.customer_id.map(CustomerId::from_uuid),
            external_reference: row.external_reference,
            kind: parse(&row.kind)?,
            status: parse(&row.status)?,
            payment_method: parse(&row.payment_method)?,
            payment_status,
            paid,
            refunded: money(row.refunded)?,
            lines: row.lines.0,
            totals,
            items: row.items.0,
            parcels: row.parcels.0,
            consignee: row.consignee.0,
            sender: row.sender.0,
            warehouse_id: WarehouseId::from_uuid(row.warehouse_id),
            reservation_id: row.reservation_id.map(ReservationId::from_uuid),
            wanted_pickup: row.wanted_pickup.map(|wanted| wanted.0),
            notes: row.notes,
            stale_standing: row.stale_standing,
            hold,
            interrupted: parse_some(row.interrupted)?,
            cancel_reason: row.cancel_reason,
            placed_at: row.placed_at.to_jiff(),
            picked_up_at: row.picked_up_at.map(jiff_sqlx::Timestamp::to_jiff),
            delivered_at: row.delivered_at.map(jiff_sqlx::Timestamp::to_jiff),
            updated_at: row.updated_at.to_jiff(),
            version: row.version,
            fulfilment,
        }))
    }
}

pub(crate) async fn find(db: impl PgExecutor<'_>, scope: Scope, id: OrderId) -> Result<Option<Order>> {
    let row = select_orders!(
        "where o.id = $1 and ($2::uuid is null or o.company_id = $2)",
        id.uuid(),
        scope.company_uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(Order::try_from).transpose()
}

/// Finds it and keeps others from changing it until the transaction ends.
pub(crate) async fn lock(connection: &mut PgConnection, scope: Scope, id: OrderId) -> Result<Option<Order>> {
    let row = select_orders!(
        "where o.id = $1 and ($2::uuid is null or o.company_id = $2) for update of o, f",
        id.uuid(),
        scope.company_uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Order::try_from).transpose()
}

pub(crate) async fn find_by_reference(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    reference: &str,
) -> Result<Option<Order>> {
    let row =
        select_orders!("where o.company_id = $1 and o.external_reference = $2", company.uuid(), reference)
            .fetch_optional(db)
            .await?;
    row.map(Order::try_from).transpose()
}

/// The order that already has this reference.
pub(crate) async fn id_of_reference(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    reference: &str,
) -> Result<Option<OrderId>> {
    let id = sqlx::query_scalar!(
        "select id from orders where company_id = $1 and external_reference = $2",
        company.uuid(),
        reference
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(OrderId::from_uuid))
}

/// The company's next order that nobody has collected yet and that is not about to be cancelled, in the order of their
/// placing.
pub(crate) async fn next_uncollected(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    after: Option<OrderId>,
) -> Result<Option<OrderId>> {
    let id = sqlx::query_scalar!(
        "select id from orders where company_id = $1 and ($2::uuid is null or id > $2) and picked_up_at is null
             and status in ('pending', 'backordered', 'confirmed', 'processing', 'exception')
         order by id limit 1",
        company.uuid(),
        after.map(OrderId::uuid)
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(OrderId::from_uuid))
}

/// The company's next order that is on hold for one of these reasons, in the order of their placing.
pub(crate) async fn next_held(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    codes: &[HoldCode],
    after: Option<OrderId>,
) -> Result<Option<OrderId>> {
    let codes: Vec<String> = codes.iter().map(|code| code.as_str().to_owned()).collect();
    let id = sqlx::query_scalar!(
        "select id from orders where company_id = $1 and hold_code = any($2) and ($3::uuid is null or id > $3) order by id limit 1",
        company.uuid(),
        &codes,
        after.map(OrderId::uuid)
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(OrderId::from_uuid))
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderFilter {
    pub(crate) status: Option<Status>,
    pub(crate) external_reference: Option<String>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) kind: Option<OrderKind>,
    pub(crate) payment_status: Option<PaymentStatus>,
    pub(crate) on_hold: Option<bool>,
    pub(crate) created_from: Option<Timestamp>,
    pub(crate) created_to: Option<Timestamp>,
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    filter: OrderFilter,
    page: &PageQuery,
) -> Result<Vec<Order>> {
    let rows = select_orders!(
        "where ($1::uuid is null or o.company_id = $1) and ($2::text is null or o.status = $2)
           and ($3::text is null or o.external_reference = $3) and ($4::uuid is null or o.customer_id = $4)
           and ($5::text is null or o.kind = $5) and ($6::text is null or o.payment_status = $6)
           and ($7::boolean is null or (o.hold_code is not null) = $7)
           and ($8::timestamptz is null or o.placed_at >= $8) and ($9::timestamptz is null or o.placed_at < $9)
           and ($10::uuid is null or o.id < $10)
         order by o.id desc limit $11",
        scope.company_uuid(),
        filter.status.map(Status::as_str),
        filter.external_reference,
        filter.customer_id.map(CustomerId::uuid),
        filter.kind.map(OrderKind::as_str),
        filter.payment_status.map(PaymentStatus::as_str),
        filter.on_hold,
        filter.created_from.map(|at| at.to_sqlx()) as _,
        filter.created_to.map(|at| at.to_sqlx()) as _,
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Order::try_from).collect()
}

/// Writes what can change after the placing.
pub(crate) async fn save(connection: &mut PgConnection, order: &OrderState) -> Result<()> {
    let hold = order.hold.as_ref();
    sqlx::query!(
        "update orders set kind = $2, status = $3, payment_status = $4, consignee = $5, sender = $6, warehouse_id = $7, reservation_id = $8,
                notes = $9, hold_code = $10, hold_reason = $11, interrupted = $12, cancel_reason = $13, picked_up_at = $14,
                delivered_at = $15, updated_at = $16, version = $17, paid = $18, refunded = $19, wanted_pickup = $20
         where id = $1",
        order.id.uuid(),
        order.kind.as_str(),
        order.status.as_str(),
        order.payment_status.as_str(),
        Json(&order.consignee) as _,
        Json(&order.sender) as _,
        order.warehouse_id.uuid(),
        order.reservation_id.map(ReservationId::uuid),
        order.notes,
        hold.map(|hold| hold.code.as_str()),
        hold.map(|hold| hold.reason.as_str()),
        order.interrupted.map(Status::as_str),
        order.cancel_reason,
        order.picked_up_at.map(|at| at.to_sqlx()) as _,
        order.delivered_at.map(|at| at.to_sqlx()) as _,
        order.updated_at.to_sqlx() as _,
        order.version,
        order.paid.amount(),
        order.refunded.amount(),
        order.wanted_pickup.as_ref().map(Json) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes other lines, with what they come to.
pub(crate) async fn save_lines(connection: &mut PgConnection, order: &OrderState) -> Result<()> {
    let totals = &order.totals;
    sqlx::query!(
        "update orders set lines = $2, items = $3, parcels = $4, subtotal = $5, discount = $6, shipping = $7, tax = $8, total = $9
         where id = $1",
        order.id.uuid(),
        Json(&order.lines) as _,
        Json(&order.items) as _,
        Json(&order.parcels) as _,
        totals.subtotal.amount(),
        totals.discount.amount(),
        totals.shipping.amount(),
        totals.tax.amount(),
        totals.total.amount()
    )
    .execute(connection)
    .await?;
    Ok(())
}
