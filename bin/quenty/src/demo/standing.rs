//! Where an order stands that exists already: what somebody has done counts, whoever it was and however the
//! story was broken off.

use anyhow::Result;
use serde_json::Value;

use super::{
    api::text,
    cast::Cast,
    plan::Fate,
    story::{Standing, Step, Told},
};

/// What is known of the order, and what comes next; nothing when it has ended, or waits for a person.
pub async fn of(cast: &Cast, order: &Value, fate: Fate, turn: usize) -> Result<Standing> {
    let mut told = Told { order_id: text(order, "id")?, driver: cast.turn(turn), ..Told::default() };
    if !order["on_hold"].is_null() {
        return Ok((told, None));
    }
    let step = match order["status"].as_str().unwrap_or_default() {
        "pending" if order["payment_method"] == "prepaid" && order["payment_status"] == "unpaid" => {
            Some(Step::Pay)
        }
        "pending" | "backordered" | "confirmed" => Some(Step::Assign),
        "processing" | "picked_up" | "in_transit" | "exception" | "undeliverable" => {
            booked(cast, order, fate, &mut told).await?
        }
        _ => None,
    };
    Ok((told, step))
}

async fn booked(cast: &Cast, order: &Value, fate: Fate, told: &mut Told) -> Result<Option<Step>> {
    told.shipment_id = text(order, "shipment_id")?;
    told.pickup_id = text(order, "pickup_id")?;
    let pickup = cast.dispatcher.get(&format!("/api/v1/pickups/{}", told.pickup_id)).await?;
    told.failed_pickups = pickup["failed_attempts"].as_array().map_or(0, Vec::len);
    if let Some(driver) = cast.drivers.iter().position(|driver| pickup["driver_id"] == driver.id.as_str()) {
        told.driver = driver;
    }
    match pickup["status"].as_str().unwrap_or_default() {
        "scheduled" | "assigned" => Ok(Some(Step::Assign)),
        "in_progress" if told.failed_pickups < fate.failed_pickups() => Ok(Some(Step::FailPickup)),
        "in_progress" => Ok(Some(Step::Collect)),
        "completed" => on_the_road(cast, fate, told).await,
        _ => Ok(None),
    }
}

async fn on_the_road(cast: &Cast, fate: Fate, told: &mut Told) -> Result<Option<Step>> {
    let shipment = cast.dispatcher.get(&format!("/api/v1/shipments/{}", told.shipment_id)).await?;
    told.failed_deliveries = shipment["failed_deliveries"].as_u64().unwrap_or_default();
    Ok(match shipment["status"].as_str().unwrap_or_default() {
        "booked" | "picked_up" => Some(Step::Depart),
        "in_transit" | "exception" => Some(Step::GoOutForDelivery),
        "customs_hold" => Some(Step::LeaveCustoms),
        "out_for_delivery" if told.failed_deliveries < fate.failed_deliveries() => Some(Step::FailDelivery),
        "out_for_delivery" => Some(Step::Deliver),
        "undeliverable" => Some(Step::Return),
        _ => None,
    })
}
