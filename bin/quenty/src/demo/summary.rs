//! What the week came to: for people as a page of text, for machines as JSON.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use quenty_platform::operate::Traffic;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use super::{
    DELIVERED,
    api::text,
    cast::Cast,
    returns::summary::{self as returns, Returns},
};

/// One proof: `ok`, or what is wrong.
pub type Proof = String;

/// What was proved about the databases after the week.
#[derive(Debug, Clone, Serialize)]
pub struct Proofs {
    /// What lies on the shelves is the sum of the ledger, and every unit that came back has one end.
    pub stock: Proof,
    /// No stream of facts has a gap.
    pub journal: Proof,
    /// No fact was changed: the hash chains are whole.
    pub audit: Proof,
    /// Every order and return ended, waits for a person, or has a deadline; what was paid back is counted once.
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
    /// Totals by currency of what was sold: neither cancelled nor undelivered. What was paid back stands with the
    /// returns.
    pub money: BTreeMap<String, Decimal>,
    pub returns: Returns,
    /// Absent, as the proofs, where the demo cannot see the databases.
    pub events: Option<Traffic>,
    pub proofs: Option<Proofs>,
    pub simulated_clock: bool,
    #[serde(skip)]
    pub title: &'static str,
    #[serde(skip)]
    pub timeline: Vec<String>,
}

/// Statuses of orders that bring no money.
const NOT_SOLD: [&str; 5] = ["cancelling", "cancelled", "undeliverable", "returned_to_sender", "lost"];
/// How the references of orders begin that replace returned goods: they were paid before.
const REPLACEMENT: &str = "EXCHANGE-";

/// What is counted on the way through the orders.
#[derive(Default)]
struct Tally {
    orders: Orders,
    international: u64,
    on_time: u32,
    promised: u32,
    durations: Vec<SignedDuration>,
    money: BTreeMap<String, Decimal>,
    /// The order that makes the best story, and how good it is.
    best: Option<(usize, String)>,
}

/// Reads every order of the merchant and sums it up.
pub async fn of(cast: &Cast, title: &'static str, simulated_clock: bool) -> Result<Summary> {
    let mut tally = Tally::default();
    let mut cursor = String::new();
    loop {
        let page = cast.merchant.get(&format!("/api/v1/orders?limit=100{cursor}")).await?;
        for order in page["items"].as_array().context("a list of orders")? {
            if !order["external_reference"].as_str().is_some_and(|of| of.starts_with(REPLACEMENT)) {
                tally.count(order)?;
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let timeline = match &tally.best {
        Some((_, id)) => timeline(cast, id).await?,
        None => Vec::new(),
    };
    let returns = returns::of(cast).await?;
    Ok(Summary { returns, timeline, ..tally.summary(title, simulated_clock) })
}

impl Tally {
    fn count(&mut self, order: &Value) -> Result<()> {
        let status = text(order, "status")?;
        let is_international = order["kind"] == "international";
        self.orders.placed += 1;
        self.international += u64::from(is_international);
        self.count_money(order, &status)?;
        if let (Some(placed), Some(door)) = (moment(order, "placed_at"), moment(order, "delivered_at")) {
            self.durations.push(door.duration_since(placed));
            if let Some(promise) = moment(order, "promised_at") {
                self.promised += 1;
                self.on_time += u32::from(door <= promise);
            }
        }
        let is_delivered = DELIVERED.contains(&status.as_str());
        match status.as_str() {
            _ if is_delivered => self.orders.delivered += 1,
            "cancelled" => self.orders.cancelled += 1,
            _ => *self.orders.others.entry(status).or_default() += 1,
        }
        // The most eventful ending makes the best story.
        let rank = usize::from(is_delivered) + usize::from(is_delivered && is_international);
        if self.best.as_ref().is_none_or(|(known, _)| rank > *known) {
            self.best = Some((rank, text(order, "id")?));
        }
        Ok(())
    }

    fn count_money(&mut self, order: &Value, status: &str) -> Result<()> {
        let total = &order["totals"]["total"];
        if let (Some(currency), Some(amount)) = (total["currency"].as_str(), total["amount"].as_str())
            && !NOT_SOLD.contains(&status)
        {
            *self.money.entry(currency.to_owned()).or_default() += amount.parse::<Decimal>()?;
        }
        Ok(())
    }

    fn summary(mut self, title: &'static str, simulated_clock: bool) -> Summary {
        self.durations.sort();
        let count = self.durations.len();
        let middle = self.durations.get(count.saturating_sub(1) / 2).zip(self.durations.get(count / 2));
        let median = middle.map(|(low, high)| f64::midpoint(low.as_secs_f64(), high.as_secs_f64()) / 3600.0);
        Summary {
            on_time_share: (self.promised > 0).then(|| f64::from(self.on_time) / f64::from(self.promised)),
            median_order_to_door_hours: median,
            orders: self.orders,
            international: self.international,
            money: self.money,
            returns: Returns::default(),
            events: None,
            proofs: None,
            simulated_clock,
            title,
            timeline: Vec::new(),
        }
    }
}

pub(super) fn moment(value: &Value, name: &str) -> Option<Timestamp> {
    value[name].as_str()?.parse().ok()
}

async fn timeline(cast: &Cast, order: &str) -> Result<Vec<String>> {
    let told = cast.merchant.get(&format!("/api/v1/orders/{order}/timeline?limit=100")).await?;
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
        write!(f, "{}", self.returns)?;
        if let Some(Traffic { published, consumed, dead }) = self.events {
            writeln!(f, "  events      {published} published, {consumed} consumed, {dead} dead")?;
        }
        match &self.proofs {
            Some(proofs) => writeln!(
                f,
                "  proofs      stock = ledger: {}; journals without gaps: {}; hash chains: {}; sagas: {}",
                proofs.stock, proofs.journal, proofs.audit, proofs.sagas
            )?,
            None => writeln!(
                f,
                "  proofs      none, nor events: --data DIR, or QUENTY_<SERVICE>_DATABASE_URL, shows the databases"
            )?,
        }
        writeln!(f)?;
        for line in &self.timeline {
            writeln!(f, "  {line}")?;
        }
        writeln!(f)?;
        for line in self.returns.story() {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_cancelled_or_never_arrived_is_not_sold() {
        let mut tally = Tally::default();
        for status in [
            "delivered",
            "partially_returned",
            "in_transit",
            "cancelled",
            "returned_to_sender",
            "undeliverable",
        ] {
            let order = json!({"id": "ORD-1", "status": status, "totals": {"total": {"amount": "10.00", "currency": "COP"}}});
            tally.count(&order).unwrap();
        }
        let summary = tally.summary("", true);
        assert_eq!(summary.money["COP"], Decimal::from(30));
        assert_eq!((summary.orders.placed, summary.orders.delivered, summary.orders.cancelled), (6, 2, 1));
    }

    #[test]
    fn half_of_the_orders_were_at_the_door_by_the_median() {
        let median = |hours: &[i64]| {
            let durations = hours.iter().map(|hour| SignedDuration::from_hours(*hour)).collect();
            Tally { durations, ..Tally::default() }.summary("", true).median_order_to_door_hours
        };
        assert_eq!((median(&[]), median(&[7])), (None, Some(7.0)));
        assert_eq!((median(&[9, 1, 2]), median(&[9, 1, 2, 5])), (Some(2.0), Some(3.5)));
    }
}
