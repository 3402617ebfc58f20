//! A company with everything that it may do, and short ways to say it.
#![expect(clippy::expect_used, reason = "a test that cannot go on says so")]

use quenty_kernel::id::CompanyId;
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, http::Answer};
use serde_json::{Value, json};

pub struct Merchant<'a> {
    pub app: &'a TestApp,
    pub company: CompanyId,
    pub token: String,
}

impl<'a> Merchant<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        let company = CompanyId::new();
        let token = app.token(
            Realm::Company,
            Some(company),
            &["products:*", "warehouses:*", "inventory:*", "orders:*"],
        );
        Self { app, company, token }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.app.get(path).token(&self.token).send().await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.app.post(path).token(&self.token).json(&body).send().await
    }
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.app.patch(path).token(&self.token).json(&body).send().await
    }
    pub async fn delete(&self, path: &str) -> Answer {
        self.app.delete(path).token(&self.token).send().await
    }

    /// Creates a product with these fields beside the necessary ones; returns its id.
    pub async fn product(&self, sku: &str, more: Value) -> String {
        let made = self.post("/api/v1/products", product(sku, more)).await.expect(201);
        made.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Creates a warehouse; the first one is the default. Returns its id.
    pub async fn warehouse(&self, name: &str) -> String {
        let made = self.post("/api/v1/warehouses", warehouse(name)).await.expect(201);
        made.json()["id"].as_str().expect("an id").to_owned()
    }

    pub async fn receive(&self, product: &str, warehouse: &str, quantity: i64) {
        let receipt = json!({"kind": "receipt", "product_id": product, "warehouse_id": warehouse, "quantity": quantity});
        self.post("/api/v1/inventory/movements", receipt).await.expect(201);
    }

    pub async fn receive_batch(
        &self,
        product: &str,
        warehouse: &str,
        (number, expires_on): (&str, &str),
        quantity: i64,
    ) {
        let batch = json!({"number": number, "expires_on": expires_on});
        let receipt = json!({"kind": "receipt", "product_id": product, "warehouse_id": warehouse, "quantity": quantity, "batch": batch});
        self.post("/api/v1/inventory/movements", receipt).await.expect(201);
    }

    pub async fn adjust(&self, product: &str, warehouse: &str, quantity: i64) -> Answer {
        let adjustment = json!({"kind": "adjustment", "product_id": product, "warehouse_id": warehouse, "quantity": quantity, "reason": "count"});
        self.post("/api/v1/inventory/movements", adjustment).await
    }

    /// `(on_hand, reserved, available)` of a product in a warehouse, over its batches.
    pub async fn stock(&self, product: &str, warehouse: &str) -> (i64, i64, i64) {
        let list = self
            .get(&format!("/api/v1/inventory?product={product}&warehouse={warehouse}"))
            .await
            .expect(200)
            .json();
        let sum = |field: &str| {
            list["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|item| item[field].as_i64().expect("a number"))
                .sum()
        };
        (sum("on_hand"), sum("reserved"), sum("available"))
    }
}

/// What many callers at once get in the end: a crowd that waits for one row may use up the connections of a slow
/// machine, and 503 asks to come again.
pub async fn patiently(call: impl AsyncFn() -> Answer) -> Answer {
    loop {
        let answer = call().await;
        if answer.status() != 503 {
            return answer;
        }
    }
}

pub fn product(sku: &str, more: Value) -> Value {
    let mut body = json!({"sku": sku, "name": "Camiseta", "price": {"amount": "50000.00", "currency": "COP"}, "weight_grams": 200});
    for (field, value) in more.as_object().expect("an object") {
        body[field] = value.clone();
    }
    body
}

pub fn warehouse(name: &str) -> Value {
    json!({"name": name, "address": {"line1": "Calle 13 # 65-10", "city": "Bogotá", "country": "CO", "location": {"lat": 4.64, "lng": -74.1}}})
}

/// Panics unless every stock item is the sum of its ledger.
pub async fn assert_stock_is_its_ledger(app: &TestApp) {
    let wrong: i64 = sqlx::query_scalar(
        "select count(*) from stock_items s
         where on_hand <> (select coalesce(sum(on_hand_delta), 0) from stock_movements m where m.stock_item_id = s.id)
            or reserved <> (select coalesce(sum(reserved_delta), 0) from stock_movements m where m.stock_item_id = s.id)",
    )
    .fetch_one(app.app.db())
    .await
    .expect("the sums");
    assert_eq!(wrong, 0, "stock items that are not the sum of their ledger");
}
