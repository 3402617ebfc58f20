//! Walks the gateway's merged document with real tokens: no operation answers a stranger, none does what the
//! token does not permit, and none touches another tenant's things. A new route is covered on the day it is born.

use quenty_testkit::{
    http::Answer,
    strangers::{Operation, operations},
};
use serde_json::{Value, json};

use crate::harness::{
    Cast, Client, Merchant, Person, Up,
    merchant::{BOGOTA, id},
};

/// Operations that are meant for anyone.
const OPEN: [&str; 10] = [
    "register_user",
    "verify_user",
    "resend_verification",
    "accept_invitation",
    "login",
    "refresh",
    "issue_service_token",
    "get_jwks",
    "track_shipment",
    "follow_shipment",
];

/// Real things of one merchant, by where their ids stand in a path.
struct Belongings(Vec<(&'static str, String)>);

impl Belongings {
    /// The path with the merchant's own ids in it; nothing for a path whose things belong to no company.
    fn path(&self, operation: &Operation) -> Option<String> {
        let (_, owned) = self.0.iter().find(|(prefix, _)| operation.path.starts_with(prefix))?;
        let filled = operation
            .path
            .split('/')
            .map(|segment| if segment.starts_with('{') { owned.as_str() } else { segment });
        Some(filled.collect::<Vec<_>>().join("/"))
    }
}

#[tokio::test]
async fn no_operation_serves_strangers() {
    let up = Up::ephemeral(&[]).await;
    let Cast { merchant, fleet, support, .. } = Cast::enter(&up.stage).await;
    let other = Merchant::open(&up.stage, &support, 2, BOGOTA).await;
    let nobody = Person::register(&up.stage, "nobody@example.com").await;
    let anyone = up.stage.anyone();
    let document = anyone.get("/openapi.json").await.expect(200).json();
    let operations = operations(&document);
    assert!(operations.len() > 80, "the document describes {} operations", operations.len());

    for operation in &operations {
        let Some(permission) = &operation.permission else {
            assert!(
                OPEN.contains(&operation.operation_id.as_str()),
                "{operation:?} needs no token: is that meant?"
            );
            continue;
        };
        let path = operation.path.replace(['{', '}'], "");
        send(&anyone, operation, &path).await.expect_problem(401, "NO_TOKEN");
        if !permission.is_empty() {
            let refused = send(&nobody.client, operation, &path).await.expect_problem(403, "NOT_PERMITTED");
            assert_eq!(refused.json()["permission"], json!(permission), "{operation:?}");
        }
    }

    let order = merchant.place(&merchant.cash_order()).await;
    fleet.pickup_of(&order).await;
    let belongings = belongings(&merchant, &order).await;
    let before = everything(&merchant, &belongings).await;
    let mut tried = 0;
    for operation in operations.iter().filter(|operation| operation.path.contains('{')) {
        let Some(path) = belongings.path(operation) else { continue };
        let hidden = send(&other.client, operation, &path).await;
        let is_read = operation.method == http::Method::GET && !operation.has_body;
        let permitted = hidden.code() != "NOT_PERMITTED" && hidden.code() != "STAFF_ONLY";
        assert!(
            hidden.status() >= 400 && hidden.status() < 500,
            "{operation:?}: {} {}",
            hidden.status(),
            hidden.text()
        );
        assert!(
            !is_read || !permitted || hidden.status() == 404,
            "{operation:?}: {} {}",
            hidden.status(),
            hidden.text()
        );
        tried += 1;
    }
    assert!(tried > 30, "only {tried} operations were tried as another tenant");
    assert_eq!(everything(&merchant, &belongings).await, before, "nothing was touched");
    up.stage.assert_sound().await;
    up.stop().await;
}

async fn send(client: &Client, operation: &Operation, path: &str) -> Answer {
    let call = client.call(operation.method.clone(), path);
    if operation.has_body { call.json(&json!({})).send().await } else { call.send().await }
}

async fn belongings(merchant: &Merchant, order: &Value) -> Belongings {
    let order = merchant.until_status(order, "processing").await;
    let customer = json!({"kind": "individual", "name": "Luz Marín", "email": "luz@example.com"});
    let customer = merchant.client.post("/api/v1/customers", &customer).await.expect(201).json();
    let text = |name: &str| order[name].as_str().expect("an id").to_owned();
    Belongings(vec![
        ("/api/v1/orders/by-reference/", "none".to_owned()),
        ("/api/v1/orders/{", text("id")),
        ("/api/v1/companies/{", merchant.company.clone()),
        ("/api/v1/customers/{", id(&customer).to_owned()),
        ("/api/v1/products/{", merchant.product.clone()),
        ("/api/v1/warehouses/{", merchant.warehouse.clone()),
        ("/api/v1/pickups/{", text("pickup_id")),
        ("/api/v1/shipments/{", text("shipment_id")),
    ])
}

/// What its owner reads of each.
async fn everything(merchant: &Merchant, belongings: &Belongings) -> Vec<Value> {
    let mut read = Vec::new();
    for (prefix, owned) in belongings.0.iter().filter(|(_, owned)| owned != "none") {
        let path = format!("{}{owned}", prefix.trim_end_matches('{'));
        read.push(merchant.client.get(&path).await.expect(200).json());
    }
    read
}
