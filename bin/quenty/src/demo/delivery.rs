//! The demo's people deliver what is there already: imported orders, each from where it stands.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::SignedDuration;
use serde_json::Value;

use super::{
    api::text,
    cast::Cast,
    plan::Fate,
    progress_bar, standing,
    story::{Ending, Part, Story},
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
                open.push((part(&order)?, standing::of(cast, &order, Fate::Delivered, open.len()).await?));
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

pub(super) fn part(order: &Value) -> Result<Part> {
    let international = order["kind"] == "international";
    Ok(Part {
        reference: order["external_reference"].as_str().unwrap_or_default().to_owned(),
        receiver: text(&order["consignee"], "name")?,
        city: text(&order["consignee"]["address"], "city")?,
        international,
        cash_on_delivery: order["payment_method"] == "cash_on_delivery",
        fate: Fate::Delivered,
        transit: if international { ABROAD } else { AT_HOME },
        coming_back: None,
    })
}
