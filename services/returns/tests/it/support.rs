//! A merchant whose orders were delivered, and the people who take them back.

use jiff::Timestamp;
use quenty_contracts::{
    order::{OrderDelivered, OrderLine, OrderTotals, ProductCreated},
    party::{Item, Party},
    pickup::PickupScheduled,
    shipping::ShipmentBooked,
};
use quenty_kernel::{
    currency::Currency,
    id::{
        CompanyId, CustomerId, OrderId, PickupId, ProductId, ReturnId, ServiceAreaId, ShipmentId, UserId,
        WarehouseId,
    },
    money::Money,
};
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, TestOptions, http::Answer};
use serde_json::{Value, json};

/// The moment of every delivery: a Tuesday, 09:00 in Bogotá.
pub const DELIVERED: &str = "2026-05-05T14:00:00Z";

pub struct World {
    pub app: TestApp,
    pub company: CompanyId,
    /// Opens returns.
    pub merchant: String,
    /// Receives and inspects.
    pub clerk: String,
    /// Inspects again.
    pub second: String,
    /// Pays.
    pub finance: String,
    pub mail_dir: tempfile::TempDir,
    pub files_dir: tempfile::TempDir,
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn days(days: i64) -> Timestamp {
    at(DELIVERED) + jiff::SignedDuration::from_hours(24 * days)
}

pub fn cop(amount: &str) -> Money {
    Money::parse(amount, Currency::COP).unwrap()
}

pub fn party(name: &str, lat: f64) -> Party {
    serde_json::from_value(json!({"name": name, "email": "ana@example.com",
        "address": {"line1": "Calle 93 # 13-24", "city": "Bogotá", "state": "Cundinamarca", "postal_code": "110221",
            "country": "CO", "location": {"lat": lat, "lng": -74.05}}}))
    .unwrap()
}

fn warehouse() -> Party {
    serde_json::from_value(json!({"name": "Tienda Luz",
        "address": {"line1": "Carrera 68 # 17-20", "city": "Bogotá", "state": "Cundinamarca", "country": "CO",
            "location": {"lat": 4.60, "lng": -74.05}}}))
    .unwrap()
}

/// A delivered order and its first product.
pub struct Delivered {
    pub order: OrderId,
    pub product: ProductId,
    pub customer: CustomerId,
}

impl World {
    pub async fn new() -> Self {
        Self::with(vec![]).await
    }

    pub async fn with(more: Vec<(&'static str, String)>) -> Self {
        let mail_dir = tempfile::tempdir().unwrap();
        let files_dir = tempfile::tempdir().unwrap();
        let mut settings = vec![
            ("mail_dir", mail_dir.path().to_str().unwrap().to_owned()),
            ("files_url", format!("file://{}", files_dir.path().display())),
        ];
        settings.extend(more);
        let options = TestOptions { settings, starts_at: Some(at(DELIVERED)) };
        let app = TestApp::start_with(quenty_returns::service(), options).await;
        let company = CompanyId::new();
        let all = ["returns:*", "return_policies:*", "dispositions:*"];
        let token = || app.token(Realm::Company, Some(company), &all);
        let (merchant, clerk, second, finance) = (token(), token(), token(), token());
        Self { app, company, merchant, clerk, second, finance, mail_dir, files_dir }
    }

    /// An order of one line: `quantity` of something for `price` each, and shipping for 9,000 pesos, paid.
    pub async fn delivered(&self, quantity: u32, price: &str, category: Option<&str>) -> Delivered {
        let delivered =
            Delivered { order: OrderId::new(), product: ProductId::new(), customer: CustomerId::new() };
        self.deliver(&delivered, quantity, price, category).await;
        delivered
    }

    pub async fn deliver(&self, of: &Delivered, quantity: u32, price: &str, category: Option<&str>) {
        let created: ProductCreated = serde_json::from_value(json!({
            "product_id": of.product, "company_id": self.company, "sku": "CAM-1", "name": "Camisa", "category": category,
            "price": cop(price), "weight_grams": 400, "estimated": false,
        }))
        .unwrap();
        self.app.hear(of.product, Some(self.company), 1, &created).await;
        let goods = cop(price).times(quantity).unwrap();
        let (zero, shipping) = (cop("0.00"), cop("9000.00"));
        let total = goods.checked_add(shipping).unwrap();
        let fact = OrderDelivered {
            order_id: of.order,
            company_id: self.company,
            customer_id: Some(of.customer),
            lines: vec![OrderLine {
                product_id: of.product,
                sku: "CAM-1".to_owned(),
                name: "Camisa".to_owned(),
                quantity,
                unit_price: cop(price),
                discount: zero,
                tax: zero,
                total: goods,
            }],
            totals: OrderTotals { subtotal: goods, discount: zero, shipping, tax: zero, total },
            payment_method: "prepaid".to_owned(),
            at: self.app.now(),
            promised_at: None,
            paid: Some(total),
            consignee: Some(party("Ana Gómez", 4.70)),
            sender: Some(warehouse()),
            warehouse_id: Some(WarehouseId::new()),
            items: vec![Item {
                sku: "CAM-1".to_owned(),
                description: "Camisa".to_owned(),
                hs_code: None,
                origin: None,
                quantity,
                unit_value: cop(price),
                unit_weight_grams: 400.try_into().unwrap(),
            }],
            external_reference: None,
        };
        self.app.hear(of.order, Some(self.company), 1, &fact).await;
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.app.post(path).token(token).json(body).send().await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.app.get(path).token(&self.merchant).send().await.expect(200).json()
    }

    pub async fn try_request(&self, body: &Value) -> Answer {
        self.post(&self.merchant, "/api/v1/returns", body).await
    }

    /// A return of the first line, brought by the buyer unless `change` says otherwise.
    pub async fn request(&self, of: &Delivered, quantity: u32, reason: &str, change: Value) -> Value {
        self.try_request(&wanted(of, quantity, reason, change)).await.expect(201).json()
    }

    /// A step of a return: `PUT` for decisions, `POST` for all else.
    pub async fn step(&self, token: &str, of: &Value, verb: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/returns/{}/{verb}", of["id"].as_str().unwrap());
        match verb {
            "approve" | "reject" => self.app.put(&path).token(token).json(body).send().await,
            _ => self.post(token, &path, body).await,
        }
    }

    pub async fn read(&self, of: &Value) -> Value {
        self.get(&format!("/api/v1/returns/{}", of["id"].as_str().unwrap())).await
    }

    pub async fn receive(&self, of: &Value, quantity: u32) -> Value {
        let body = json!({"lines": [{"line": 1, "quantity": quantity}]});
        self.step(&self.clerk, of, "receive", &body).await.expect(200).json()
    }

    pub async fn inspect(&self, of: &Value, units: &[Value]) -> Value {
        self.step(&self.clerk, of, "inspection", &json!({"units": units})).await.expect(200).json()
    }

    pub async fn process(&self, of: &Value) -> Value {
        self.step(&self.clerk, of, "process", &json!({})).await.expect(200).json()
    }

    /// Received, found as the buyer said, and decided upon.
    pub async fn bring_back(&self, of: &Value, quantity: u32) -> Value {
        self.receive(of, quantity).await;
        let units: Vec<Value> = (1..=quantity).map(|unit| found(unit, "good", "confirmed")).collect();
        self.inspect(of, &units).await;
        self.process(of).await
    }

    pub async fn refund(&self, of: &Value) -> Answer {
        self.step(&self.finance, of, "refund", &json!({"method": "original", "reference": "PSE-1"})).await
    }

    /// Types of the facts of a return, short.
    pub async fn told(&self, of: &Value) -> Vec<String> {
        let facts = self.app.facts(id_of(of)).await;
        let short =
            |kind: &str| kind.trim_start_matches("quenty.returns.return.").trim_end_matches(".v1").to_owned();
        facts.iter().map(|entry| short(&entry.kind)).collect()
    }

    /// Pickup answers the newest request of a return.
    pub async fn pickup_booked(&self, of: &Value) -> PickupId {
        let pickup = PickupId::new();
        let attempt = self.read(of).await["booking"]["attempt"].as_u64().unwrap();
        let booked: PickupScheduled = serde_json::from_value(json!({
            "pickup_id": pickup, "company_id": self.company, "order_id": null, "return_id": of["id"], "attempt": attempt,
            "kind": "scheduled", "service_area_id": ServiceAreaId::new(), "window_start": "2026-05-05T15:00:00Z",
            "window_end": "2026-05-05T17:00:00Z", "time_zone": "America/Bogota", "slot_start": "2026-05-05T15:00:00Z",
            "contact": party("Ana Gómez", 4.70), "parcels": [{"weight_grams": 400}], "cost": cop("9000.00"), "cost_items": [],
        }))
        .unwrap();
        self.app.hear(pickup, Some(self.company), 1, &booked).await;
        pickup
    }

    /// Shipping answers the newest request of a return.
    pub async fn label_booked(&self, of: &Value) -> ShipmentId {
        let shipment = ShipmentId::new();
        let attempt = self.read(of).await["booking"]["attempt"].as_u64().unwrap();
        let booked: ShipmentBooked = serde_json::from_value(json!({
            "shipment_id": shipment, "company_id": self.company, "order_id": null, "return_id": of["id"], "attempt": attempt,
            "carrier": "QTY", "service": "standard", "tracking_number": "QTY123456782CO", "cost": cop("12000.00"),
            "promised_at": "2026-05-09T17:00:00Z",
        }))
        .unwrap();
        self.app.hear(shipment, Some(self.company), 1, &booked).await;
        shipment
    }

    /// The mails that are written as a whole.
    pub fn mails(&self) -> Vec<Value> {
        let files = std::fs::read_dir(self.mail_dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let whole = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        whole.map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
    }

    /// What those tell of, by name.
    pub fn mailed(&self) -> Vec<String> {
        let mut kinds: Vec<String> =
            self.mails().iter().map(|mail| mail["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    }

    /// Nothing given up, chains whole, invariants true.
    pub async fn assert_sound(&self) {
        self.app.assert_sound().await;
    }
}

pub fn id_of(of: &Value) -> ReturnId {
    of["id"].as_str().unwrap().parse().unwrap()
}

/// What is asked for; `change` is laid over it.
pub fn wanted(of: &Delivered, quantity: u32, reason: &str, change: Value) -> Value {
    let mut body = json!({
        "order_id": of.order, "kind": "return", "resolution": "refund", "way_back": "drop_off",
        "lines": [{"line": 1, "quantity": quantity, "reason": reason}],
    });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

pub fn found(unit: u32, condition: &str, claim: &str) -> Value {
    json!({"line": 1, "unit": unit, "condition": condition, "working": true, "complete": true, "claim": claim})
}

/// A token of somebody else of the same company.
pub fn colleague(world: &World) -> String {
    world.app.token_of(
        UserId::new(),
        Realm::Company,
        Some(world.company),
        &["returns:*", "return_policies:*", "dispositions:*"],
    )
}
