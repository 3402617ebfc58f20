//! The week, step by step: an agenda of what people do and when, each step through the public API.

use std::{cmp::Reverse, collections::BinaryHeap};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::clock::wall_now;
use serde_json::{Value, json};

use super::{
    api::text,
    cast::Cast,
    plan::{Fate, PlannedOrder},
    returns::{Back, PlannedReturn, ReturnStep},
    time::Time,
};

/// What somebody does for one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Place,
    Pay,
    Cancel,
    Assign,
    Start,
    FailPickup,
    Collect,
    Depart,
    EnterCustoms,
    LeaveCustoms,
    GoOutForDelivery,
    FailDelivery,
    Deliver,
    Return,
    ComeBack(ReturnStep),
}

/// What will become of an order once it exists, whoever placed it.
#[derive(Debug, Clone)]
pub struct Part {
    pub reference: String,
    pub receiver: String,
    pub city: String,
    pub international: bool,
    pub cash_on_delivery: bool,
    pub fate: Fate,
    pub transit: SignedDuration,
    pub coming_back: Option<PlannedReturn>,
}

impl From<&PlannedOrder> for Part {
    fn from(order: &PlannedOrder) -> Self {
        Self {
            reference: order.reference.clone(),
            receiver: order.name.clone(),
            city: order.place.city.to_owned(),
            international: order.international,
            cash_on_delivery: order.cash_on_delivery,
            fate: order.fate,
            transit: order.transit,
            coming_back: order.coming_back.clone(),
        }
    }
}

/// An order on its way through the story.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub order_id: String,
    pub shipment_id: String,
    pub pickup_id: String,
    /// The driver who has the stop, as an index into the cast's.
    pub driver: usize,
    pub failed_pickups: usize,
    pub failed_deliveries: u64,
    pub back: Back,
}

/// Where an order stands that exists already, and what comes next, if it has not ended.
pub type Standing = (Told, Option<Step>);

/// Until when a story is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// What would happen later is left out.
    At(Timestamp),
    /// Every order comes to its end, in real time once simulated time has reached the present.
    Whole,
}

pub struct Story<'a> {
    pub(super) cast: &'a Cast,
    time: &'a Time,
    pub(super) begins: Timestamp,
    /// What the merchant will still place; empty in a story of orders that exist.
    planned: Vec<PlannedOrder>,
    pub(super) parts: Vec<Part>,
    pub(super) told: Vec<Told>,
    agenda: BinaryHeap<Reverse<(Timestamp, usize, Step)>>,
    pub(super) bar: ProgressBar,
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl<'a> Story<'a> {
    /// A week. Orders that were placed when it was broken off go on from where they stand; the others follow at
    /// the pace of the plan, the first of them at once.
    pub fn of_week(
        cast: &'a Cast,
        time: &'a Time,
        planned: Vec<PlannedOrder>,
        standing: Vec<Option<Standing>>,
        now: Timestamp,
        bar: ProgressBar,
    ) -> Self {
        let mut story = Self::empty(cast, time, now, bar);
        let is_new = standing.iter().all(Option::is_none);
        let missing = planned.iter().zip(&standing).filter(|(_, standing)| standing.is_none());
        let first = missing.map(|(order, _)| order.placed_after).min().filter(|_| !is_new);
        story.begins = now - first.unwrap_or_default();
        for (index, (order, standing)) in planned.iter().zip(standing).enumerate() {
            let placing = || (Told { driver: cast.turn(index), ..Told::default() }, Some(Step::Place));
            let at = if standing.is_some() { now } else { story.begins + order.placed_after };
            story.add(at, order.into(), standing.unwrap_or_else(placing));
        }
        story.planned = planned;
        story
    }

    /// A story of orders that exist already, each from where it stands.
    pub fn of_existing(
        cast: &'a Cast,
        time: &'a Time,
        orders: Vec<(Part, Standing)>,
        begins: Timestamp,
        bar: ProgressBar,
    ) -> Self {
        let mut story = Self::empty(cast, time, begins, bar);
        for (part, standing) in orders {
            story.add(begins, part, standing);
        }
        story
    }

    fn empty(cast: &'a Cast, time: &'a Time, begins: Timestamp, bar: ProgressBar) -> Self {
        let (planned, parts, told, agenda) = (Vec::new(), Vec::new(), Vec::new(), BinaryHeap::new());
        Self { cast, time, begins, planned, parts, told, agenda, bar }
    }

    pub(super) fn add(&mut self, at: Timestamp, part: Part, (told, step): Standing) {
        match step {
            Some(step) => self.next(at, self.parts.len(), step),
            None => self.finish(),
        }
        self.parts.push(part);
        self.told.push(told);
    }

    /// Plays the agenda; in real time all of it.
    pub async fn play(mut self, ending: Ending) -> Result<()> {
        let mut reached = Timestamp::MIN;
        while let Some(Reverse((at, index, step))) = self.agenda.pop() {
            if self.time.is_simulated() && matches!(ending, Ending::At(ends) if at > ends) {
                continue;
            }
            // Many things happen at one moment: it comes once.
            if at > reached {
                self.time.pass_until(at.min(wall_now())).await?;
                self.bar.set_message(at.strftime("%a %d %b %H:%M").to_string());
                reached = at;
            }
            self.perform(index, step, at)
                .await
                .with_context(|| format!("{step:?} of {}", self.parts[index].reference))?;
        }
        self.time.pass_to_the_present().await
    }

    pub(super) fn next(&mut self, at: Timestamp, index: usize, step: Step) {
        self.agenda.push(Reverse((at, index, step)));
    }

    async fn perform(&mut self, index: usize, step: Step, at: Timestamp) -> Result<()> {
        match step {
            Step::Place => self.place(index, at).await,
            Step::Pay => self.pay(index, at).await,
            Step::Cancel => self.cancel(index).await,
            Step::Assign => self.assign(index, at).await,
            Step::Start => self.start(index, at).await,
            Step::FailPickup => self.fail_pickup(index, at).await,
            Step::Collect => self.collect(index, at).await,
            Step::Depart => self.depart(index, at).await,
            Step::EnterCustoms => self.enter_customs(index, at).await,
            Step::LeaveCustoms => self.leave_customs(index, at).await,
            Step::GoOutForDelivery => self.go_out_for_delivery(index, at).await,
            Step::FailDelivery => self.fail_delivery(index, at).await,
            Step::Deliver => self.deliver(index, at).await,
            Step::Return => self.give_back(index).await,
            Step::ComeBack(step) => self.come_back(index, step, at).await,
        }
    }

    async fn give_back(&self, index: usize) -> Result<()> {
        self.scan(index, json!({"kind": "returned", "place": "Bogotá"})).await?;
        self.end(index, "returned_to_sender").await
    }

    fn finish(&self) {
        self.bar.inc(1);
    }

    /// The order itself hears of its end by events; a simulated clock waits for them anyway.
    async fn end(&self, index: usize, status: &str) -> Result<()> {
        if !self.time.is_simulated() {
            let path = format!("/api/v1/orders/{}", self.told[index].order_id);
            let what = format!("the word that it is {status}");
            self.cast.merchant.get_until(&path, &what, |order| order["status"] == status).await?;
        }
        self.finish();
        Ok(())
    }

    async fn place(&mut self, index: usize, at: Timestamp) -> Result<()> {
        let body = self.cast.order(&self.planned[index], !self.time.is_simulated());
        let order = self.cast.merchant.post("/api/v1/orders", &body).await?;
        self.told[index].order_id = text(&order, "id")?;
        let next = if self.parts[index].cash_on_delivery { Step::Assign } else { Step::Pay };
        self.next(at + MINUTE * 3, index, next);
        Ok(())
    }

    async fn pay(&mut self, index: usize, at: Timestamp) -> Result<()> {
        let id = self.told[index].order_id.clone();
        let order = self.cast.merchant.get(&format!("/api/v1/orders/{id}")).await?;
        let body = json!({"amount": order["totals"]["total"], "reference": format!("PSE-{}", self.parts[index].reference)});
        self.cast.merchant.post(&format!("/api/v1/orders/{id}/payments"), &body).await?;
        self.next(at + MINUTE, index, Step::Assign);
        Ok(())
    }

    async fn cancel(&mut self, index: usize) -> Result<()> {
        let id = &self.told[index].order_id;
        self.cast
            .merchant
            .post(&format!("/api/v1/orders/{id}/cancel"), &json!({"reason": "el cliente se arrepintió"}))
            .await?;
        self.end(index, "cancelled").await
    }

    /// The dispatcher gives the stop to the driver whose turn it is.
    async fn assign(&mut self, index: usize, at: Timestamp) -> Result<()> {
        if self.told[index].pickup_id.is_empty() && !self.is_booked(index).await? {
            self.finish();
            return Ok(());
        }
        if self.parts[index].fate == Fate::Cancelled {
            self.next(at + MINUTE * 2, index, Step::Cancel);
            return Ok(());
        }
        self.assign_pickup(index, at).await
    }

    /// Waits for the bookings of the order, which a hold may keep from coming.
    async fn is_booked(&mut self, index: usize) -> Result<bool> {
        let id = self.told[index].order_id.clone();
        let booked = self
            .cast
            .merchant
            .get_until(&format!("/api/v1/orders/{id}"), "the bookings of the order", |order| {
                order["status"] == "processing" || !order["on_hold"].is_null()
            })
            .await?;
        if booked["status"] != "processing" {
            tracing::warn!(order = id, hold = %booked["on_hold"], "the order is on hold");
            return Ok(false);
        }
        self.told[index].pickup_id = text(&booked, "pickup_id")?;
        self.told[index].shipment_id = text(&booked, "shipment_id")?;
        Ok(true)
    }

    async fn assign_pickup(&mut self, index: usize, at: Timestamp) -> Result<()> {
        let path = format!("/api/v1/pickups/{}", self.told[index].pickup_id);
        let driver = &self.cast.drivers[self.told[index].driver];
        self.cast.dispatcher.post(&format!("{path}/assign"), &json!({"driver_id": driver.id})).await?;
        let pickup = self.cast.dispatcher.get(&path).await?;
        let window: Timestamp = text(&pickup["window"], "start")?.parse()?;
        self.next(window.max(at + MINUTE), index, Step::Start);
        Ok(())
    }

    async fn start(&mut self, index: usize, at: Timestamp) -> Result<()> {
        self.drive(index, "start", &json!({})).await?;
        let fails = self.told[index].failed_pickups < self.parts[index].fate.failed_pickups();
        self.next(at + MINUTE * 18, index, if fails { Step::FailPickup } else { Step::Collect });
        Ok(())
    }

    async fn fail_pickup(&mut self, index: usize, at: Timestamp) -> Result<()> {
        self.drive(index, "arrive", &json!({})).await?;
        self.drive(index, "fail", &json!({"code": "NOT_READY", "detail": "el paquete no estaba listo"}))
            .await?;
        self.told[index].failed_pickups += 1;
        self.assign_pickup(index, at).await
    }

    async fn collect(&mut self, index: usize, at: Timestamp) -> Result<()> {
        self.drive(index, "arrive", &json!({})).await?;
        let pickup =
            self.cast.dispatcher.get(&format!("/api/v1/pickups/{}", self.told[index].pickup_id)).await?;
        let parcels = pickup["parcels"].as_array().map_or(0, Vec::len);
        self.drive(index, "complete", &json!({"parcel_count": parcels, "handed_over_by": "Bodega"})).await?;
        self.next(at + MINUTE * 150, index, Step::Depart);
        Ok(())
    }

    async fn drive(&self, index: usize, verb: &str, body: &Value) -> Result<()> {
        let pickup = &self.told[index].pickup_id;
        let driver = &self.cast.drivers[self.told[index].driver];
        driver.session.post(&format!("/api/v1/pickups/{pickup}/{verb}"), body).await?;
        Ok(())
    }

    async fn depart(&mut self, index: usize, at: Timestamp) -> Result<()> {
        if !self.time.is_simulated() {
            let path = format!("/api/v1/shipments/{}", self.told[index].shipment_id);
            self.cast
                .dispatcher
                .get_until(&path, "the word that the parcel was collected", |shipment| {
                    shipment["status"] != "booked"
                })
                .await?;
        }
        self.scan(index, json!({"kind": "departed", "place": "Centro de clasificación Bogotá"})).await?;
        let Part { transit, international, .. } = self.parts[index];
        if international {
            self.next(at + transit / 3, index, Step::EnterCustoms);
        } else {
            self.next(at + transit, index, Step::GoOutForDelivery);
        }
        Ok(())
    }

    async fn enter_customs(&mut self, index: usize, at: Timestamp) -> Result<()> {
        self.scan(index, json!({"kind": "customs_hold", "detail": "inspección documental"})).await?;
        self.next(at + self.parts[index].transit / 6, index, Step::LeaveCustoms);
        Ok(())
    }

    async fn leave_customs(&mut self, index: usize, at: Timestamp) -> Result<()> {
        self.scan(index, json!({"kind": "customs_released"})).await?;
        self.next(at + self.parts[index].transit / 2, index, Step::GoOutForDelivery);
        Ok(())
    }

    async fn go_out_for_delivery(&mut self, index: usize, at: Timestamp) -> Result<()> {
        let place = self.parts[index].city.clone();
        self.scan(index, json!({"kind": "out_for_delivery", "place": place})).await?;
        let fails = self.told[index].failed_deliveries < self.parts[index].fate.failed_deliveries();
        self.next(at + MINUTE * 95, index, if fails { Step::FailDelivery } else { Step::Deliver });
        Ok(())
    }

    async fn fail_delivery(&mut self, index: usize, at: Timestamp) -> Result<()> {
        self.scan(index, json!({"kind": "delivery_failed", "detail": "nadie en casa"})).await?;
        self.told[index].failed_deliveries += 1;
        if self.told[index].failed_deliveries < 3 {
            self.next(at + MINUTE * 60 * 4, index, Step::GoOutForDelivery);
        } else {
            // The third failure makes it undeliverable by itself; the parcel goes home.
            self.next(at + MINUTE * 60 * 6, index, Step::Return);
        }
        Ok(())
    }

    async fn deliver(&mut self, index: usize, at: Timestamp) -> Result<()> {
        let shipment =
            self.cast.dispatcher.get(&format!("/api/v1/shipments/{}", self.told[index].shipment_id)).await?;
        let part = &self.parts[index];
        let mut body = json!({"kind": "delivered", "place": part.city, "proof": {"kind": "signature", "received_by": part.receiver}});
        if !shipment["cash_on_delivery"].is_null() {
            body["cash_collected"] = shipment["cash_on_delivery"].clone();
        }
        self.scan(index, body).await?;
        self.may_come_back(index, at);
        self.end(index, "delivered").await
    }

    async fn scan(&self, index: usize, body: Value) -> Result<()> {
        let shipment = &self.told[index].shipment_id;
        self.cast.drivers[self.told[index].driver]
            .session
            .post(&format!("/api/v1/shipments/{shipment}/events"), &body)
            .await?;
        Ok(())
    }
}
