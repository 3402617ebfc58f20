//! What came back in the week, and what that came to.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use crate::demo::{api::text, cast::Cast, summary::moment};

/// What the goods are worth to the merchant.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Recovery {
    pub units: u64,
    pub estimated: Decimal,
    /// Of the units whose value is known by now.
    pub realised_units: u64,
    pub realised: Decimal,
    pub estimated_of_realised: Decimal,
}

/// One moment of an order and its return.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    pub at: Timestamp,
    /// `order`, `pickup`, `shipping` or `return`.
    pub of: String,
    pub what: String,
    #[serde(skip)]
    said: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Returns {
    pub asked: u64,
    pub by_status: BTreeMap<String, u64>,
    /// As the buyers said, the units of a recall among the defective ones.
    pub by_reason: BTreeMap<String, u64>,
    pub exchanged: u64,
    pub disputed: u64,
    /// Paid back, by currency.
    pub refunds: BTreeMap<String, Decimal>,
    pub recovery: BTreeMap<String, Recovery>,
    pub waste_diverted_kg: f64,
    pub return_leg_kg_co2e: f64,
    pub avoided_kg_co2e: f64,
    /// One return, joined to its order's way.
    pub timeline: Vec<Moment>,
    #[serde(skip)]
    story: Option<String>,
}

/// All of time: the summary is of everything that the merchant's buyers sent back.
const SPAN: &str = "from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z";

/// Reads every return of the merchant and sums it up.
pub async fn of(cast: &Cast) -> Result<Returns> {
    let mut returns = Returns::default();
    let mut best: Option<(usize, Value)> = None;
    let mut cursor = String::new();
    loop {
        let page = cast.merchant.get(&format!("/api/v1/returns?limit=100{cursor}")).await?;
        for of in page["items"].as_array().context("a list of returns")? {
            returns.count(of)?;
            let rank = eventfulness(of);
            if best.as_ref().is_none_or(|(known, _)| rank > *known) {
                best = Some((rank, of.clone()));
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let analytics = cast.merchant.get(&format!("/api/v1/returns/analytics?{SPAN}")).await?;
    returns.recovery = recovery(&analytics)?;
    let impact = cast.merchant.get(&format!("/api/v1/returns/environmental-impact?{SPAN}")).await?;
    returns.waste_diverted_kg = kilograms(&impact, "waste_diverted_grams");
    returns.return_leg_kg_co2e = kilograms(&impact, "return_leg_g_co2e");
    returns.avoided_kg_co2e = kilograms(&impact, "avoided_g_co2e");
    if let Some((_, of)) = best {
        returns.timeline = timeline(cast, &of).await?;
        returns.story = Some(format!("return {} of order {}", text(&of, "id")?, text(&of, "order_id")?));
    }
    Ok(returns)
}

/// Who was paid makes a better story than who still waits, and who was visited than who came by.
fn eventfulness(of: &Value) -> usize {
    let brought = match of["way_back"].as_str() {
        Some("pickup") => 2,
        Some("label") => 1,
        _ => 0,
    };
    let is_closed = of["status"] == "closed";
    8 * usize::from(is_closed) + 4 * usize::from(!of["settlement"]["refunded"].is_null()) + brought
}

fn kilograms(impact: &Value, name: &str) -> f64 {
    impact[name].as_f64().unwrap_or_default() / 1000.0
}

fn amount(money: &Value) -> Result<Decimal> {
    Ok(text(money, "amount")?.parse()?)
}

fn recovery(analytics: &Value) -> Result<BTreeMap<String, Recovery>> {
    let line = |of: &Value| {
        let recovery = Recovery {
            units: of["units"].as_u64().unwrap_or_default(),
            estimated: amount(&of["estimated"])?,
            realised_units: of["realised_units"].as_u64().unwrap_or_default(),
            realised: amount(&of["realised"])?,
            estimated_of_realised: amount(&of["estimated_of_realised"])?,
        };
        Ok((text(&of["estimated"], "currency")?, recovery))
    };
    analytics["recovery"].as_array().context("a list of currencies")?.iter().map(line).collect()
}

/// The order's way and the return's steps, by time. What Returns told the order is there as the return's own steps.
async fn timeline(cast: &Cast, of: &Value) -> Result<Vec<Moment>> {
    let order =
        cast.merchant.get(&format!("/api/v1/orders/{}/timeline?limit=100", text(of, "order_id")?)).await?;
    let tracking = cast.merchant.get(&format!("/api/v1/returns/{}/tracking", text(of, "id")?)).await?;
    let mut moments = Vec::new();
    for entry in order["items"].as_array().context("a timeline")? {
        if entry["source"] != "returns" {
            let at = moment(entry, "at").context("a time")?;
            let said = ["text", "place"].map(|name| entry[name].as_str().unwrap_or_default());
            let said = said.join(" ").trim_end().to_owned();
            moments.push(Moment { at, of: text(entry, "source")?, what: text(entry, "code")?, said });
        }
    }
    for step in tracking["steps"].as_array().context("the steps of a return")? {
        let at = moment(step, "at").context("a time")?;
        let what = text(step, "step")?;
        moments.push(Moment { at, of: "return".to_owned(), what, said: String::new() });
    }
    // At one moment the return comes first: what the order says then follows from it.
    moments.sort_by_key(|of| (of.at, of.of != "return"));
    Ok(moments)
}

impl Returns {
    fn count(&mut self, of: &Value) -> Result<()> {
        self.asked += 1;
        *self.by_status.entry(text(of, "status")?).or_default() += 1;
        for line in of["lines"].as_array().context("the lines of a return")? {
            *self.by_reason.entry(text(line, "reason")?).or_default() += 1;
        }
        self.exchanged += u64::from(!of["settlement"]["exchange_order_id"].is_null());
        self.disputed += u64::from(!of["dispute"].is_null());
        let refunded = &of["settlement"]["refunded"];
        if !refunded.is_null() {
            *self.refunds.entry(text(refunded, "currency")?).or_default() += amount(refunded)?;
        }
        Ok(())
    }

    /// One return's way, for people.
    pub fn story(&self) -> Vec<String> {
        let line = |of: &Moment| {
            let (at, what) = (of.at.strftime("%a %H:%M"), of.what.replace('_', " "));
            format!("{at}  {:<9} {what:<22} {}", of.of, of.said).trim_end().to_owned()
        };
        self.story.iter().cloned().chain(self.timeline.iter().map(line)).collect()
    }
}

impl fmt::Display for Returns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |counts: &BTreeMap<String, u64>| {
            let words = counts.iter().map(|(of, count)| format!("{count} {}", of.replace('_', " ")));
            words.collect::<Vec<_>>().join(", ")
        };
        writeln!(
            f,
            "  returns     {} asked for, {} exchanged, {} disputed",
            self.asked, self.exchanged, self.disputed
        )?;
        if self.asked == 0 {
            return Ok(());
        }
        writeln!(f, "              {}", joined(&self.by_reason))?;
        writeln!(f, "              {}", joined(&self.by_status))?;
        for (currency, amount) in &self.refunds {
            writeln!(f, "  paid back   {amount} {currency}")?;
        }
        for (currency, of) in &self.recovery {
            writeln!(f, "  recovery    {} {currency} estimated of {} units", of.estimated, of.units)?;
            if of.realised_units > 0 {
                writeln!(
                    f,
                    "              {} {currency} realised of {} of them, {} estimated",
                    of.realised, of.realised_units, of.estimated_of_realised
                )?;
            }
        }
        writeln!(
            f,
            "  climate     {:.1} kg of waste diverted, {:.1} kg CO2e on the way back, {:.1} kg CO2e avoided",
            self.waste_diverted_kg, self.return_leg_kg_co2e, self.avoided_kg_co2e
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_paid_is_summed_by_currency_and_what_was_exchanged_is_not_paid() {
        let cop = |amount: &str| json!({"amount": amount, "currency": "COP"});
        let of = |settlement: Value| json!({"status": "closed", "dispute": null, "lines": [{"reason": "size"}], "settlement": settlement});
        let mut returns = Returns::default();
        returns.count(&of(json!({"refunded": cop("10.50"), "exchange_order_id": null}))).unwrap();
        returns.count(&of(json!({"refunded": cop("5.25"), "exchange_order_id": null}))).unwrap();
        returns.count(&of(json!({"refunded": null, "exchange_order_id": "ORD-1"}))).unwrap();
        returns.count(&of(Value::Null)).unwrap();
        assert_eq!(returns.refunds["COP"], Decimal::new(1575, 2));
        assert_eq!((returns.asked, returns.exchanged, returns.by_status["closed"]), (4, 1, 4));
        assert_eq!(returns.by_reason["size"], 4);
    }
}
