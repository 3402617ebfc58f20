//! What is sent to operations so that nothing but the tenant stands in their way.

use jiff::ToSpan;
use quenty_kernel::clock::wall_now;
use quenty_testkit::strangers::Operation;
use serde_json::{Value, json};

use super::belongings::Belongings;

/// A body that the operation takes. A new operation that takes one needs a line here.
pub fn body(operation: &Operation, things: &Belongings) -> Value {
    let reason = json!({"reason": "because"});
    let (_, path) = operation.path.split_once("/api/v1/").expect("a path of the API");
    match (operation.method.as_str(), path) {
        ("POST", "companies/{id}/close" | "orders/{id}/cancel" | "orders/{id}/hold") => reason,
        ("POST", "pickups/{id}/cancel" | "shipments/{id}/void" | "manifests/{id}/withdraw") => reason,
        ("POST", "auth/api-keys/{id}/rotate" | "orders/{id}/refunds") => json!({}),
        ("PATCH", "companies/{id}") => json!({"trade_name": "Taken over"}),
        ("POST", "companies/{id}/members") => json!({"email": "eva@example.com", "role": "viewer",
            "given_name": "Eva", "family_name": "Ruiz", "language": "es-CO"}),
        ("PATCH", "companies/{id}/members/{member_id}") => json!({"role": "viewer"}),
        ("PATCH", "customers/{id}") => json!({"name": "Somebody else"}),
        ("PATCH", "orders/{id}") => json!({"notes": "leave it at the corner"}),
        ("POST", "orders/{id}/payments") => {
            json!({"amount": {"amount": "1.00", "currency": "COP"}, "reference": "a transfer"})
        }
        ("PATCH", "products/{id}") => json!({"name": "Something else"}),
        ("PATCH", "warehouses/{id}") => json!({"name": "Elsewhere"}),
        ("PATCH", "pickups/{id}") => json!({"name": "Somebody else"}),
        ("POST", "pickups/{id}/reschedule") => json!({"date": tomorrow(), "slot": "09:00"}),
        ("POST", "shipments/{id}/book") => json!({}),
        ("PATCH", "manifests/{id}") => json!({"reference": "M-1"}),
        ("POST", "manifests/{id}/items") => {
            json!({"shipment_id": things.named("/api/v1/shipments/{id}")})
        }
        ("PUT", "returns/{id}/reject")
        | ("POST", "returns/{id}/dispute" | "returns/{id}/cancel" | "returns/{id}/lost") => reason,
        ("PUT", "returns/{id}/approve")
        | ("POST", "returns/{id}/schedule-pickup" | "returns/{id}/process" | "returns/{id}/photos") => {
            json!({})
        }
        ("POST", "returns/{id}/receive") => json!({"lines": [{"line": 1, "quantity": 1}]}),
        ("POST", "returns/{id}/inspection") => json!({"units": [{"line": 1, "unit": 1, "condition": "good",
            "working": true, "complete": true, "claim": "confirmed"}]}),
        ("POST", "returns/{id}/refund") => json!({"method": "original"}),
        ("PATCH", "dispositions/{id}") => json!({"partner": "Taller"}),
        (method, path) => panic!("no body is known for {method} {path}: add one, so that it can be tried"),
    }
}

/// What a list must be told. A new list that must be told something needs a line here.
pub fn query(operation: &Operation) -> String {
    let query = match operation.path.as_str() {
        "/api/v1/pickups/availability" => format!("date={}&country=CO&postal_code=110221", tomorrow()),
        "/api/v1/service-areas/locate" => "country=CO&postal_code=110221".to_owned(),
        "/api/v1/shipping/rates" => "origin=CO&destination=CO&weight_grams=500".to_owned(),
        "/api/v1/users/{id}" => "reason=because".to_owned(),
        "/api/v1/document-types/{code}/validate" => "country=CO".to_owned(),
        "/api/v1/returns/analytics" | "/api/v1/returns/environmental-impact" => {
            "from=2026-01-01T00:00:00Z&to=2100-01-01T00:00:00Z".to_owned()
        }
        _ => String::new(),
    };
    for name in &operation.required_query {
        assert!(query.contains(&format!("{name}=")), "{operation:?} must be told {name}: say what");
    }
    query
}

/// In Bogotá, where the merchants are.
pub fn tomorrow() -> String {
    let now = wall_now().in_tz("America/Bogota").expect("a time zone");
    now.date().saturating_add(1.day()).to_string()
}
