//! A new order, with its saga, its first lines of the timeline and the reservation of its goods: one statement,
//! because the stock of its products is locked by then and others wait for it.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Actor,
    id::{CustomerId, ReservationId},
};
use quenty_platform::Result;
use sqlx::{PgConnection, types::Json};

use super::{narrow, timeline};
use crate::domain::{order::OrderState, reservation::Reservation, timeline::Happening};

/// Returns `false` when another order of the company took its reference meanwhile. A new order has no booking yet.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    order: &OrderState,
    reservation: Option<&Reservation>,
    actor: &Actor,
    told: &[Happening],
) -> Result<bool> {
    let (totals, f) = (&order.totals, &order.fulfilment);
    let inserted = sqlx::query_scalar!(
        "with r as (
           insert into reservations (id, company_id, order_id, warehouse_id, status, created_at, updated_at)
           select $20, $2, $1, $19, 'active', $24, $24 where $20::uuid is not null
         ), o as (
           insert into orders (id, company_id, customer_id, external_reference, kind, status, payment_method, payment_status, currency,
                               subtotal, discount, shipping, tax, total, lines, items, parcels, consignee, sender, warehouse_id,
                               reservation_id, wanted_pickup, notes, stale_standing, placed_at, updated_at, version, paid)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $25, $19, $20, $21, $22, $23, $24, $24, $26, $33)
           on conflict (company_id, external_reference) where external_reference is not null do nothing
           returning id
         ), f as (
           insert into fulfilments (order_id, step, shipment, shipment_attempt, pickup, pickup_attempt, deadline, deadline_number)
           select id, $27, $28, $29, 'open', 0, $30, $31 from o
         ), t as (
           insert into timeline (id, order_id, at, source, code, text, place, actor)
           select h.* from o join jsonb_to_recordset($32)
                as h(id uuid, order_id uuid, at timestamptz, source text, code text, text text, place text, actor text) on h.order_id = o.id
         )
         select count(*) as \"count!\" from o",
        order.id.uuid(),
        order.company_id.uuid(),
        order.customer_id.map(CustomerId::uuid),
        order.external_reference,
        order.kind.as_str(),
        order.status.as_str(),
        order.payment_method.as_str(),
        order.payment_status.as_str(),
        totals.total.currency().code(),
        totals.subtotal.amount(),
        totals.discount.amount(),
        totals.shipping.amount(),
        totals.tax.amount(),
        totals.total.amount(),
        Json(&order.lines) as _,
        Json(&order.items) as _,
        Json(&order.parcels) as _,
        Json(&order.consignee) as _,
        order.warehouse_id.uuid(),
        reservation.map(|reservation| reservation.state().id).map(ReservationId::uuid),
        order.wanted_pickup.as_ref().map(Json) as _,
        order.notes,
        order.stale_standing,
        order.placed_at.to_sqlx() as _,
        Json(&order.sender) as _,
        order.version,
        order.step().as_str(),
        f.shipment.as_str(),
        narrow::<i32, _>(f.shipment_attempt)?,
        f.deadline.map(|at| at.to_sqlx()) as _,
        narrow::<i32, _>(f.deadline_number)?,
        timeline::rows(order.id, actor, told),
        order.paid.amount()
    )
    .fetch_one(connection)
    .await?;
    Ok(inserted == 1)
}
