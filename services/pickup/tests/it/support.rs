//! A service with an area in Bogotá, and the people who use it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{Json, Router, extract::Path, routing::get};
use jiff::Timestamp;
use quenty_contracts::{
    customer::{CompanyApproved, Standing},
    order::{OrderCancelRequested, PickupRequested},
};
use quenty_kernel::{
    currency::Currency,
    id::{CompanyId, OrderId, PickupId, ShipmentId, UserId},
};
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, TestOptions, http::Answer, neighbour::serve};
use serde_json::{Value, json};

/// A Tuesday, 09:00 in Bogotá.
pub const NINE: &str = "2026-05-05T14:00:00Z";
pub const TODAY: &str = "2026-05-05";
pub const TOMORROW: &str = "2026-05-06";
/// Nobody listens there.
pub const NOWHERE: &str = "http://127.0.0.1:9";

pub struct World {
    pub app: TestApp,
    pub company: CompanyId,
    pub merchant: String,
    pub dispatcher: String,
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Open daily from 8 to 18 in slots of two hours; postal codes 11…, the fees that the tests add up.
pub fn bogota(capacity: u16) -> Value {
    let cop = |amount: &str| json!({"amount": amount, "currency": "COP"});
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    json!({
        "name": "Bogotá", "country": "CO", "postal_prefixes": ["11"], "time_zone": "America/Bogota",
        "hours": days.map(|day| json!({"day": day, "opens": "08:00", "closes": "18:00"})),
        "slot_minutes": 120, "capacity_per_slot": capacity, "currency": "COP", "express": true,
        "fees": {"on_demand": cop("9000.00"), "scheduled": cop("6000.00"), "express": cop("15000.00"),
            "extra_kilogram": cop("900.00"), "packaging": cop("3500.00"), "zone": cop("1000.00")},
    })
}

pub fn contact() -> Value {
    json!({"name": "Tienda Luz", "phone": "+576012345678",
        "address": {"line1": "Calle 93 # 13-24", "city": "Bogotá", "postal_code": "110221", "country": "CO"}})
}

pub fn scheduled(date: &str, slot: &str) -> Value {
    json!({"kind": "scheduled", "date": date, "slot": slot, "contact": contact(), "parcels": [{"weight_grams": 1200}]})
}

pub fn express() -> Value {
    json!({"kind": "express", "contact": contact(), "parcels": [{"weight_grams": 1200}]})
}

pub fn hold(date: &str, slot: &str) -> Value {
    json!({"place": {"country": "CO", "postal_code": "110221"}, "date": date, "slot": slot})
}

pub fn standing(company_id: CompanyId, version: i64, may_order: bool) -> Standing {
    Standing {
        company_id,
        version,
        status: if may_order { "active" } else { "in_review" }.to_owned(),
        may_order,
        may_ship_internationally: false,
        currency: Currency::COP,
        time_zone: "America/Bogota".to_owned(),
        payment_terms_days: 0,
        credit_limit: None,
        trade_name: "Tienda Luz".to_owned(),
    }
}

/// A Customer that says this of every company, and counts how often it is asked.
pub async fn customer(may_order: bool) -> (String, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let answer = get(async move |Path(id): Path<String>| -> Json<Standing> {
        count.fetch_add(1, Ordering::Relaxed);
        Json(standing(id.parse().unwrap(), 9, may_order))
    });
    (serve(Router::new().route("/internal/companies/{id}/standing", answer)).await, asked)
}

impl World {
    /// At nine in Bogotá, with room for `capacity` pickups in each slot.
    pub async fn new(capacity: u16) -> Self {
        let world = Self::of_stranger(capacity, NOWHERE.to_owned()).await;
        world.hear_standing(world.company, 1, true).await;
        world
    }

    /// The same, while Customer has told nothing of the company yet.
    pub async fn of_stranger(capacity: u16, customer_url: String) -> Self {
        let settings = vec![("customer_url", customer_url)];
        let options = TestOptions { starts_at: Some(at(NINE)), settings };
        let app = TestApp::start_with(quenty_pickup::service(), options).await;
        let company = CompanyId::new();
        let merchant = app.token(Realm::Company, Some(company), &["pickups:*", "service_areas:read"]);
        let dispatcher =
            app.token(Realm::Staff, None, &["pickups:*", "service_areas:*", "drivers:*", "vehicles:*"]);
        let world = Self { app, company, merchant, dispatcher };
        world.post(&world.dispatcher, "/api/v1/service-areas", &bogota(capacity)).await.expect(201);
        world
    }

    /// Customer tells whether a company may order.
    pub async fn hear_standing(&self, company_id: CompanyId, version: i64, may_order: bool) {
        let told = CompanyApproved { company_id, standing: standing(company_id, version, may_order) };
        self.app.hear(company_id, Some(company_id), version, &told).await;
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.app.post(path).token(token).json(body).send().await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.app.get(path).token(token).send().await
    }

    pub async fn book(&self, body: &Value) -> Value {
        self.post(&self.merchant, "/api/v1/pickups", body).await.expect(201).json()
    }

    /// A step of a stop or of its merchant, with the answer as JSON.
    pub async fn step(&self, token: &str, pickup: &Value, verb: &str, body: &Value) -> Answer {
        let id = pickup["id"].as_str().unwrap();
        self.post(token, &format!("/api/v1/pickups/{id}/{verb}"), body).await
    }

    pub async fn cancel(&self, pickup: &Value) {
        let body = json!({"reason": "changed my mind"});
        self.step(&self.merchant, pickup, "cancel", &body).await.expect(200);
    }

    /// The timetable of the area from now on.
    pub async fn set_slot_minutes(&self, minutes: u16) {
        let areas = self.get(&self.dispatcher, "/api/v1/service-areas").await.expect(200).json();
        let path = format!("/api/v1/service-areas/{}", areas["items"][0]["id"].as_str().unwrap());
        let patch = self.app.patch(&path).token(&self.dispatcher);
        patch.json(&json!({"slot_minutes": minutes})).send().await.expect(200);
    }

    /// A driver, and the token of its user.
    pub async fn driver(&self) -> (Value, String) {
        let user = UserId::new();
        let body = json!({"user_id": user, "name": "Wilson Cárdenas", "phone": "+573005550001"});
        let driver = self.post(&self.dispatcher, "/api/v1/drivers", &body).await.expect(201).json();
        let steps = [
            "pickups:read",
            "pickups:start",
            "pickups:arrive",
            "pickups:complete",
            "pickups:fail",
            "pickups:unassign",
        ];
        (driver, self.app.token_of(user, Realm::Staff, None, &steps))
    }

    /// A pickup whose driver is on the way, and the driver's token.
    pub async fn in_progress(&self, body: &Value) -> (Value, String) {
        let pickup = self.book(body).await;
        let (driver, token) = self.driver().await;
        self.step(&self.dispatcher, &pickup, "assign", &json!({"driver_id": driver["id"]})).await.expect(200);
        let pickup = self.step(&token, &pickup, "start", &json!({})).await.expect(200).json();
        (pickup, token)
    }

    pub async fn remaining(&self, date: &str, slot: &str) -> i64 {
        let path = format!("/api/v1/pickups/availability?date={date}&country=CO&postal_code=110221");
        let slots = self.get(&self.merchant, &path).await.expect(200).json()["slots"].clone();
        let found = slots.as_array().unwrap().iter().find(|s| s["slot"] == slot).cloned();
        found.unwrap_or_else(|| panic!("no slot {slot} on {date}: {slots}"))["remaining"].as_i64().unwrap()
    }

    /// Types of the facts of a pickup, short.
    pub async fn told(&self, pickup: &Value) -> Vec<String> {
        let id: PickupId = pickup["id"].as_str().unwrap().parse().unwrap();
        let facts = self.app.facts(id).await;
        facts
            .iter()
            .map(|entry| entry.kind.trim_start_matches("quenty.pickup.").trim_end_matches(".v1").to_owned())
            .collect()
    }

    pub fn request(&self, order: OrderId, attempt: u32, kind: &str) -> PickupRequested {
        PickupRequested {
            order_id: order,
            company_id: self.company,
            attempt,
            kind: kind.to_owned(),
            date: None,
            slot: None,
            sender: serde_json::from_value(contact()).unwrap(),
            parcels: vec![serde_json::from_value(json!({"weight_grams": 1200})).unwrap()],
            insured_value: None,
            shipment_id: ShipmentId::new(),
            tracking_number: "QTY123456782CO".to_owned(),
        }
    }

    pub fn wish_to_cancel(&self, order: OrderId, attempt: u32) -> OrderCancelRequested {
        OrderCancelRequested {
            order_id: order,
            pickup_id: None,
            attempt,
            reason: "customer changed their mind".to_owned(),
            pickup_only: false,
        }
    }

    pub async fn pickups_of(&self, order: OrderId) -> Vec<Value> {
        let path = format!("/api/v1/pickups?order_id={order}");
        self.get(&self.merchant, &path).await.expect(200).json()["items"].as_array().unwrap().clone()
    }

    /// Nothing given up, chains whole, invariants true.
    pub async fn assert_sound(&self) {
        self.app.assert_sound().await;
    }
}
