//! Bodies: what is no JSON, what has the wrong shape, what is out of range, what names another tenant's things.

use http::Method;
use quenty_kernel::id::{CustomerId, ProductId};
use serde_json::{Value, json};

use super::{
    CARD, World,
    cases::{Body, Case},
};
use crate::harness::merchant::id;

pub fn all(world: &World) -> Vec<Case> {
    let mut cases = no_json();
    cases.extend(no_order(world));
    cases.extend(no_product());
    cases.extend(no_movement(world));
    cases.extend(no_step(world));
    cases.extend(of_another_tenant(world));
    cases
}

fn no_json() -> Vec<Case> {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000)).into_bytes();
    let in_field = |value: Vec<u8>| [br#"{"deep": "#.as_slice(), &value, b"}"].concat();
    let bodies: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("nothing", Vec::new(), 400, "MALFORMED_JSON"),
        ("half an object", br#"{"sku": "A-1""#.to_vec(), 400, "MALFORMED_JSON"),
        ("no quotation marks", b"{sku: 1}".to_vec(), 400, "MALFORMED_JSON"),
        ("two documents", b"{} {}".to_vec(), 422, "INVALID_BODY"),
        ("invalid UTF-8", b"{\"sku\": \"\xff\xfe\"}".to_vec(), 400, "MALFORMED_JSON"),
        ("a lone surrogate", br#"{"sku": "\ud800"}"#.to_vec(), 400, "MALFORMED_JSON"),
        ("a raw NUL", b"{\"sku\": \"\0\"}".to_vec(), 400, "MALFORMED_JSON"),
        ("a NUL in a name", br#"{"sku": "A-1", "name": "a\u0000b"}"#.to_vec(), 422, "INVALID_BODY"),
        ("a list", b"[]".to_vec(), 422, "INVALID_BODY"),
        ("a text", b"\"x\"".to_vec(), 422, "INVALID_BODY"),
        ("null", b"null".to_vec(), 422, "INVALID_BODY"),
        ("the same field twice", br#"{"sku": "A-1", "sku": "A-2"}"#.to_vec(), 422, "INVALID_BODY"),
        ("ten thousand brackets", deep("[", "]"), 422, "INVALID_BODY"),
        ("ten thousand brackets in a field", in_field(deep("[", "]")), 422, "INVALID_BODY"),
        ("ten thousand objects in a field", in_field(deep(r#"{"a":"#, "}")), 422, "INVALID_BODY"),
        ("ten thousand open brackets", b"[".repeat(10_000), 422, "INVALID_BODY"),
    ];
    let case = |(what, body, status, code): (&str, Vec<u8>, u16, &'static str)| {
        Case::new(what, Method::POST, "/api/v1/products", status, code).body(Body::Json(body))
    };
    let mut cases: Vec<Case> = bodies.into_iter().map(case).collect();
    for kind in ["text/plain", "application/xml", "multipart/form-data", "x/", "application/jsonp"] {
        let refused = Case::new(kind, Method::POST, "/api/v1/products", 415, "UNSUPPORTED_MEDIA_TYPE");
        cases.push(refused.body(Body::Of(kind, "{}")));
    }
    cases.push(Case::new("no media type", Method::POST, "/api/v1/products", 415, "UNSUPPORTED_MEDIA_TYPE"));
    cases
}

fn cop(amount: &str) -> Value {
    json!({"amount": amount, "currency": "COP"})
}

/// The merchant's order with some fields set to something else.
fn order(world: &World, fields: &Value) -> Value {
    let mut order = world.merchant.cash_order();
    let fields = fields.as_object().expect("fields").clone();
    order.as_object_mut().expect("an object").extend(fields);
    order
}

fn no_order(world: &World) -> Vec<Case> {
    let line = |fields: Value| {
        let mut line = json!({"product_id": world.merchant.product, "quantity": 1});
        line.as_object_mut().expect("a line").extend(fields.as_object().expect("fields").clone());
        json!({"lines": [line]})
    };
    let to = |field: &str, value: Value| {
        let mut order = world.merchant.cash_order();
        order["consignee"]["address"][field] = value;
        json!({"consignee": order["consignee"]})
    };
    let pickup = |date: &str| json!({"pickup": {"kind": "scheduled", "date": date, "slot": "08:00"}});
    let cases = [
        (json!({"surprise": 1}), 422, "INVALID_BODY"),
        (json!({"lines": {}}), 422, "INVALID_BODY"),
        (json!({"lines": null}), 422, "INVALID_BODY"),
        (json!({"lines": []}), 422, "LINES_OUT_OF_RANGE"),
        (json!({"external_reference": 1}), 422, "INVALID_BODY"),
        (json!({"payment_method": "barter"}), 422, "INVALID_BODY"),
        (json!({"notes": "x".repeat(100_000)}), 422, "INVALID_BODY"),
        (json!({"external_reference": "x".repeat(100_000)}), 422, "INVALID_BODY"),
        (json!({"consignee": {"name": "Ana"}}), 422, "INVALID_BODY"),
        (to("planet", json!("Earth")), 422, "INVALID_BODY"),
        (to("city", json!("a\u{0}b")), 422, "INVALID_BODY"),
        (to("country", json!("ZZ")), 422, "INVALID_BODY"),
        (to("location", json!({"lat": 91.0, "lng": 0.0})), 422, "INVALID_BODY"),
        (line(json!({"quantity": 0})), 422, "INVALID_QUANTITY"),
        (line(json!({"quantity": -1})), 422, "INVALID_BODY"),
        (line(json!({"quantity": 1.5})), 422, "INVALID_BODY"),
        (line(json!({"quantity": 4_294_967_296_u64})), 422, "INVALID_BODY"),
        (line(json!({"quantity": u64::MAX})), 422, "INVALID_BODY"),
        (line(json!({"quantity": 4_294_967_295_u64})), 422, "ORDER_TOO_HEAVY"),
        (line(json!({"product_id": world.order["id"]})), 422, "INVALID_BODY"),
        (line(json!({"product_id": "PROD-x"})), 422, "INVALID_BODY"),
        (line(json!({"product_id": ProductId::new()})), 422, "UNKNOWN_PRODUCT"),
        (line(json!({"unit_price": cop("-1.00")})), 422, "NEGATIVE_AMOUNT"),
        (line(json!({"unit_price": cop("1e3")})), 422, "INVALID_BODY"),
        (line(json!({"unit_price": cop("99999999999999999999999999999999.00")})), 422, "INVALID_BODY"),
        (line(json!({"unit_price": {"amount": 1, "currency": "COP"}})), 422, "INVALID_BODY"),
        (line(json!({"quantity": 4000, "unit_price": cop("999999999999999.99")})), 422, "AMOUNT_TOO_LARGE"),
        (json!({"shipping": cop("-0.01")}), 422, "NEGATIVE_AMOUNT"),
        (json!({"shipping": cop("999999999999999.99"), "discount": cop("0.01")}), 422, "AMOUNT_TOO_LARGE"),
        (json!({"expected_total": cop("1.00")}), 422, "TOTAL_MISMATCH"),
        (pickup("2026-02-30"), 422, "INVALID_BODY"),
        (json!({"notes": CARD}), 422, "CARD_NUMBER"),
        (json!({"external_reference": CARD, "expected_total": cop("1.00")}), 422, "TOTAL_MISMATCH"),
    ];
    let case = |(fields, status, code)| Case::post("/api/v1/orders", &order(world, &fields), status, code);
    cases.into_iter().map(case).collect()
}

fn no_product() -> Vec<Case> {
    let product = |fields: Value| {
        let mut product = json!({"sku": "NEW-1", "name": "x", "price": cop("1.00"), "weight_grams": 1});
        product.as_object_mut().expect("a product").extend(fields.as_object().expect("fields").clone());
        product
    };
    let cases = [
        (json!({"sku": ""}), 422, "INVALID_BODY"),
        (json!({"sku": "x".repeat(65)}), 422, "INVALID_BODY"),
        (json!({"name": "x".repeat(100_000)}), 422, "INVALID_BODY"),
        (json!({"price": cop("-1.00")}), 422, "NEGATIVE_AMOUNT"),
        (json!({"price": cop("1.001")}), 422, "INVALID_BODY"),
        (json!({"price": {"amount": "1.00", "currency": "XXX1"}}), 422, "INVALID_BODY"),
        (json!({"weight_grams": 0}), 422, "INVALID_BODY"),
        (json!({"weight_grams": -5}), 422, "INVALID_BODY"),
        (json!({"weight_grams": 1_000_001}), 422, "INVALID_BODY"),
        (json!({"dimensions": {"length_mm": 0, "width_mm": 1, "height_mm": 1}}), 422, "INVALID_BODY"),
        (json!({"reorder_point": -1}), 422, "INVALID_BODY"),
        (json!({"reorder_point": u64::MAX}), 422, "INVALID_BODY"),
        (json!({"hs_code": "1\u{0}"}), 422, "INVALID_BODY"),
        (json!({"sku": "CAM-BLA-M"}), 409, "SKU_TAKEN"),
    ];
    let case = |(fields, status, code)| Case::post("/api/v1/products", &product(fields), status, code);
    cases.into_iter().map(case).collect()
}

fn no_movement(world: &World) -> Vec<Case> {
    let movement = |fields: Value| {
        let mut movement = json!({"kind": "receipt", "product_id": world.merchant.product,
            "warehouse_id": world.merchant.warehouse, "quantity": 1});
        movement.as_object_mut().expect("a movement").extend(fields.as_object().expect("fields").clone());
        movement
    };
    let adjusted = |quantity: i64| json!({"kind": "adjustment", "reason": "counted", "quantity": quantity});
    let cases = [
        (json!({"quantity": 0}), 422, "INVALID_MOVEMENT"),
        (json!({"quantity": -1}), 422, "INVALID_MOVEMENT"),
        (json!({"quantity": 1_000_000_001}), 422, "INVALID_MOVEMENT"),
        (json!({"quantity": i64::MAX}), 422, "INVALID_MOVEMENT"),
        (json!({"quantity": u64::MAX}), 422, "INVALID_BODY"),
        (json!({"quantity": 1e300}), 422, "INVALID_BODY"),
        (json!({"kind": "theft"}), 422, "INVALID_BODY"),
        (adjusted(-1_000_000), 409, "INSUFFICIENT_STOCK"),
        (json!({"batch": {"code": "B", "expires_on": "-009999-01-01"}}), 422, "INVALID_BODY"),
    ];
    let case =
        |(fields, status, code)| Case::post("/api/v1/inventory/movements", &movement(fields), status, code);
    cases.into_iter().map(case).collect()
}

/// Steps of orders, pickups, shipments and manifests with arguments that do not fit.
fn no_step(world: &World) -> Vec<Case> {
    let (order, driver) = (id(&world.order), &world.fleet.driver.client);
    let pickup = world.order["pickup_id"].as_str().expect("a pickup");
    let shipment = world.order["shipment_id"].as_str().expect("a shipment");
    let manifests = "/api/v1/manifests";
    let scan = |at: &str| json!({"kind": "departed", "place": "Bogotá", "at": at});
    let events = format!("/api/v1/shipments/{shipment}/events");
    let complete = format!("/api/v1/pickups/{pickup}/complete");
    vec![
        Case::post(format!("/api/v1/orders/{order}/cancel"), &json!({"reason": ""}), 422, "INVALID_BODY"),
        Case::post(
            format!("/api/v1/orders/{order}/cancel"),
            &json!({"reason": "\u{0}"}),
            422,
            "INVALID_BODY",
        ),
        Case::post(format!("/api/v1/orders/{order}/hold"), &json!({"why": "x"}), 422, "INVALID_BODY"),
        Case::post(&complete, &json!({"parcel_count": -1}), 422, "INVALID_BODY").by(driver),
        Case::post(&complete, &json!({"parcel_count": u64::MAX}), 422, "INVALID_BODY").by(driver),
        Case::post(&events, &scan("-009999-01-01T00:00:00Z"), 422, "INVALID_BODY").by(driver),
        Case::post(&events, &scan("9999-12-31T23:59:59Z"), 422, "INVALID_BODY").by(driver),
        Case::post(&events, &scan("yesterday"), 422, "INVALID_BODY").by(driver),
        Case::post(&events, &json!({"kind": "teleported"}), 422, "INVALID_BODY").by(driver),
        Case::post(manifests, &json!({"origin": "CO", "date": "-009999-01-01"}), 422, "INVALID_VALUE"),
        Case::post(manifests, &json!({"origin": "Colombia", "date": "2099-01-05"}), 422, "INVALID_BODY"),
        Case::post(manifests, &json!({"origin": "CO", "date": "2099-13-01"}), 422, "INVALID_BODY"),
        Case::post("/api/v1/shipping/rates", &rate("-1.00"), 422, "NEGATIVE_VALUE"),
        Case::post("/api/v1/shipping/rates", &rate("1e9"), 422, "INVALID_BODY"),
        Case::patch(
            format!("/api/v1/companies/{}", world.merchant.company),
            &json!({"status": "active"}),
            422,
            "INVALID_BODY",
        ),
    ]
}

fn rate(value: &str) -> Value {
    json!({"origin": "CO", "destination": "MX", "parcels": [{"weight_grams": 500}], "declared_value": cop(value)})
}

/// Bodies that name what belongs to somebody else.
fn of_another_tenant(world: &World) -> Vec<Case> {
    let other = &world.other;
    let lines = json!([{"product_id": other.product, "quantity": 1}]);
    let own_lines = json!([{"product_id": world.merchant.product, "quantity": 1}]);
    let receipt = |product: &str, warehouse: &str| json!({"kind": "receipt", "product_id": product, "warehouse_id": warehouse, "quantity": 1});
    let (from, to) = (&world.merchant.warehouse, &other.warehouse);
    let transfer = json!({"from_warehouse_id": from, "to_warehouse_id": to, "lines": own_lines});
    let orders = "/api/v1/orders";
    let movements = "/api/v1/inventory/movements";
    let items = format!("/api/v1/manifests/{}/items", world.manifest);
    let of_other = &json!({"shipment_id": world.order["shipment_id"]});
    vec![
        Case::post(orders, &order(world, &json!({"lines": lines})), 422, "UNKNOWN_PRODUCT"),
        Case::post(orders, &order(world, &json!({"warehouse_id": to})), 422, "UNKNOWN_WAREHOUSE"),
        Case::post(
            orders,
            &order(world, &json!({"customer_id": CustomerId::new()})),
            422,
            "UNKNOWN_CUSTOMER",
        ),
        Case::post(movements, &receipt(&other.product, from), 422, "UNKNOWN_PRODUCT"),
        Case::post(movements, &receipt(&world.merchant.product, to), 422, "UNKNOWN_WAREHOUSE"),
        Case::post("/api/v1/inventory/transfers", &transfer, 422, "UNKNOWN_WAREHOUSE"),
        Case::post(items, of_other, 404, "NOT_FOUND").by(&other.client),
    ]
}
