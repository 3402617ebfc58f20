//! The demo's people deliver what is there already: imported orders, or a story that was broken off. Every order
//! goes on from where it stands.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::SignedDuration;
use serde_json::Value;

use super::{
    cast::Cast,
    plan::Fate,
    progress_bar,
    story::{Ending, Part, Step, Story, Told, text},
    time::Time,
};

const AT_HOME: SignedDuration = SignedDuration::from_hours(24);
const ABROAD: SignedDuration = SignedDuration::from_hours(66);
/// The bookings of a large file follow by events; how long nothing may move before something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(200);

/// Delivers every order of the merchant that nothing holds up.
pub async fn deliver_open_orders(cast: &Cast, time: &Time) -> Result<()> {
    wait_for_bookings(cast, time).await?;
    let mut open = Vec::new();
    for status in ["processing", "picked_up", "in_transit"] {
        for order in orders(cast, status).await? {
            if order["on_hold"].is_null() {
                open.push(stand(cast, &order, open.len()).await?);
            }
        }
    }
    let bar = progress_bar(open.len());
    let story = Story::of_existing(cast, time, open, time.now().await?, bar.clone());
    story.play(Ending::Whole).await?;
    bar.finish_and_clear();
    Ok(())
}

/// Confirmed orders become bookings by events, one after the other.
async fn wait_for_bookings(cast: &Cast, time: &Time) -> Result<()> {
    time.pass_until(time.now().await?).await?;
    let mut waiting = (usize::MAX, tokio::time::Instant::now());
    loop {
        let confirmed = orders(cast, "confirmed").await?;
        let count = confirmed.iter().filter(|order| order["on_hold"].is_null()).count();
        if count == 0 {
            return Ok(());
        }
        if count != waiting.0 {
            waiting = (count, tokio::time::Instant::now());
        }
        if waiting.1.elapsed() > PATIENCE {
            bail!(
                "{count} orders have waited {PATIENCE:?} for their bookings: `quenty doctor` says what holds them up"
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn orders(cast: &Cast, status: &str) -> Result<Vec<Value>> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = cast.merchant.get(&format!("/api/v1/orders?status={status}&limit=100{cursor}")).await?;
        found.extend(page["items"].as_array().context("a list of orders")?.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(found),
        }
    }
}

/// Where the order stands, and what comes next.
async fn stand(cast: &Cast, order: &Value, index: usize) -> Result<(Part, Told, Step)> {
    let international = order["kind"] == "international";
    let part = Part {
        reference: order["external_reference"].as_str().unwrap_or_default().to_owned(),
        receiver: text(&order["consignee"], "name")?,
        city: text(&order["consignee"]["address"], "city")?,
        international,
        cash_on_delivery: order["payment_method"] == "cash_on_delivery",
        fate: Fate::Delivered,
        transit: if international { ABROAD } else { AT_HOME },
    };
    let mut told = Told {
        order_id: text(order, "id")?,
        shipment_id: text(order, "shipment_id")?,
        pickup_id: text(order, "pickup_id")?,
        driver: cast.turn(index),
        ..Told::default()
    };
    let pickup = cast.dispatcher.get(&format!("/api/v1/pickups/{}", told.pickup_id)).await?;
    if let Some(driver) = cast.drivers.iter().position(|driver| pickup["driver_id"] == driver.id.as_str()) {
        told.driver = driver;
    }
    let step = match (pickup["status"].as_str(), order["status"].as_str()) {
        (Some("in_progress"), _) => Step::Collect,
        (Some("completed"), Some("in_transit")) => on_the_road(cast, &told.shipment_id).await?,
        (Some("completed"), _) => Step::Depart,
        _ => Step::Assign,
    };
    Ok((part, told, step))
}

async fn on_the_road(cast: &Cast, shipment: &str) -> Result<Step> {
    let shipment = cast.dispatcher.get(&format!("/api/v1/shipments/{shipment}")).await?;
    Ok(match shipment["status"].as_str() {
        Some("picked_up") => Step::Depart,
        Some("out_for_delivery") => Step::Deliver,
        _ => Step::GoOutForDelivery,
    })
}
