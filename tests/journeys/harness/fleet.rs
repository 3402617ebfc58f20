//! The people on the road: a service area around Bogotá, a dispatcher, and a driver who collects and delivers.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Stage,
    merchant::{id, items},
    people::Person,
};

#[derive(Clone)]
pub struct Fleet {
    pub dispatcher: Person,
    pub driver: Person,
    pub driver_id: String,
}

impl Fleet {
    /// Invites the people and opens the area, day and night.
    pub async fn open(stage: &Stage, admin: &Person) -> Self {
        let dispatcher = admin.invite("dispatcher", "dispatch@quenty.example").await.accept(stage).await;
        let driver = admin.invite("driver", "driver@quenty.example").await.accept(stage).await;
        let client = &dispatcher.client;
        client.post("/api/v1/service-areas", &service_area()).await.expect(201);
        let van = json!({"kind": "van", "capacity_grams": 800_000, "capacity_cm3": 4_000_000});
        let van = client.post("/api/v1/vehicles", &van).await.expect(201).json();
        let profile = json!({"user_id": driver.user_id, "name": "Inés Rojas", "phone": "+573009876543", "vehicle_id": id(&van)});
        let made = client.post("/api/v1/drivers", &profile).await.expect(201).json();
        Self { driver_id: id(&made).to_owned(), dispatcher, driver }
    }

    /// The same people on a platform under fire.
    #[must_use]
    pub fn patient(&self, patience: Duration) -> Self {
        let Self { dispatcher, driver, driver_id } = self;
        Self {
            dispatcher: dispatcher.patient(patience),
            driver: driver.patient(patience),
            driver_id: driver_id.clone(),
        }
    }

    /// Waits for the live pickup of an order.
    pub async fn pickup_of(&self, order: &Value) -> Value {
        let path = format!("/api/v1/pickups?order_id={}", id(order));
        let is_live = |pickup: &&Value| matches!(pickup["status"].as_str(), Some("scheduled" | "assigned"));
        let find = |listed: &Value| items(listed).iter().find(is_live).cloned();
        self.dispatcher.client.wait_for(&path, "the order has a pickup", find).await
    }

    /// The driver does one step of a stop.
    pub async fn step(&self, pickup: &Value, verb: &str, body: &Value) -> Value {
        let path = format!("/api/v1/pickups/{}/{verb}", id(pickup));
        self.driver.client.post(&path, body).await.expect(200).json()
    }

    pub async fn assign(&self, pickup: &Value) {
        let path = format!("/api/v1/pickups/{}/assign", id(pickup));
        let body = json!({"driver_id": self.driver_id});
        self.dispatcher.client.post(&path, &body).await.expect(200);
    }

    /// From the assignment to the driver at the door.
    pub async fn drive_to(&self, pickup: &Value) {
        self.assign(pickup).await;
        self.step(pickup, "start", &json!({})).await;
        self.step(pickup, "arrive", &json!({"position": {"lat": 4.6764, "lng": -74.0481}})).await;
    }

    /// From the assignment to the hand-over.
    pub async fn collect(&self, order: &Value) -> Value {
        let pickup = self.pickup_of(order).await;
        self.drive_to(&pickup).await;
        let done = self.step(&pickup, "complete", &hand_over()).await;
        assert_eq!(done["status"], "completed");
        pickup
    }

    /// Waits until the carrier has the parcels.
    pub async fn shipment_of(&self, order: &Value) -> Value {
        let path = format!("/api/v1/shipments?order_id={}", id(order));
        let is_collected = |shipment: &&Value| shipment["status"] == "picked_up";
        let find = |listed: &Value| items(listed).iter().find(is_collected).cloned();
        self.dispatcher.client.wait_for(&path, "the order's shipment is collected", find).await
    }

    /// Reports what happened to a shipment.
    pub async fn scan(&self, shipment: &Value, report: &Value) -> Value {
        let path = format!("/api/v1/shipments/{}/events", id(shipment));
        self.driver.client.post(&path, report).await.expect(200).json()
    }

    /// From the hub to the consignee's hand.
    pub async fn deliver(&self, shipment: &Value) -> Value {
        self.scan(shipment, &json!({"kind": "departed", "place": "Bogotá hub"})).await;
        self.scan(shipment, &json!({"kind": "out_for_delivery", "place": "Medellín"})).await;
        self.scan(shipment, &delivered(shipment)).await
    }
}

pub fn hand_over() -> Value {
    json!({"parcel_count": 1, "weight_grams": 500, "handed_over_by": "Luz Marín"})
}

/// The report of a delivery, with proof and with the cash that is due.
pub fn delivered(shipment: &Value) -> Value {
    let mut report = json!({"kind": "delivered", "place": "Medellín", "proof": {"received_by": "Luz Marín", "kind": "signature"}});
    if !shipment["cash_on_delivery"].is_null() {
        report["cash_collected"] = shipment["cash_on_delivery"].clone();
    }
    report
}

fn service_area() -> Value {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let hours: Vec<Value> =
        days.iter().map(|day| json!({"day": day, "opens": "00:00", "closes": "00:00"})).collect();
    let cop = |amount: &str| json!({"amount": amount, "currency": "COP"});
    json!({
        "name": "Bogotá", "country": "CO", "postal_prefixes": ["11"], "time_zone": "America/Bogota", "hours": hours,
        "slot_minutes": 60, "capacity_per_slot": 5_000, "currency": "COP", "express": true,
        "fees": {"on_demand": cop("12000.00"), "scheduled": cop("8000.00"), "express": cop("18000.00"),
            "extra_kilogram": cop("900.00"), "packaging": cop("4000.00")},
    })
}
