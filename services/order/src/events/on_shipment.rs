//! Shipping tells how the parcels get on.

use jiff::Timestamp;
use quenty_contracts::shipping::{
    CashCollected, ShipmentBooked, ShipmentDelivered, ShipmentDeparted, ShipmentExceptionRaised,
    ShipmentExceptionResolved, ShipmentHeldByCustoms, ShipmentLost, ShipmentOutForDelivery, ShipmentPickedUp,
    ShipmentRejected, ShipmentReleasedByCustoms, ShipmentReturned, ShipmentUndeliverable, ShipmentVoided,
};
use quenty_kernel::{
    Event,
    id::{OrderId, ShipmentId},
};
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::{OrderNews, follow_order},
    domain::{
        order::{Movement, ShipmentNews},
        timeline::{Happening, Source},
    },
};

fn line(code: &'static str, text: impl Into<String>, at: Timestamp) -> Happening {
    Happening::new(Source::Shipping, code, text, at)
}

/// Shipments without an order are none of ours.
async fn tell<E: Event>(
    tx: &mut Tx,
    event: &Received<E>,
    order: Option<OrderId>,
    news: OrderNews,
    happening: Happening,
) -> Result<(), Error> {
    let Some(order) = order else { return Ok(()) };
    follow_order(tx, event.company()?, order, news, happening).await
}

/// As [`tell`], for parcels that move.
async fn moved<E: Event>(
    tx: &mut Tx,
    event: &Received<E>,
    (order, shipment_id): (Option<OrderId>, ShipmentId),
    movement: Movement,
    happening: Happening,
) -> Result<(), Error> {
    let news = ShipmentNews::Moved { shipment_id, movement, at: happening.at, promised_at: None };
    tell(tx, event, order, OrderNews::Shipment(news), happening).await
}

pub(super) async fn on_booked(tx: &mut Tx, event: Received<ShipmentBooked>) -> Result<(), Error> {
    let data = &event.data;
    let news = ShipmentNews::Booked {
        shipment_id: data.shipment_id,
        attempt: data.attempt,
        carrier: data.carrier.clone(),
        tracking_number: data.tracking_number.clone(),
        promised_at: data.promised_at,
        picked_up_at: data.picked_up_at,
    };
    let text = format!("Shipment booked with {}, tracking number {}", data.carrier, data.tracking_number);
    tell(tx, &event, data.order_id, OrderNews::Shipment(news), line("shipment_booked", text, event.time))
        .await
}

pub(super) async fn on_rejected(tx: &mut Tx, event: Received<ShipmentRejected>) -> Result<(), Error> {
    let data = &event.data;
    let news = ShipmentNews::Rejected {
        attempt: data.attempt,
        code: data.code.clone(),
        detail: data.detail.clone(),
    };
    let text = format!("No shipment: {}", data.detail);
    tell(tx, &event, data.order_id, OrderNews::Shipment(news), line("shipment_rejected", text, event.time))
        .await
}

pub(super) async fn on_voided(tx: &mut Tx, event: Received<ShipmentVoided>) -> Result<(), Error> {
    let data = &event.data;
    let news = ShipmentNews::Voided { shipment_id: data.shipment_id, reason: data.reason.clone() };
    let text = format!("Shipment void: {}", data.reason);
    tell(tx, &event, data.order_id, OrderNews::Shipment(news), line("shipment_voided", text, event.time))
        .await
}

pub(super) async fn on_picked_up(tx: &mut Tx, event: Received<ShipmentPickedUp>) -> Result<(), Error> {
    let data = &event.data;
    let happening = line("shipment_picked_up", "The carrier has the parcels", data.at);
    let news = ShipmentNews::Moved {
        shipment_id: data.shipment_id,
        movement: Movement::PickedUp,
        at: data.at,
        promised_at: data.promised_at,
    };
    tell(tx, &event, data.order_id, OrderNews::Shipment(news), happening).await
}

pub(super) async fn on_departed(tx: &mut Tx, event: Received<ShipmentDeparted>) -> Result<(), Error> {
    let data = &event.data;
    let happening = line("departed", "On the way", data.at).in_place(data.place.clone());
    moved(tx, &event, (data.order_id, data.shipment_id), Movement::Departed, happening).await
}

pub(super) async fn on_held_by_customs(
    tx: &mut Tx,
    event: Received<ShipmentHeldByCustoms>,
) -> Result<(), Error> {
    let data = &event.data;
    let movement = Movement::Exception { code: "CUSTOMS_HOLD".to_owned(), detail: data.detail.clone() };
    let happening = line("held_by_customs", format!("Held by customs: {}", data.detail), data.at);
    moved(tx, &event, (data.order_id, data.shipment_id), movement, happening).await
}

pub(super) async fn on_released_by_customs(
    tx: &mut Tx,
    event: Received<ShipmentReleasedByCustoms>,
) -> Result<(), Error> {
    let data = &event.data;
    let happening = line("released_by_customs", "Released by customs", data.at);
    moved(tx, &event, (data.order_id, data.shipment_id), Movement::Resolved, happening).await
}

pub(super) async fn on_exception_raised(
    tx: &mut Tx,
    event: Received<ShipmentExceptionRaised>,
) -> Result<(), Error> {
    let data = &event.data;
    let movement = Movement::Exception { code: data.code.clone(), detail: data.detail.clone() };
    let happening = line("shipment_exception", format!("Problem on the way: {}", data.detail), data.at);
    moved(tx, &event, (data.order_id, data.shipment_id), movement, happening).await
}

pub(super) async fn on_exception_resolved(
    tx: &mut Tx,
    event: Received<ShipmentExceptionResolved>,
) -> Result<(), Error> {
    let data = &event.data;
    let happening = line("shipment_exception_resolved", "The way is free again", data.at);
    moved(tx, &event, (data.order_id, data.shipment_id), Movement::Resolved, happening).await
}

pub(super) async fn on_out_for_delivery(
    tx: &mut Tx,
    event: Received<ShipmentOutForDelivery>,
) -> Result<(), Error> {
    let data = &event.data;
    let happening = line("out_for_delivery", format!("Out for delivery, attempt {}", data.attempt), data.at);
    moved(tx, &event, (data.order_id, data.shipment_id), Movement::OutForDelivery, happening).await
}

pub(super) async fn on_delivered(tx: &mut Tx, event: Received<ShipmentDelivered>) -> Result<(), Error> {
    let data = &event.data;
    let happening = line("shipment_delivered", "The consignee has the parcels", data.at);
    moved(tx, &event, (data.order_id, data.shipment_id), Movement::Delivered, happening).await
}

pub(super) async fn on_undeliverable(
    tx: &mut Tx,
    event: Received<ShipmentUndeliverable>,
) -> Result<(), Error> {
    let data = &event.data;
    let movement = Movement::Undeliverable { reason: data.reason.clone() };
    let happening = line("shipment_undeliverable", format!("Delivery given up: {}", data.reason), data.at);
    moved(tx, &event, (data.order_id, data.shipment_id), movement, happening).await
}

pub(super) async fn on_returned(tx: &mut Tx, event: Received<ShipmentReturned>) -> Result<(), Error> {
    let data = &event.data;
    let happening = line("shipment_returned", "The parcels came back", data.at);
    moved(tx, &event, (data.order_id, data.shipment_id), Movement::Returned, happening).await
}

pub(super) async fn on_lost(tx: &mut Tx, event: Received<ShipmentLost>) -> Result<(), Error> {
    let data = &event.data;
    let happening = line("shipment_lost", "The carrier cannot find the parcels", data.at);
    moved(tx, &event, (data.order_id, data.shipment_id), Movement::Lost, happening).await
}

pub(super) async fn on_cash_collected(tx: &mut Tx, event: Received<CashCollected>) -> Result<(), Error> {
    let data = &event.data;
    let happening = line("cash_collected", format!("{} collected at the door", data.amount), data.at);
    tell(tx, &event, data.order_id, OrderNews::Cash(data.amount), happening).await
}
