//! Where a return stands that was asked for already.

use anyhow::Result;
use serde_json::Value;

use super::{
    plan::{Course, PlannedReturn, WayBack},
    story::{Back, ReturnStep},
};
use crate::demo::{api::text, cast::Cast, plan::Fate, standing};

/// What is known of the return of a delivered order, and what comes next; nothing when it has ended, or waits for a
/// person.
pub async fn of(
    cast: &Cast,
    order_id: &str,
    planned: &PlannedReturn,
    turn: usize,
) -> Result<(Back, Option<ReturnStep>)> {
    let mut back = Back { driver: cast.turn(turn), ..Back::default() };
    let known = cast.merchant.get(&format!("/api/v1/returns?order_id={order_id}&limit=1")).await?;
    let Some(of) = known["items"].as_array().and_then(|list| list.first()) else {
        return Ok((back, Some(ReturnStep::Ask)));
    };
    back.return_id = text(of, "id")?;
    let booking = if planned.way_back == WayBack::Label { "shipment_id" } else { "pickup_id" };
    if let Some(id) = of["booking"][booking].as_str() {
        id.clone_into(&mut back.booking);
    }
    let step = match of["status"].as_str().unwrap_or_default() {
        "requested" => Some(ReturnStep::Decide),
        "approved" if planned.way_back == WayBack::DropOff => Some(ReturnStep::Receive),
        "approved" => of["attention"].is_null().then_some(ReturnStep::Book),
        "pickup_scheduled" => collected(cast, &mut back).await?,
        "label_issued" => Some(ReturnStep::HandIn),
        "picked_up" if planned.way_back == WayBack::Label => Some(ReturnStep::Depart),
        "in_transit" if of["arrived_at"].is_null() => Some(ReturnStep::Arrive),
        "picked_up" | "in_transit" => Some(ReturnStep::Receive),
        "received" => Some(ReturnStep::Inspect),
        "inspected" if planned.course == Course::Disputed && of["dispute"].is_null() => {
            Some(ReturnStep::Dispute)
        }
        "inspected" => Some(ReturnStep::Process),
        "disputed" => Some(ReturnStep::InspectAgain),
        "processed" | "exchanged" => Some(ReturnStep::Settle),
        "closed" => closed(cast, of, planned).await?,
        _ => None,
    };
    Ok((back, step))
}

/// How far the driver has come.
async fn collected(cast: &Cast, back: &mut Back) -> Result<Option<ReturnStep>> {
    let pickup = cast.dispatcher.get(&format!("/api/v1/pickups/{}", back.booking)).await?;
    if let Some(driver) = cast.drivers.iter().position(|driver| pickup["driver_id"] == driver.id.as_str()) {
        back.driver = driver;
    }
    Ok(match pickup["status"].as_str().unwrap_or_default() {
        "scheduled" | "assigned" => Some(ReturnStep::Book),
        "in_progress" => Some(ReturnStep::Collect),
        "completed" => Some(ReturnStep::Receive),
        _ => None,
    })
}

/// A replacement may still be on its way, and what the units brought may still be told.
async fn closed(cast: &Cast, of: &Value, planned: &PlannedReturn) -> Result<Option<ReturnStep>> {
    if let Some(replacement) = of["settlement"]["exchange_order_id"].as_str() {
        let order = cast.merchant.get(&format!("/api/v1/orders/{replacement}")).await?;
        let (_, step) = standing::of(cast, &order, Fate::Delivered, 0).await?;
        if step.is_some() {
            return Ok(Some(ReturnStep::Replace));
        }
    }
    if planned.realised_percent.is_none() {
        return Ok(None);
    }
    let path = format!("/api/v1/dispositions?return_id={}&limit=100", text(of, "id")?);
    let units = cast.finance.get(&path).await?;
    let is_open =
        units["items"].as_array().is_some_and(|list| list.iter().any(|of| of["realised"].is_null()));
    Ok(is_open.then_some(ReturnStep::Realise))
}
