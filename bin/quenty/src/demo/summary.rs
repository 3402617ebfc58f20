//! What the week came to: for people as a page of text, for machines as JSON.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use quenty_platform::operate::Traffic;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use super::{cast::Cast, story::text};

/// One proof: `ok`, or what is wrong.
pub type Proof = String;

/// What was proved about the databases after the week.
#[derive(Debug, Clone, Serialize)]
pub struct Proofs {
    /// What lies on the shelves is the sum of the ledger.
    pub stock: Proof,
    /// No stream of facts has a gap.
    pub journal: Proof,
    /// No fact was changed: the hash chains are whole.
    pub audit: Proof,
    /// Every order ended, waits for a person, or has a deadline.
    pub sagas: Proof,
}

impl Proofs {
    pub fn hold(&self) -> bool {
        [&self.stock, &self.journal, &self.audit, &self.sagas].into_iter().all(|proof| proof == "ok")
    }
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Orders {
    pub placed: u64,
    pub delivered: u64,
    pub cancelled: u64,
    #[serde(flatten)]
    pub others: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    pub orders: Orders,
    pub international: u64,
    /// Of the delivered ones, at the promised time or before.
    pub on_time_share: Option<f64>,
    pub median_order_to_door_hours: Option<f64>,
    /// Order totals by currency.
    pub money: BTreeMap<String, Decimal>,
    pub events: Traffic,
    /// Absent where the demo cannot see the databases.
    pub proofs: Option<Proofs>,
    pub simulated_clock: bool,
    #[serde(skip)]
    pub title: &'static str,
    #[serde(skip)]
    pub timeline: Vec<String>,
}

/// Reads every order of the merchant and sums it up.
pub async fn of(cast: &Cast, title: &'static str, simulated_clock: bool) -> Result<Summary> {
    let mut orders = Orders::default();
    let (mut international, mut on_time, mut promised) = (0, 0_u32, 0_u32);
    let mut durations: Vec<SignedDuration> = Vec::new();
    let mut money: BTreeMap<String, Decimal> = BTreeMap::new();
    let mut best: Option<(usize, String)> = None;
    let mut cursor = String::new();
    loop {
        let page = cast.merchant.get(&format!("/api/v1/orders?limit=100{cursor}")).await?;
        for order in page["items"].as_array().context("a list of orders")? {
            let status = text(order, "status")?;
            orders.placed += 1;
            international += u64::from(order["kind"] == "international");
            let total = &order["totals"]["total"];
            if let (Some(currency), Some(amount)) = (total["currency"].as_str(), total["amount"].as_str()) {
                *money.entry(currency.to_owned()).or_default() += amount.parse::<Decimal>()?;
            }
            if let (Some(placed), Some(door)) = (moment(order, "placed_at"), moment(order, "delivered_at")) {
                durations.push(door.duration_since(placed));
                if let Some(promise) = moment(order, "promised_at") {
                    promised += 1;
                    on_time += u32::from(door <= promise);
                }
            }
            match status.as_str() {
                "delivered" => orders.delivered += 1,
                "cancelled" => orders.cancelled += 1,
                other => *orders.others.entry(other.to_owned()).or_default() += 1,
            }
            // The most eventful ending makes the best story.
            let rank = if order["kind"] == "international" && status == "delivered" {
                2
            } else {
                usize::from(status == "delivered")
            };
            if best.as_ref().is_none_or(|(known, _)| rank > *known) {
                best = Some((rank, text(order, "id")?));
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    durations.sort();
    let timeline = match best {
        Some((_, id)) => timeline(cast, &id).await?,
        None => Vec::new(),
    };
    Ok(Summary {
        orders,
        international,
        on_time_share: (promised > 0).then(|| f64::from(on_time) / f64::from(promised)),
        median_order_to_door_hours: durations
            .get(durations.len() / 2)
            .map(|duration| duration.as_secs_f64() / 3600.0),
        money,
        events: Traffic::default(),
        proofs: None,
        simulated_clock,
        title,
        timeline,
    })
}

fn moment(value: &Value, name: &str) -> Option<Timestamp> {
    value[name].as_str()?.parse().ok()
}

async fn timeline(cast: &Cast, order: &str) -> Result<Vec<String>> {
    let told = cast.merchant.get(&format!("/api/v1/orders/{order}/timeline")).await?;
    let items = told["items"].as_array().or_else(|| told.as_array()).context("a timeline")?;
    let mut lines = vec![format!("order {order}")];
    for item in items {
        let at = moment(item, "at").map(|at| at.strftime("%a %H:%M").to_string()).unwrap_or_default();
        lines.push(format!(
            "{at}  {:<22} {} {}",
            item["code"].as_str().unwrap_or_default(),
            item["text"].as_str().unwrap_or_default(),
            item["place"].as_str().unwrap_or_default()
        ));
    }
    Ok(lines)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  {}\n", self.title)?;
        writeln!(f, "  orders      {} placed, {} of them abroad", self.orders.placed, self.international)?;
        writeln!(
            f,
            "              {} delivered, {} cancelled",
            self.orders.delivered, self.orders.cancelled
        )?;
        for (status, count) in &self.orders.others {
            writeln!(f, "              {count} {}", status.replace('_', " "))?;
        }
        if let Some(share) = self.on_time_share {
            writeln!(f, "  on time     {:.0} % of the delivered", share * 100.0)?;
        }
        if let Some(hours) = self.median_order_to_door_hours {
            writeln!(f, "  to the door {hours:.1} hours, median")?;
        }
        for (currency, amount) in &self.money {
            writeln!(f, "  sold        {amount} {currency}")?;
        }
        writeln!(
            f,
            "  events      {} published, {} consumed, {} dead",
            self.events.published, self.events.consumed, self.events.dead
        )?;
        if let Some(proofs) = &self.proofs {
            writeln!(
                f,
                "  proofs      stock = ledger: {}; journals without gaps: {}; hash chains: {}; sagas: {}",
                proofs.stock, proofs.journal, proofs.audit, proofs.sagas
            )?;
        }
        writeln!(f)?;
        for line in &self.timeline {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}
