//! A return, step by step: who asks, who brings it, who looks at it, who decides and who pays are different people.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::plan::{Course, PlannedReturn, RECALL, WayBack};
use crate::demo::{
    api::text,
    delivery,
    plan::Fate,
    standing,
    story::{Step, Story},
};

/// What somebody does for a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReturnStep {
    Ask,
    Decide,
    /// A driver or a label was promised.
    Book,
    Start,
    Collect,
    HandIn,
    Depart,
    Arrive,
    Receive,
    Inspect,
    Dispute,
    InspectAgain,
    Process,
    Settle,
    /// The replacement goes its own way.
    Replace,
    Realise,
}

/// A return on its way through the story.
#[derive(Debug, Clone, Default)]
pub struct Back {
    pub return_id: String,
    /// The driver who has the way back, as an index into the cast's.
    pub driver: usize,
    /// The pickup or the shipment.
    pub booking: String,
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Deliveries of before there were returns told too little.
const OLDER_WEEK: &str = "a week that an earlier version played cannot go on; play one in another folder (`make run DATA=…`, `--data`)";

impl Story<'_> {
    /// After a delivery: asks for the return, if one is planned.
    pub(in crate::demo) fn may_come_back(&mut self, index: usize, at: Timestamp) {
        let Some(planned) = &self.parts[index].coming_back else { return };
        let asks = at + planned.after;
        let asks = if planned.recall { asks.max(self.begins + RECALL) } else { asks };
        self.then(asks, index, ReturnStep::Ask);
    }

    pub(in crate::demo) async fn come_back(
        &mut self,
        index: usize,
        step: ReturnStep,
        at: Timestamp,
    ) -> Result<()> {
        let planned = self.parts[index].coming_back.clone().context("a return is planned")?;
        match step {
            ReturnStep::Ask => self.ask(index, &planned, at).await,
            ReturnStep::Decide => self.decide(index, &planned, at).await,
            ReturnStep::Book => self.book(index, planned.way_back, at).await,
            ReturnStep::Start => {
                self.drive_back(index, "start", &json!({})).await?;
                self.then(at + MINUTE * 20, index, ReturnStep::Collect);
                Ok(())
            }
            ReturnStep::Collect => self.collect_back(index, at).await,
            ReturnStep::HandIn => {
                let scan = json!({"kind": "scan", "place": self.parts[index].city});
                self.scan_back(index, scan, at + HOUR * 2, ReturnStep::Depart).await
            }
            ReturnStep::Depart => {
                let scan = json!({"kind": "departed", "place": self.parts[index].city});
                self.scan_back(index, scan, at + planned.transit, ReturnStep::Arrive).await
            }
            ReturnStep::Arrive => {
                let scan = json!({"kind": "delivered", "place": "Bogotá", "proof": {"kind": "signature", "received_by": "Bodega"}});
                self.scan_back(index, scan, at + HOUR, ReturnStep::Receive).await
            }
            ReturnStep::Receive => self.receive(index, &planned, at).await,
            ReturnStep::Inspect => {
                let claim = if planned.course == Course::Disputed { "refused" } else { "confirmed" };
                self.inspect(index, &planned, claim, at).await
            }
            ReturnStep::Dispute => {
                let reason = json!({"reason": "la foto de la tienda muestra otro color"});
                self.cast.merchant.post(&self.path(index, "/dispute"), &reason).await?;
                self.then(at + HOUR * 3, index, ReturnStep::InspectAgain);
                Ok(())
            }
            ReturnStep::InspectAgain => self.inspect(index, &planned, "confirmed", at).await,
            ReturnStep::Process => {
                self.cast.clerk.post(&self.path(index, "/process"), &json!({})).await?;
                self.then(at + HOUR * 3, index, ReturnStep::Settle);
                Ok(())
            }
            ReturnStep::Settle => self.settle(index, &planned, at).await,
            ReturnStep::Replace => self.replace(index, &planned, at).await,
            ReturnStep::Realise => self.realise(index, &planned).await,
        }
    }

    fn then(&mut self, at: Timestamp, index: usize, step: ReturnStep) {
        self.next(at, index, Step::ComeBack(step));
    }

    fn path(&self, index: usize, verb: &str) -> String {
        format!("/api/v1/returns/{}{verb}", self.told[index].back.return_id)
    }

    async fn ask(&mut self, index: usize, planned: &PlannedReturn, at: Timestamp) -> Result<()> {
        let units = planned.found.len();
        let mut body = json!({
            "order_id": self.told[index].order_id, "kind": "return", "resolution": "refund", "way_back": planned.way_back.as_str(),
            "lines": [{"line": planned.line, "quantity": units, "reason": planned.reason}],
        });
        if planned.course == Course::Exchanged {
            let order =
                self.cast.merchant.get(&format!("/api/v1/orders/{}", self.told[index].order_id)).await?;
            let line = &order["lines"][planned.line as usize - 1];
            body["kind"] = "exchange".into();
            body["resolution"] = "exchange".into();
            body["exchange"] = json!([{"product_id": line["product_id"], "quantity": units}]);
        }
        // The word of the delivery may still be on its way to Returns.
        let asked = if planned.recall {
            self.recall(index, planned).await?
        } else {
            self.cast.merchant.post_despite("/api/v1/returns", &body, "NOT_DELIVERED", OLDER_WEEK).await?
        };
        self.told[index].back.return_id = text(&asked, "id")?;
        if asked["status"] == "requested" {
            self.then(at + MINUTE * 90, index, ReturnStep::Decide);
        } else {
            self.travel(index, planned.way_back, at);
        }
        Ok(())
    }

    /// The merchant calls the product back from everybody who has it, once more for those whom it reached since; the
    /// return that this opened for the order.
    async fn recall(&self, index: usize, planned: &PlannedReturn) -> Result<Value> {
        let merchant = &self.cast.merchant;
        let order_id = &self.told[index].order_id;
        let opened = format!("/api/v1/returns?order_id={order_id}&limit=1");
        if let Some(known) = merchant.get(&opened).await?["items"].get(0) {
            return Ok(known.clone());
        }
        let line = json!({"line": planned.line, "quantity": planned.found.len(), "reason": planned.reason});
        let check = json!({"order_id": order_id, "resolution": "refund", "lines": [line]});
        merchant.post_despite("/api/v1/returns/check", &check, "NOT_DELIVERED", OLDER_WEEK).await?;
        let order = merchant.get(&format!("/api/v1/orders/{order_id}")).await?;
        let recall = json!({
            "product_id": order["lines"][planned.line as usize - 1]["product_id"], "reason": planned.reason,
            "resolution": "refund", "way_back": planned.way_back.as_str(), "notes": "retiro del producto",
        });
        let recall = merchant.post("/api/v1/recalls", &recall).await?;
        let path = format!("/api/v1/recalls/{}", text(&recall, "id")?);
        merchant.get_until(&path, "the end of the recall", |of| of["status"] == "done").await?;
        merchant.get(&opened).await?["items"].get(0).cloned().context("the recall opens the order's return")
    }

    async fn decide(&mut self, index: usize, planned: &PlannedReturn, at: Timestamp) -> Result<()> {
        if planned.course == Course::Rejected {
            let reason = json!({"reason": "el producto llegó como se describió, y el empaque ya no está"});
            self.cast.merchant.put(&self.path(index, "/reject"), &reason).await?;
            return Ok(());
        }
        let note = json!({"note": "buena clienta"});
        self.cast.merchant.put(&self.path(index, "/approve"), &note).await?;
        self.travel(index, planned.way_back, at);
        Ok(())
    }

    fn travel(&mut self, index: usize, way_back: WayBack, at: Timestamp) {
        match way_back {
            WayBack::DropOff => self.then(at + HOUR * 5, index, ReturnStep::Receive),
            WayBack::Pickup | WayBack::Label => self.then(at + MINUTE, index, ReturnStep::Book),
        }
    }

    /// Waits for the answer of Pickup or Shipping, which may be that nobody comes: then a person has to look.
    async fn book(&mut self, index: usize, way_back: WayBack, at: Timestamp) -> Result<()> {
        let is_answered = |of: &Value| of["status"] != "approved" || !of["attention"].is_null();
        let path = self.path(index, "");
        let of = self.cast.merchant.get_until(&path, "the way back of the return", is_answered).await?;
        if of["status"] == "approved" {
            tracing::warn!(of = path, attention = %of["attention"], "nobody brings the return");
            return Ok(());
        }
        if way_back == WayBack::Label {
            self.told[index].back.booking = text(&of["booking"], "shipment_id")?;
            self.then(at + HOUR * 3, index, ReturnStep::HandIn);
            return Ok(());
        }
        self.told[index].back.booking = text(&of["booking"], "pickup_id")?;
        let path = format!("/api/v1/pickups/{}", self.told[index].back.booking);
        let driver = &self.cast.drivers[self.told[index].back.driver];
        self.cast.dispatcher.post(&format!("{path}/assign"), &json!({"driver_id": driver.id})).await?;
        let window: Timestamp = text(&of["booking"], "window_start")?.parse()?;
        self.then(window.max(at + MINUTE), index, ReturnStep::Start);
        Ok(())
    }

    async fn drive_back(&self, index: usize, verb: &str, body: &Value) -> Result<()> {
        let back = &self.told[index].back;
        let path = format!("/api/v1/pickups/{}/{verb}", back.booking);
        self.cast.drivers[back.driver].session.post(&path, body).await?;
        Ok(())
    }

    async fn collect_back(&mut self, index: usize, at: Timestamp) -> Result<()> {
        self.drive_back(index, "arrive", &json!({})).await?;
        let pickup =
            self.cast.dispatcher.get(&format!("/api/v1/pickups/{}", self.told[index].back.booking)).await?;
        let parcels = pickup["parcels"].as_array().map_or(0, Vec::len);
        let handed_over =
            json!({"parcel_count": parcels, "handed_over_by": self.parts[index].receiver.clone()});
        self.drive_back(index, "complete", &handed_over).await?;
        self.then(at + HOUR * 3, index, ReturnStep::Receive);
        Ok(())
    }

    async fn scan_back(
        &mut self,
        index: usize,
        scan: Value,
        next: Timestamp,
        step: ReturnStep,
    ) -> Result<()> {
        let back = &self.told[index].back;
        let path = format!("/api/v1/shipments/{}/events", back.booking);
        self.cast.drivers[back.driver].session.post(&path, &scan).await?;
        self.then(next, index, step);
        Ok(())
    }

    /// Not before Returns knows that somebody has brought it, or it would call them off.
    async fn receive(&mut self, index: usize, planned: &PlannedReturn, at: Timestamp) -> Result<()> {
        let brought = match planned.way_back {
            WayBack::Pickup => "picked_up_at",
            WayBack::Label => "arrived_at",
            WayBack::DropOff => "approval",
        };
        let what = "the word that the goods were brought";
        let path = self.path(index, "");
        self.cast.merchant.get_until(&path, what, |of| !of[brought].is_null()).await?;
        let body = json!({"lines": [{"line": planned.line, "quantity": planned.found.len()}]});
        self.cast.clerk.post(&self.path(index, "/receive"), &body).await?;
        self.then(at + HOUR * 2, index, ReturnStep::Inspect);
        Ok(())
    }

    /// What the clerk refused, and the buyer objected to, somebody else looks at.
    async fn inspect(
        &mut self,
        index: usize,
        planned: &PlannedReturn,
        claim: &str,
        at: Timestamp,
    ) -> Result<()> {
        let again = planned.course == Course::Disputed && claim != "refused";
        let unit = |(unit, found): (usize, &super::plan::Found)| {
            json!({"line": planned.line, "unit": unit, "condition": found.condition, "working": found.working,
                "complete": found.complete, "claim": claim})
        };
        let units: Vec<Value> = (1..).zip(&planned.found).map(unit).collect();
        let inspector = if again { &self.cast.dispatcher } else { &self.cast.clerk };
        inspector.post(&self.path(index, "/inspection"), &json!({"units": units})).await?;
        if claim == "refused" {
            self.then(at + HOUR * 2, index, ReturnStep::Dispute);
        } else {
            self.then(at + HOUR, index, ReturnStep::Process);
        }
        Ok(())
    }

    /// Pays, unless nothing is owed; an exchange is placed by itself, and what it leaves of the credit is paid.
    async fn settle(&mut self, index: usize, planned: &PlannedReturn, at: Timestamp) -> Result<()> {
        let path = self.path(index, "");
        let is_exchange = planned.course == Course::Exchanged;
        let is_placed =
            |of: &Value| !is_exchange || of["status"] != "processed" || !of["attention"].is_null();
        let of = self.cast.merchant.get_until(&path, "the replacement", is_placed).await?;
        if of["status"] != "closed" {
            let body =
                json!({"method": "original", "reference": format!("DEV-{}", self.parts[index].reference)});
            self.cast.finance.post(&self.path(index, "/refund"), &body).await?;
        }
        if !of["settlement"]["exchange_order_id"].is_null() {
            self.then(at + MINUTE, index, ReturnStep::Replace);
        } else if planned.realised_percent.is_some() {
            self.then(at + HOUR * 4, index, ReturnStep::Realise);
        }
        Ok(())
    }

    /// The order that replaces the goods is delivered like any other.
    async fn replace(&mut self, index: usize, planned: &PlannedReturn, at: Timestamp) -> Result<()> {
        let of = self.cast.merchant.get(&self.path(index, "")).await?;
        let replacement = text(&of["settlement"], "exchange_order_id")?;
        let order = self.cast.merchant.get(&format!("/api/v1/orders/{replacement}")).await?;
        let standing = standing::of(self.cast, &order, Fate::Delivered, self.parts.len()).await?;
        self.bar.inc_length(1);
        self.add(at, delivery::part(&order)?, standing);
        if planned.realised_percent.is_some() {
            self.then(at + HOUR * 4, index, ReturnStep::Realise);
        }
        Ok(())
    }

    /// Tells what the units brought, where it is known.
    async fn realise(&mut self, index: usize, planned: &PlannedReturn) -> Result<()> {
        let Some(percent) = planned.realised_percent else { return Ok(()) };
        let path = format!("/api/v1/dispositions?return_id={}&limit=100", self.told[index].back.return_id);
        let units = self.cast.finance.get(&path).await?;
        for unit in units["items"].as_array().context("a list of dispositions")? {
            if unit["realised"].is_null() {
                let mut realised = unit["estimated"].clone();
                let amount: rust_decimal::Decimal = text(&realised, "amount")?.parse()?;
                let brought = amount * rust_decimal::Decimal::new(percent.into(), 2);
                realised["amount"] = format!("{:.2}", brought.round_dp(2)).into();
                let path = format!("/api/v1/dispositions/{}", text(unit, "id")?);
                self.cast.finance.patch(&path, &json!({"realised": realised})).await?;
            }
        }
        Ok(())
    }
}
