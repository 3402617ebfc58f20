//! The people at the returns counter: the merchant asks, the dispatcher's people receive and inspect, the merchant decides,
//! the administrator pays.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Client, Fleet, Merchant,
    merchant::{id, items},
    people::Person,
    until,
};

const HEARD_WITHIN: Duration = Duration::from_secs(240);

#[derive(Clone)]
pub struct Counter {
    pub merchant: Client,
    pub fleet: Fleet,
    pub payer: Client,
}

impl Counter {
    pub fn new(merchant: &Merchant, fleet: &Fleet, admin: &Person) -> Self {
        Self { merchant: merchant.client.clone(), fleet: fleet.clone(), payer: admin.client.clone() }
    }

    /// One piece of an order that was just delivered, as the buyer of [`Merchant::order`] would send it back.
    pub fn wanted(order: &Value, way_back: &str) -> Value {
        json!({
            "order_id": id(order), "kind": "return", "resolution": "refund", "way_back": way_back,
            "lines": [{"line": 1, "quantity": 1, "reason": "wrong_item"}],
            "buyer": {"name": "Luz Marín", "phone": "+573001234567",
                "address": {"line1": "Calle 100 # 8-49", "city": "Bogotá", "postal_code": "110221", "country": "CO"}},
        })
    }

    /// Asks for it, once Returns has heard of the delivery.
    pub async fn request(&self, wanted: &Value) -> Value {
        let check = json!({"order_id": wanted["order_id"], "resolution": "refund", "lines": wanted["lines"]});
        until(HEARD_WITHIN, "Returns has heard of the delivery", async || {
            let answer = self.merchant.post("/api/v1/returns/check", &check).await;
            (answer.status() == 200).then_some(())
        })
        .await;
        self.merchant.post("/api/v1/returns", wanted).await.expect(201).json()
    }

    pub async fn until(&self, of: &Value, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/api/v1/returns/{}", id(of));
        self.merchant
            .wait_for(&path, &format!("the return is {what}"), |of| is_so(of).then(|| of.clone()))
            .await
    }

    pub async fn until_status(&self, of: &Value, status: &str) -> Value {
        self.until(of, status, |of| of["status"] == status).await
    }

    /// Waits for the live pickup of a return.
    pub async fn pickup_of(&self, of: &Value) -> Value {
        let path = format!("/api/v1/pickups?return_id={}", id(of));
        let is_live = |pickup: &&Value| matches!(pickup["status"].as_str(), Some("scheduled" | "assigned"));
        let find = |listed: &Value| items(listed).iter().find(is_live).cloned();
        self.fleet.dispatcher.client.wait_for(&path, "the return has a pickup", find).await
    }

    /// The driver fetches it at the buyer's door.
    pub async fn collect(&self, of: &Value) {
        let pickup = self.pickup_of(of).await;
        self.fleet.drive_to(&pickup).await;
        self.fleet.step(&pickup, "complete", &super::fleet::hand_over()).await;
        self.until_status(of, "picked_up").await;
    }

    /// From the counter to the shelf and the buyer's account.
    pub async fn settle(&self, of: &Value) -> Value {
        self.process(of).await;
        let path = format!("/api/v1/returns/{}/refund", id(of));
        let body = json!({"method": "original", "reference": "PSE"});
        self.payer.post(&path, &body).await.expect(200).json()
    }

    /// Received, found as the buyer said and like new, and decided upon.
    pub async fn process(&self, of: &Value) -> Value {
        let path = format!("/api/v1/returns/{}", id(of));
        let desk = &self.fleet.dispatcher.client;
        let lines = json!({"lines": [{"line": 1, "quantity": 1}]});
        desk.post(&format!("{path}/receive"), &lines).await.expect(200);
        let found = json!({"units": [{"line": 1, "unit": 1, "condition": "like_new", "working": true, "complete": true,
            "claim": "confirmed"}]});
        desk.post(&format!("{path}/inspection"), &found).await.expect(200);
        self.merchant.post(&format!("{path}/process"), &json!({})).await.expect(200).json()
    }
}
