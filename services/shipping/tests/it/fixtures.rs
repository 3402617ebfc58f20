//! What the tests share: a service, a company that may ship, and the usual bodies.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::Path, http::StatusCode, routing::get};
use quenty_contracts::{
    customer::{KycVerified, Standing},
    order::ShipmentRequested,
};
use quenty_kernel::{
    Failure,
    currency::Currency,
    id::{CompanyId, CustomerId, OrderId},
    money::Money,
};
use quenty_platform::{Error, Service, token::Realm};
use quenty_testkit::{TestApp, TestOptions, http::Answer, neighbour::serve};
use serde_json::{Value, json};

/// A Monday.
pub const NOW: &str = "2026-01-05T12:00:00Z";

pub struct Shop {
    pub app: TestApp,
    pub company: CompanyId,
    pub token: String,
    pub scanner: String,
}

impl Shop {
    pub async fn open() -> Self {
        Self::open_with(Vec::new()).await
    }

    pub async fn open_with(settings: Vec<(&'static str, String)>) -> Self {
        Self::open_as(hasty(), settings).await
    }

    pub async fn open_as(service: Service, settings: Vec<(&'static str, String)>) -> Self {
        let options = TestOptions { starts_at: Some(NOW.parse().unwrap()), settings };
        let app = TestApp::start_with(service, options).await;
        let company = CompanyId::new();
        let token = app.token(
            Realm::Company,
            Some(company),
            &["shipments:*", "manifests:*", "rates:*", "countries:*", "zones:*"],
        );
        let scanner = app.token(Realm::Staff, None, &["shipments:scan", "shipments:read"]);
        Self { app, company, token, scanner }
    }

    /// Customer tells that the company may send, and whether abroad.
    pub async fn told(&self, version: i64, may_ship_internationally: bool) {
        let standing = standing(self.company, version, may_ship_internationally);
        self.app
            .hear(
                self.company,
                Some(self.company),
                version,
                &KycVerified { company_id: self.company, standing },
            )
            .await;
        self.app.at_rest().await;
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.app.post(&format!("/api/v1{path}")).token(&self.token).json(body).send().await
    }

    pub async fn act(&self, path: &str) -> Answer {
        self.app.post(&format!("/api/v1{path}")).token(&self.token).send().await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.app.get(&format!("/api/v1{path}")).token(&self.token).send().await
    }

    /// A shipment that is booked, by its id.
    pub async fn booked(&self) -> String {
        self.booked_as(&json!({})).await
    }

    pub async fn booked_as(&self, change: &Value) -> String {
        let body = merged(&draft(), &merged(&json!({"book": true}), change));
        self.post("/shipments", &body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
    }

    pub async fn scan(&self, shipment: &str, body: &Value) -> Answer {
        self.app
            .post(&format!("/api/v1/shipments/{shipment}/events"))
            .token(&self.scanner)
            .json(body)
            .send()
            .await
    }

    /// The shipment that answers an order.
    pub async fn shipment_of(&self, order: OrderId) -> Value {
        let list = self.get(&format!("/shipments?order_id={order}")).await.expect(200).json();
        list["items"][0].clone()
    }

    pub fn requested(&self, order: OrderId, consignee_country: &str) -> ShipmentRequested {
        let read = |value: Value| serde_json::from_value(value).unwrap();
        ShipmentRequested {
            order_id: order,
            company_id: self.company,
            attempt: 1,
            kind: "standard".to_owned(),
            reference: Some("PED-7".to_owned()),
            sender: read(party("CO")),
            consignee: read(party(consignee_country)),
            parcels: serde_json::from_value(json!([{"weight_grams": 1200}])).unwrap(),
            items: serde_json::from_value(json!([item()])).unwrap(),
            declared_value: Money::parse("50000", Currency::COP).unwrap(),
            cash_on_delivery: None,
            incoterm: None,
            ready_on: None,
        }
    }
}

/// Shipping, whose hourly work comes again at once.
pub fn hasty() -> Service {
    let mut service = quenty_shipping::service();
    for job in &mut service.jobs {
        job.every = Duration::from_millis(100);
    }
    service
}

/// A Customer that knows one company, and whether it may send abroad.
pub async fn customer(may_ship_internationally: bool, known: bool) -> String {
    customer_that_says(move |company| known.then(|| standing(company, 9, may_ship_internationally))).await
}

pub async fn customer_while(may_ship_internationally: bool, known: Arc<AtomicBool>) -> String {
    let known = move || known.load(Ordering::Relaxed);
    customer_that_says(move |company| known().then(|| standing(company, 9, may_ship_internationally))).await
}

/// A Customer that says this of a company; it is away while it says nothing.
pub async fn customer_that_says(
    says: impl Fn(CompanyId) -> Option<Standing> + Clone + Send + Sync + 'static,
) -> String {
    let answer = move |Path(id): Path<String>| {
        std::future::ready(says(id.parse().unwrap()).map(Json).ok_or(StatusCode::SERVICE_UNAVAILABLE))
    };
    serve(Router::new().route("/internal/companies/{id}/standing", get(answer))).await
}

/// A Customer that knows this one customer, whose company does not matter.
pub async fn customer_who_knows(known: CustomerId) -> String {
    let answer =
        get(async move |Path((_, id)): Path<(CompanyId, CustomerId)>| -> Result<Json<Value>, Error> {
            if id == known {
                Ok(Json(json!({"customer_id": id})))
            } else {
                Err(Failure::not_found("customer").into())
            }
        });
    serve(Router::new().route("/internal/companies/{company}/customers/{id}", answer)).await
}

pub fn standing(company_id: CompanyId, version: i64, may_ship_internationally: bool) -> Standing {
    Standing {
        company_id,
        version,
        status: "active".to_owned(),
        may_order: true,
        may_ship_internationally,
        currency: Currency::COP,
        time_zone: "America/Bogota".to_owned(),
        payment_terms_days: 0,
        credit_limit: None,
        trade_name: "Almacén El Ñandú".to_owned(),
    }
}

pub fn party(country: &str) -> Value {
    json!({"name": "Ana Gómez", "phone": "+573001234567", "address": {"line1": "Calle 26 # 59-51", "city": "Bogotá", "country": country}})
}

pub fn item() -> Value {
    json!({"sku": "CAFE-500", "description": "Roasted coffee", "hs_code": "0901.21", "origin": "CO", "quantity": 2,
           "unit_value": {"amount": "25000.00", "currency": "COP"}, "unit_weight_grams": 500})
}

/// A shipment at home.
pub fn draft() -> Value {
    json!({"sender": party("CO"), "consignee": party("CO"), "parcels": [{"weight_grams": 1200}],
           "declared_value": {"amount": "50000.00", "currency": "COP"}, "service": "standard"})
}

pub fn merged(base: &Value, change: &Value) -> Value {
    let mut merged = base.clone();
    for (key, value) in change.as_object().unwrap() {
        merged[key] = value.clone();
    }
    merged
}

pub fn delivered() -> Value {
    json!({"kind": "delivered", "proof": {"received_by": "Luis", "kind": "signature"}})
}
