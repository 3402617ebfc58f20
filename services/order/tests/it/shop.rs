//! A merchant who may order, with something to sell, and the two services that carry an order.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use quenty_contracts::{
    customer::{CompanyApproved, Standing},
    pickup::{PickupCompleted, PickupFailed, PickupRejected, PickupRescheduled, PickupScheduled},
    shipping::{
        ShipmentBooked, ShipmentDelivered, ShipmentDeparted, ShipmentOutForDelivery, ShipmentPickedUp,
    },
};
use quenty_kernel::{
    Event,
    currency::Currency,
    id::{CompanyId, OrderId, PickupId, ServiceAreaId, ShipmentId},
    money::Money,
};
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, TestOptions, eventually, http::Answer};
use serde_json::{Value, json};

use crate::merchant::Merchant;

pub fn start() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

/// A service whose business time stands still until it is advanced.
pub async fn standing_still() -> TestApp {
    TestApp::start_with(
        quenty_order::service(),
        TestOptions { starts_at: Some(start()), ..TestOptions::default() },
    )
    .await
}

pub fn standing(company_id: CompanyId) -> Standing {
    Standing {
        company_id,
        version: 1,
        status: "active".to_owned(),
        may_order: true,
        may_ship_internationally: false,
        currency: Currency::COP,
        time_zone: "America/Bogota".to_owned(),
        payment_terms_days: 0,
        credit_limit: None,
        trade_name: "Tienda Sol".to_owned(),
    }
}

pub struct Shop<'a> {
    pub merchant: Merchant<'a>,
    pub product: String,
    pub warehouse: String,
}

impl<'a> Shop<'a> {
    /// An active company with a hundred pieces of one product.
    pub async fn open(app: &'a TestApp) -> Self {
        let merchant = Merchant::new(app);
        hear_standing(app, standing(merchant.company)).await;
        let warehouse = merchant.warehouse("Centro").await;
        let product = merchant.product("CAM-1", json!({})).await;
        merchant.receive(&product, &warehouse, 100).await;
        Self { merchant, product, warehouse }
    }

    /// Two pieces, cash on delivery, and what the test wants otherwise.
    pub fn order(&self, more: Value) -> Value {
        order(&self.product, more)
    }

    pub async fn try_place(&self, more: Value) -> Answer {
        self.merchant.post("/api/v1/orders", self.order(more)).await
    }

    pub async fn place(&self, more: Value) -> OrderId {
        let placed = self.try_place(more).await.expect(201).json();
        placed["id"].as_str().unwrap().parse().unwrap()
    }

    pub async fn get(&self, id: OrderId) -> Value {
        self.merchant.get(&format!("/api/v1/orders/{id}")).await.expect(200).json()
    }

    pub async fn status(&self, id: OrderId) -> String {
        self.get(id).await["status"].as_str().unwrap().to_owned()
    }

    pub async fn fulfilment(&self, id: OrderId) -> Value {
        self.merchant.get(&format!("/api/v1/orders/{id}/fulfilment")).await.expect(200).json()
    }

    pub async fn act(&self, id: OrderId, verb: &str, body: Value) -> Answer {
        self.merchant.post(&format!("/api/v1/orders/{id}/{verb}"), body).await
    }

    pub async fn cancel(&self, id: OrderId) -> Answer {
        self.act(id, "cancel", json!({"reason": "the buyer changed their mind"})).await
    }

    pub async fn set_status(&self, id: OrderId, status: &str) -> Answer {
        let staff = self.merchant.app.token(Realm::Staff, None, &["orders:*"]);
        let body = json!({"status": status, "reason": "by telephone"});
        self.merchant.app.put(&format!("/api/v1/orders/{id}/status")).token(&staff).json(&body).send().await
    }

    /// `(on_hand, reserved, available)` of the product.
    pub async fn stock(&self) -> (i64, i64, i64) {
        self.merchant.stock(&self.product, &self.warehouse).await
    }

    /// The last words of the order's facts.
    pub async fn facts(&self, id: OrderId) -> Vec<String> {
        let facts = self.merchant.app.facts(id).await;
        facts.iter().map(|fact| fact.kind.split('.').nth(3).unwrap().to_owned()).collect()
    }

    pub async fn count_facts(&self, id: OrderId, what: &str) -> usize {
        self.facts(id).await.iter().filter(|fact| *fact == what).count()
    }

    /// Waits until the order is on hold for this reason.
    pub async fn held(&self, id: OrderId, code: &str) {
        eventually(code, || async { (self.get(id).await["on_hold"]["code"] == code).then_some(()) }).await;
    }

    /// Moves business time to the saga's deadline.
    pub async fn let_the_deadline_pass(&self, id: OrderId) {
        let deadline: Timestamp =
            self.fulfilment(id).await["deadline"].as_str().expect("a deadline").parse().unwrap();
        self.merchant.app.advance_to(deadline);
    }

    /// Folding the facts gives the row, chains are whole, nothing is dead, nothing waits in vain.
    pub async fn assert_sound(&self, id: OrderId) {
        let app = self.merchant.app;
        let row = self.get(id).await;
        let folded = self
            .merchant
            .get(&format!("/api/v1/orders/{id}?as_of=2999-01-01T00:00:00Z"))
            .await
            .expect(200)
            .json();
        assert_eq!(folded, row, "the fold of the facts is the row");
        crate::merchant::assert_stock_is_its_ledger(app).await;
        let (waiting, deadlines): (i64, i64) = sqlx::query_as(
            "select (select count(*) from quenty.tasks where kind = 'order_deadline' and status = 'ready'),
                    (select count(*) from fulfilments where deadline is not null)",
        )
        .fetch_one(app.app.db())
        .await
        .unwrap();
        assert_eq!(waiting, deadlines, "a deadline that was met or moved has no task");
        app.assert_sound().await;
    }
}

pub async fn hear_standing(app: &TestApp, standing: Standing) {
    let (company, version) = (standing.company_id, standing.version);
    app.hear(company, Some(company), version, &CompanyApproved { company_id: company, standing }).await;
}

pub fn order(product: &str, more: Value) -> Value {
    let mut body = json!({
        "payment_method": "cash_on_delivery",
        "lines": [{"product_id": product, "quantity": 2}],
        "consignee": consignee("CO"),
    });
    for (field, value) in more.as_object().expect("an object") {
        body[field] = value.clone();
    }
    body
}

pub fn consignee(country: &str) -> Value {
    json!({"name": "Ana Gómez", "phone": "+573001234567",
           "address": {"line1": "Carrera 7 # 71-21", "city": "Bogotá", "country": country, "location": {"lat": 4.65, "lng": -74.05}}})
}

/// Pickup and Shipping, as an order hears them.
pub struct Road<'a> {
    pub app: &'a TestApp,
    pub company: CompanyId,
    pub order: OrderId,
    pub shipment: ShipmentId,
    pub pickup: PickupId,
    told: Cell<i64>,
}

impl<'a> Road<'a> {
    pub fn of(shop: &Shop<'a>, order: OrderId) -> Self {
        let (app, company) = (shop.merchant.app, shop.merchant.company);
        Self { app, company, order, shipment: ShipmentId::new(), pickup: PickupId::new(), told: Cell::new(0) }
    }

    fn next(&self) -> i64 {
        self.told.set(self.told.get() + 1);
        self.told.get()
    }

    pub async fn shipping<E: Event>(&self, event: E) {
        self.app.hear(self.shipment, Some(self.company), self.next(), &event).await;
    }

    pub async fn pickup<E: Event>(&self, event: E) {
        self.app.hear(self.pickup, Some(self.company), self.next(), &event).await;
    }

    pub async fn booked(&self, attempt: u32) {
        self.told_booked(attempt, None).await;
    }

    /// Told again, once the carrier has the parcels.
    pub async fn booked_and_picked_up(&self, attempt: u32) {
        self.told_booked(attempt, Some(self.app.now())).await;
    }

    async fn told_booked(&self, attempt: u32, picked_up_at: Option<Timestamp>) {
        self.shipping(ShipmentBooked {
            shipment_id: self.shipment,
            company_id: self.company,
            order_id: Some(self.order),
            return_id: None,
            attempt,
            carrier: "QTY".to_owned(),
            service: "standard".to_owned(),
            tracking_number: "QTY0000000012".to_owned(),
            cost: Money::parse("9000", Currency::COP).unwrap(),
            promised_at: self.app.now() + SignedDuration::from_hours(72),
            picked_up_at,
        })
        .await;
    }

    pub async fn scheduled(&self, attempt: u32) {
        let window_start = self.app.now() + SignedDuration::from_hours(20);
        let order = &self.app.facts(self.order).await[0].data;
        self.pickup(PickupScheduled {
            pickup_id: self.pickup,
            company_id: self.company,
            order_id: Some(self.order),
            return_id: None,
            attempt,
            kind: "scheduled".to_owned(),
            service_area_id: ServiceAreaId::new(),
            slot_start: window_start,
            cost_items: vec![],
            window_start,
            window_end: window_start + SignedDuration::from_hours(4),
            time_zone: "America/Bogota".to_owned(),
            contact: serde_json::from_value(order["sender"].clone()).unwrap(),
            parcels: vec![],
            cost: Money::parse("5000", Currency::COP).unwrap(),
            tracking_number: None,
        })
        .await;
    }

    pub async fn completed(&self) {
        self.collected_of(1).await;
    }

    /// One of so many parcels is handed over.
    pub async fn collected_of(&self, booked: u32) {
        self.pickup(PickupCompleted {
            pickup_id: self.pickup,
            company_id: self.company,
            order_id: Some(self.order),
            return_id: None,
            at: self.app.now(),
            parcel_count: 1,
            weight_grams: None,
            handed_over_by: Some("Luis".to_owned()),
            position: None,
            parcels_booked: Some(booked),
            difference: (booked > 1).then(|| "not packed yet".to_owned()),
        })
        .await;
    }

    /// Of the first attempt.
    pub async fn pickup_rejected(&self, code: &str, detail: &str) {
        self.pickup(PickupRejected {
            pickup_id: self.pickup,
            company_id: self.company,
            order_id: Some(self.order),
            return_id: None,
            attempt: 1,
            code: code.to_owned(),
            detail: detail.to_owned(),
        })
        .await;
    }

    /// Nothing was handed over; Pickup takes another slot by itself.
    pub async fn came_in_vain(&self) {
        self.pickup(PickupFailed {
            pickup_id: self.pickup,
            order_id: Some(self.order),
            return_id: None,
            attempt_number: 1,
            code: "NOT_READY".to_owned(),
            detail: None,
            position: None,
            at: None,
        })
        .await;
        let window_start = self.app.now() + SignedDuration::from_hours(24);
        self.pickup(PickupRescheduled {
            pickup_id: self.pickup,
            order_id: Some(self.order),
            return_id: None,
            window_start,
            window_end: window_start + SignedDuration::from_hours(4),
            time_zone: Some("America/Bogota".to_owned()),
            by: "after_failure".to_owned(),
            cost: None,
            cost_items: vec![],
        })
        .await;
    }

    pub async fn picked_up(&self) {
        self.shipping(ShipmentPickedUp {
            shipment_id: self.shipment,
            order_id: Some(self.order),
            return_id: None,
            at: self.app.now(),
            promised_at: None,
        })
        .await;
    }

    pub async fn departed(&self) {
        let place = Some("Bogotá".to_owned());
        self.shipping(ShipmentDeparted {
            shipment_id: self.shipment,
            order_id: Some(self.order),
            return_id: None,
            at: self.app.now(),
            place,
        })
        .await;
    }

    pub async fn out_for_delivery(&self) {
        let event = ShipmentOutForDelivery {
            shipment_id: self.shipment,
            order_id: Some(self.order),
            return_id: None,
            at: self.app.now(),
            attempt: 1,
        };
        self.shipping(event).await;
    }

    pub async fn delivered(&self) {
        self.shipping(ShipmentDelivered {
            shipment_id: self.shipment,
            company_id: self.company,
            order_id: Some(self.order),
            return_id: None,
            at: self.app.now(),
            received_by: Some("Ana".to_owned()),
            proof: "name".to_owned(),
            on_time: true,
        })
        .await;
    }

    /// From a confirmed order to one whose parcels wait for the driver.
    pub async fn until_processing(&self) {
        self.booked(1).await;
        self.scheduled(1).await;
    }

    /// To an order on its way.
    pub async fn until_in_transit(&self) {
        self.until_processing().await;
        self.completed().await;
        self.departed().await;
    }
}
