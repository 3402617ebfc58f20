//! Paths, queries and headers that do not fit, and steps at the wrong time.

use http::Method;
use quenty_kernel::id::{OrderId, PickupId, ProductId, ReturnId, ShipmentId};
use serde_json::json;

use super::{World, cases::Case};
use crate::harness::merchant::id;

pub fn all(world: &World) -> Vec<Case> {
    let mut cases = paths(world);
    cases.extend(queries(world));
    cases.extend(dates(world));
    cases.extend(nul_characters(world));
    cases.extend(headers(world));
    cases.extend(illegal_transitions(world));
    cases
}

fn paths(world: &World) -> Vec<Case> {
    let long = "x".repeat(5_000);
    let wrong_prefix = ProductId::new().to_string();
    vec![
        Case::get("/api/v1/orders/x", 422, "INVALID_PATH"),
        Case::get("/api/v1/orders/ORD-", 422, "INVALID_PATH"),
        Case::get("/api/v1/orders/%FF%FE", 422, "INVALID_PATH"),
        Case::get(format!("/api/v1/orders/{wrong_prefix}"), 422, "INVALID_PATH"),
        Case::get(format!("/api/v1/shipments/{wrong_prefix}"), 422, "INVALID_PATH"),
        Case::get(format!("/api/v1/pickups/{wrong_prefix}"), 422, "INVALID_PATH"),
        Case::get(format!("/api/v1/returns/{wrong_prefix}"), 422, "INVALID_PATH"),
        Case::get(format!("/api/v1/returns/{}", ReturnId::new()), 404, "NOT_FOUND"),
        Case::get("/api/v1/returns/track/%00", 422, "INVALID_VALUE"),
        Case::get(format!("/api/v1/orders/{}", id(&world.order).to_lowercase()), 422, "INVALID_PATH"),
        Case::get(format!("/api/v1/orders/{long}"), 422, "INVALID_PATH"),
        Case::get(format!("/api/v1/orders/{}", OrderId::new()), 404, "NOT_FOUND"),
        Case::get(format!("/api/v1/shipments/{}", ShipmentId::new()), 404, "NOT_FOUND"),
        Case::get(format!("/api/v1/pickups/{}", PickupId::new()), 404, "NOT_FOUND"),
        Case::get("/api/v1/orders/by-reference/%FF", 422, "INVALID_PATH"),
        Case::get("/api/v1/tracking/x", 422, "INVALID_PATH"),
        Case::get("/api/v1/nothing", 404, "NO_SUCH_ROUTE"),
        Case::get("/api/v1/orders/../../internal/dead-letters", 404, "NO_SUCH_ROUTE"),
        Case::get("/internal/dead-letters", 404, "NO_SUCH_ROUTE"),
        Case::new("a method", Method::PUT, "/api/v1/orders", 405, "METHOD_NOT_ALLOWED"),
        Case::new("a method", Method::DELETE, "/api/v1/shipments", 405, "METHOD_NOT_ALLOWED"),
    ]
}

fn queries(world: &World) -> Vec<Case> {
    let mut cases = Vec::new();
    for list in [
        "orders",
        "products",
        "warehouses",
        "customers",
        "companies",
        "pickups",
        "shipments",
        "manifests",
        "returns",
        "dispositions",
    ] {
        for query in [
            "colour=red".to_owned(),
            "limit=0".to_owned(),
            "limit=101".to_owned(),
            "limit=-1".to_owned(),
            "limit=99999999999999999999".to_owned(),
            "limit=ten".to_owned(),
            "limit=1&limit=2".to_owned(),
            "cursor=".to_owned(),
            "cursor=x".to_owned(),
            "cursor=c_%00".to_owned(),
            format!("cursor={}", "9".repeat(10_000)),
        ] {
            cases.push(Case::get(format!("/api/v1/{list}?{query}"), 422, "INVALID_QUERY"));
        }
        let nil = "c_00000000000000000000000000000000";
        cases.push(Case::get(format!("/api/v1/{list}?cursor={nil}"), 200, ""));
    }
    let others = [
        "orders?status=shipped",
        "orders?on_hold=maybe",
        "orders?customer_id=x",
        "shipments?international=2",
        "pickups?order_id=PROD-01JD3ZK8Q5V0E8XW4T2M9R6B7C",
        "inventory?product=x",
        "pickups/availability?date=2026-02-30&country=CO&postal_code=110221",
        "pickups/availability",
        "returns?status=lost",
        "returns/analytics",
        "returns/analytics?from=yesterday&to=2026-01-01T00:00:00Z",
        "shipping/rates?origin=CO",
        "shipping/rates?origin=CO&destination=MX&weight_grams=-1",
        "shipping/rates?origin=CO&destination=MX&weight_grams=99999999999",
    ];
    cases.extend(others.map(|query| Case::get(format!("/api/v1/{query}"), 422, "INVALID_QUERY")));
    let staff =
        ["admin/users?status=asleep", "admin/audit?limit=1000", "users?cursor=1", "drivers?status=flying"];
    cases.extend(
        staff.map(|query| Case::get(format!("/api/v1/{query}"), 422, "INVALID_QUERY").by(&world.admin)),
    );
    cases
}

/// Times that a calendar has and a database may not.
fn dates(world: &World) -> Vec<Case> {
    let mut cases = Vec::new();
    let (order, pickup) = (id(&world.order), world.order["pickup_id"].as_str().expect("a pickup"));
    let shipment = world.order["shipment_id"].as_str().expect("a shipment");
    let company = &world.merchant.company;
    for path in [
        format!("orders/{order}"),
        format!("pickups/{pickup}"),
        format!("shipments/{shipment}"),
        format!("companies/{company}"),
        format!("manifests/{}", world.manifest),
    ] {
        let path = format!("/api/v1/{path}");
        cases.push(Case::get(format!("{path}?as_of=9999-12-30T00:00:00Z"), 200, ""));
        cases.push(Case::get(format!("{path}?as_of=-009998-01-01T00:00:00Z"), 422, "INVALID_VALUE"));
        for never in ["yesterday", "2026-02-30T00:00:00Z", "99999-01-01T00:00:00Z", "-099999-01-01T00:00:00Z"]
        {
            cases.push(Case::get(format!("{path}?as_of={never}"), 422, "INVALID_QUERY"));
        }
    }
    // PostgreSQL's time begins in 4713 BC.
    for (time, status, code) in
        [("-009998-01-01T00:00:00Z", 422, "INVALID_VALUE"), ("9999-12-30T00:00:00Z", 200, "")]
    {
        let get = |query: &str| Case::get(format!("/api/v1/{query}={time}"), status, code);
        cases.extend(["orders?created_from", "orders?created_to"].map(get));
        cases.extend(["admin/audit?from", "admin/audit?to"].map(|query| get(query).by(&world.admin)));
    }
    cases.push(Case::get("/api/v1/pickups?date=9999-12-31", 200, ""));
    cases.push(Case::get("/api/v1/pickups?date=-009999-01-01", 422, "INVALID_VALUE"));
    for date in ["-009999-01-01", "9999-12-31"] {
        let asked = format!("/api/v1/pickups/availability?date={date}&country=CO&postal_code=110221");
        cases.push(Case::get(asked, 200, ""));
    }
    cases
}

/// PostgreSQL's text has no NUL: it must not get that far.
fn nul_characters(world: &World) -> Vec<Case> {
    let stored = [
        "products?sku=%00",
        "products?category=a%00b",
        "orders?external_reference=%00",
        "orders/by-reference/%00",
    ];
    let own = [
        "customers?q=%00",
        "shipments?tracking_number=%00",
        "document-types?country=%00",
        "pickups/availability?date=2099-01-05&country=CO&postal_code=%00",
        "service-areas/locate?country=CO&postal_code=%00",
    ];
    let staff = [
        "users?email=%00",
        "admin/users?email=%00",
        "admin/users?role=%00",
        "admin/audit?actor=%00",
        "admin/audit?type=%00",
        "admin/audit?subject=%00",
    ];
    let query = |query: &str| Case::get(format!("/api/v1/{query}"), 422, "INVALID_QUERY");
    let path = |path: &str| Case::get(format!("/api/v1/{path}"), 422, "INVALID_PATH");
    let mut cases: Vec<Case> = own.map(query).into();
    cases.extend(stored.map(|text| Case::get(format!("/api/v1/{text}"), 422, "INVALID_VALUE")));
    cases.extend(staff.map(|text| query(text).by(&world.admin)));
    cases.extend(["orders/%00", "tracking/%00", "pickups/%00", "shipments/%00"].map(path));
    let validate = "/api/v1/document-types/%00/validate?country=CO";
    cases.push(Case::post(validate, &json!({"number": "1"}), 404, "NOT_FOUND"));
    cases
}

fn headers(world: &World) -> Vec<Case> {
    let product = format!("/api/v1/products/{}", world.merchant.product);
    let rename = |value: &str, status, code| {
        Case::patch(&product, &json!({"name": "Renamed"}), status, code).header("if-match", value)
    };
    let place = |key: &str| {
        let order = world.merchant.cash_order();
        Case::post("/api/v1/orders", &order, 400, "MALFORMED_IDEMPOTENCY_KEY").header("idempotency-key", key)
    };
    let authorized = |value: &str, code| {
        Case::get("/api/v1/orders", 401, code).by(&world.up.stage.anyone()).header("authorization", value)
    };
    vec![
        rename("new", 400, "MALFORMED_IF_MATCH"),
        rename("\"\"", 400, "MALFORMED_IF_MATCH"),
        rename("99999999999999999999", 400, "MALFORMED_IF_MATCH"),
        rename("\"1\", \"2\"", 400, "MALFORMED_IF_MATCH"),
        rename("\"-1\"", 412, "VERSION_MISMATCH"),
        place(""),
        place("\"\""),
        place(&"k".repeat(129)),
        authorized("Bearer", "BAD_AUTHORIZATION"),
        authorized("Basic eDp5", "BAD_AUTHORIZATION"),
        authorized("Bearer x", "INVALID_TOKEN"),
        authorized("Bearer a.b.c", "INVALID_TOKEN"),
        authorized(&format!("Bearer {}", "x".repeat(20_000)), "INVALID_TOKEN"),
    ]
}

/// What is done is done, and what has not begun cannot end.
fn illegal_transitions(world: &World) -> Vec<Case> {
    let (delivered, open) = (id(&world.delivered), id(&world.order));
    let pickup = world.order["pickup_id"].as_str().expect("a pickup");
    let collected = world.delivered["pickup_id"].as_str().expect("a pickup");
    let shipment = world.delivered["shipment_id"].as_str().expect("a shipment");
    let (company, manifest) = (&world.merchant.company, &world.manifest);
    let reason = json!({"reason": "because"});
    let dispatcher = &world.fleet.dispatcher.client;
    let nothing = json!({});
    vec![
        Case::post(format!("/api/v1/orders/{delivered}/cancel"), &reason, 409, "ORDER_NOT_CANCELLABLE"),
        Case::post(format!("/api/v1/orders/{delivered}/hold"), &reason, 409, "ORDER_NOT_HOLDABLE"),
        Case::post(format!("/api/v1/orders/{open}/release"), &nothing, 409, "NOT_ON_HOLD"),
        Case::post(format!("/api/v1/pickups/{pickup}/start"), &nothing, 409, "ILLEGAL_TRANSITION")
            .by(dispatcher),
        Case::post(format!("/api/v1/pickups/{pickup}/arrive"), &nothing, 409, "NOT_IN_PROGRESS")
            .by(dispatcher),
        Case::post(format!("/api/v1/pickups/{collected}/cancel"), &reason, 409, "ILLEGAL_TRANSITION"),
        Case::post(format!("/api/v1/shipments/{shipment}/void"), &reason, 409, "SHIPMENT_OF_AN_ORDER"),
        Case::post(format!("/api/v1/shipments/{shipment}/book"), &nothing, 409, "ILLEGAL_TRANSITION"),
        Case::post(format!("/api/v1/manifests/{manifest}/ship"), &nothing, 409, "ILLEGAL_TRANSITION"),
        Case::post(format!("/api/v1/manifests/{manifest}/submit"), &nothing, 409, "MANIFEST_EMPTY"),
        Case::post(format!("/api/v1/companies/{company}/submit"), &nothing, 409, "COMPANY_STATE"),
        Case::post(format!("/api/v1/companies/{company}/approve"), &nothing, 409, "COMPANY_STATE")
            .by(&world.admin),
    ]
}
