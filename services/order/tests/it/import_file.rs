//! Files of orders, a company that brings them in, and the Customer who is told of the buyers.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::post};
use quenty_kernel::{Failure, Kind, id::CustomerId};
use quenty_testkit::{TestApp, TestOptions, eventually, http::Answer, neighbour::serve};
use serde_json::{Value, json};

use crate::{
    merchant::Merchant,
    shop::{hear_standing, standing, start},
};

pub const HEADER: &str = "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Currency,Subtotal,Shipping,Taxes,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem requires shipping,Shipping Name,Shipping Address1,Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Notes,Cancelled at,Payment Method,Id\n";
/// Two orders as Shopify writes them: one of a single line, one of two lines.
pub const TWO_ORDERS: &str = "\
#a459,ana@example.com,paid,,,,BRL,147.90,27.36,0.00,175.26,2017-07-09 21:57:05 -0300,1,automotivo 060cb1,147.9,060cb19345d90064,true,Cliente 80bb27,\"Rua c7c1, 100\",Congonhinhas,86320-000,PR,BR,,,,boleto,180702631321112
#ac64,rui@example.com,paid,,,,BRL,1119.98,20.60,0.00,1140.58,2018-04-01 18:27:01 -0300,1,eletroportateis bd9fca,1099.0,bd9fca6bf4bdcbf4,true,Cliente 5a6d09,\"Rua 2525, 100\",Sao Paulo,04363-000,SP,BR,,,,boleto,189549650785215
#ac64,rui@example.com,,,,,,,,,,2018-04-01 18:27:01 -0300,2,filtro bd9fcb,10.49,bd9fcb,true,,,,,,,,,,,\n";

pub fn file(rows: &str) -> String {
    format!("{HEADER}{rows}")
}

/// An order of one piece; the reference tells it apart.
pub fn row(reference: &str) -> String {
    format!(
        "{reference},,paid,,,,COP,100.00,0.00,0.00,100.00,,1,Filtro,100.00,FIL-1,true,Ana Gómez,Carrera 7 # 71-21,Bogotá,110221,,CO,,,,PSE,1\n"
    )
}

pub fn rows(count: usize) -> String {
    (0..count).map(|number| row(&format!("#{number:04}"))).collect()
}

/// Customer, as far as an import needs it: who was brought in, after how long.
#[derive(Clone, Default)]
pub struct Customers {
    emails: Arc<Mutex<Vec<String>>>,
    pub milliseconds: Arc<AtomicU64>,
    /// How often it still refuses the caller's token.
    pub refusals: Arc<AtomicU64>,
}

impl Customers {
    pub async fn serve(&self) -> String {
        serve(Router::new().route("/internal/customers/upsert", post(upsert)).with_state(self.clone())).await
    }

    pub fn emails(&self) -> Vec<String> {
        self.emails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn upsert(
    State(customers): State<Customers>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, quenty_platform::Error> {
    tokio::time::sleep(Duration::from_millis(customers.milliseconds.load(Ordering::SeqCst))).await;
    let less_one = |left: u64| left.checked_sub(1);
    if customers.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less_one).is_ok() {
        return Err(Failure::new(Kind::Unauthenticated, "INVALID_TOKEN", "another one, please").into());
    }
    if body["name"] == "Nobody" {
        return Err(Failure::invalid("INVALID_FIELD", "/name", "is nobody's").into());
    }
    let email = body["email"].as_str().expect("an e-mail address").to_owned();
    customers.emails.lock().unwrap_or_else(PoisonError::into_inner).push(email);
    Ok(Json(json!({"customer_id": CustomerId::new()})))
}

pub fn options(customer_url: String) -> TestOptions {
    let settings = vec![("customer_url", customer_url), ("import_max_bytes", "2000000".to_owned())];
    TestOptions { settings, starts_at: Some(start()) }
}

pub async fn app_with(customers: &Customers) -> TestApp {
    TestApp::start_with(quenty_order::service(), options(customers.serve().await)).await
}

/// A company that may order and ship abroad, with an empty warehouse.
pub async fn merchant(app: &TestApp) -> Merchant<'_> {
    let merchant = Merchant::new(app);
    let mut standing = standing(merchant.company);
    standing.may_ship_internationally = true;
    hear_standing(app, standing).await;
    merchant.warehouse("Centro").await;
    merchant
}

pub async fn send(merchant: &Merchant<'_>, query: &str, content: impl Into<Vec<u8>>) -> Answer {
    let path = format!("/api/v1/orders/import?{query}");
    merchant.app.post(&path).token(&merchant.token).raw("text/csv", content.into()).send().await
}

pub async fn ended(merchant: &Merchant<'_>, location: &str) -> Value {
    eventually("the import ends", || async {
        let import = merchant.get(location).await.expect(200).json();
        (import["status"] != "running").then_some(import)
    })
    .await
}

/// Sends the file and waits until it is worked through.
pub async fn import(merchant: &Merchant<'_>, query: &str, content: impl Into<Vec<u8>>) -> Value {
    let accepted = send(merchant, query, content).await.expect(202);
    ended(merchant, accepted.header("location").expect("where to look")).await
}

pub fn counts(import: &Value) -> [i64; 4] {
    ["read", "created", "already_there", "rejected"].map(|name| import[name].as_i64().expect("a count"))
}

pub async fn orders(merchant: &Merchant<'_>) -> Vec<Value> {
    let page = merchant.get("/api/v1/orders?limit=100").await.expect(200).json();
    page["items"].as_array().expect("items").clone()
}

pub async fn count(app: &TestApp, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(app.app.db()).await.unwrap()
}
