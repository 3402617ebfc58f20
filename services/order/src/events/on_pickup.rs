//! Pickup tells how the driver gets on.

use jiff::{Timestamp, tz::TimeZone};
use quenty_contracts::pickup::{
    PickupAbandoned, PickupArrived, PickupAssigned, PickupCancelRefused, PickupCancelled, PickupCompleted,
    PickupFailed, PickupRejected, PickupRescheduled, PickupScheduled, PickupStarted, PickupUnassigned,
};
use quenty_kernel::id::OrderId;
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::{OrderNews, follow_order},
    domain::{
        order::PickupNews,
        timeline::{Happening, Source},
    },
};

/// Pickups without an order are none of ours.
async fn tell<E>(
    tx: &mut Tx,
    event: &Received<E>,
    order: Option<OrderId>,
    news: PickupNews,
    (code, text, at): (&'static str, String, Timestamp),
) -> Result<(), Error>
where
    E: quenty_kernel::Event,
{
    let Some(order) = order else { return Ok(()) };
    follow_order(
        tx,
        event.company()?,
        order,
        OrderNews::Pickup(news),
        Happening::new(Source::Pickup, code, text, at),
    )
    .await
}

/// A window as the people there read it.
fn window(start: Timestamp, end: Timestamp, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let (start, end) = (start.to_zoned(zone.clone()), end.to_zoned(zone));
    format!("{} to {}", start.strftime("%Y-%m-%d %H:%M"), end.strftime("%H:%M %Z"))
}

pub(super) async fn on_scheduled(tx: &mut Tx, event: Received<PickupScheduled>) -> Result<(), Error> {
    let data = &event.data;
    let news = PickupNews::Scheduled {
        pickup_id: data.pickup_id,
        attempt: data.attempt,
        window_start: data.window_start,
        window_end: data.window_end,
    };
    let text = format!("Pickup booked for {}", window(data.window_start, data.window_end, &data.time_zone));
    tell(tx, &event, data.order_id, news, ("pickup_scheduled", text, event.time)).await
}

pub(super) async fn on_rejected(tx: &mut Tx, event: Received<PickupRejected>) -> Result<(), Error> {
    let data = &event.data;
    let news =
        PickupNews::Rejected { attempt: data.attempt, code: data.code.clone(), detail: data.detail.clone() };
    tell(
        tx,
        &event,
        data.order_id,
        news,
        ("pickup_rejected", format!("No pickup: {}", data.detail), event.time),
    )
    .await
}

pub(super) async fn on_assigned(tx: &mut Tx, event: Received<PickupAssigned>) -> Result<(), Error> {
    tell(
        tx,
        &event,
        event.data.order_id,
        PickupNews::Noted,
        ("driver_assigned", "A driver is assigned".to_owned(), event.time),
    )
    .await
}

pub(super) async fn on_unassigned(tx: &mut Tx, event: Received<PickupUnassigned>) -> Result<(), Error> {
    let text = format!("The driver cannot come: {}", event.data.reason);
    let news = PickupNews::CameInVain { pickup_id: event.data.pickup_id };
    tell(tx, &event, event.data.order_id, news, ("driver_unassigned", text, event.time)).await
}

pub(super) async fn on_started(tx: &mut Tx, event: Received<PickupStarted>) -> Result<(), Error> {
    tell(
        tx,
        &event,
        event.data.order_id,
        PickupNews::Noted,
        ("pickup_started", "The driver is on the way".to_owned(), event.time),
    )
    .await
}

pub(super) async fn on_arrived(tx: &mut Tx, event: Received<PickupArrived>) -> Result<(), Error> {
    tell(
        tx,
        &event,
        event.data.order_id,
        PickupNews::Noted,
        ("pickup_arrived", "The driver is there".to_owned(), event.data.at),
    )
    .await
}

pub(super) async fn on_completed(tx: &mut Tx, event: Received<PickupCompleted>) -> Result<(), Error> {
    let data = &event.data;
    let missing = data.parcels_booked.map_or(0, |booked| booked.saturating_sub(data.parcel_count));
    let news = PickupNews::Completed { pickup_id: data.pickup_id, at: data.at, missing };
    let mut parcels =
        if data.parcel_count == 1 { "1 parcel".to_owned() } else { format!("{} parcels", data.parcel_count) };
    if let Some(booked) = data.parcels_booked.filter(|booked| *booked != data.parcel_count) {
        let why = data.difference.as_deref().unwrap_or("nobody said why");
        parcels = format!("{parcels} of {booked}: {why}");
    }
    tell(
        tx,
        &event,
        data.order_id,
        news,
        ("pickup_completed", format!("The driver collected {parcels}"), data.at),
    )
    .await
}

pub(super) async fn on_failed(tx: &mut Tx, event: Received<PickupFailed>) -> Result<(), Error> {
    let data = &event.data;
    let why = data.detail.as_deref().unwrap_or(&data.code);
    let text = format!("Pickup attempt {} failed: {why}", data.attempt_number);
    let news = PickupNews::CameInVain { pickup_id: data.pickup_id };
    tell(tx, &event, data.order_id, news, ("pickup_failed", text, data.at.unwrap_or(event.time))).await
}

pub(super) async fn on_rescheduled(tx: &mut Tx, event: Received<PickupRescheduled>) -> Result<(), Error> {
    let data = &event.data;
    let news = PickupNews::Rescheduled {
        pickup_id: data.pickup_id,
        window_start: data.window_start,
        window_end: data.window_end,
    };
    let time_zone = data.time_zone.as_deref().unwrap_or("UTC");
    let text = format!("Pickup moved to {}", window(data.window_start, data.window_end, time_zone));
    tell(tx, &event, data.order_id, news, ("pickup_rescheduled", text, event.time)).await
}

pub(super) async fn on_abandoned(tx: &mut Tx, event: Received<PickupAbandoned>) -> Result<(), Error> {
    let data = &event.data;
    let news = PickupNews::Abandoned { pickup_id: data.pickup_id, reason: data.reason.clone() };
    tell(
        tx,
        &event,
        data.order_id,
        news,
        ("pickup_abandoned", format!("Pickup given up: {}", data.reason), event.time),
    )
    .await
}

pub(super) async fn on_cancelled(tx: &mut Tx, event: Received<PickupCancelled>) -> Result<(), Error> {
    let data = &event.data;
    let news = PickupNews::Cancelled { pickup_id: data.pickup_id, reason: data.reason.clone() };
    tell(
        tx,
        &event,
        data.order_id,
        news,
        ("pickup_cancelled", format!("Pickup cancelled: {}", data.reason), event.time),
    )
    .await
}

pub(super) async fn on_cancel_refused(
    tx: &mut Tx,
    event: Received<PickupCancelRefused>,
) -> Result<(), Error> {
    let data = &event.data;
    let text = format!("the pickup is {}", data.status.replace('_', " "));
    let news = PickupNews::CancelRefused { pickup_id: data.pickup_id, reason: text.clone() };
    tell(
        tx,
        &event,
        data.order_id,
        news,
        ("pickup_cancel_refused", format!("Too late to cancel: {text}"), event.time),
    )
    .await
}
