//! What is refused of a body before any service hears of it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, body::Bytes, extract::DefaultBodyLimit, routing::post};
use hyper::Method;
use quenty_gateway::Upstream;
use serde_json::{Value, json};

use crate::support::Door;

/// A service that counts what reaches it.
fn counting() -> (Upstream, Arc<AtomicUsize>) {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let take = post(move |body: Bytes| async move {
        counter.fetch_add(1, Ordering::SeqCst);
        body
    });
    let router = Router::new()
        .route("/api/v1/orders", take.clone())
        .route("/api/v1/orders/import", take.clone())
        .route("/api/v1/token", take)
        .layer(DefaultBodyLimit::disable());
    let order = json!({
        "type": "object", "required": ["lines"], "additionalProperties": false,
        "properties": {
            "lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Line"}},
            "notes": {"type": ["string", "null"], "maxLength": 10},
            "tracking_number": {"type": "string"},
            "deep": {},
        },
    });
    let line = json!({
        "type": "object", "required": ["quantity"], "additionalProperties": false,
        "properties": {"quantity": {"type": "integer", "minimum": 1}},
    });
    let body = |content: Value| json!({"post": {"security": [{}], "requestBody": {"required": true, "content": content}}});
    let schema = json!({"schema": {"$ref": "#/components/schemas/Order"}});
    let description = json!({
        "paths": {
            "/api/v1/orders": body(json!({"application/json": schema})),
            "/api/v1/orders/import": body(json!({"text/csv": {}})),
            "/api/v1/token": body(json!({"application/json": {}, "application/x-www-form-urlencoded": {}})),
        },
        "components": {"schemas": {"Order": order, "Line": line}},
    });
    (Upstream::local("order", router, description), reached)
}

async fn door() -> (Door, Arc<AtomicUsize>) {
    let (service, reached) = counting();
    (Door::open(vec![service], &[("max_json_depth", "16")]).await, reached)
}

#[tokio::test]
async fn a_body_that_does_not_fit_ends_at_the_door_and_names_its_fields() {
    let (door, reached) = door().await;
    let post = |body: Value| door.call(Method::POST, "/api/v1/orders").json(&body).send();
    for (body, pointer, code) in [
        (json!([]), "", "INVALID_FIELD"),
        (json!({}), "", "INVALID_FIELD"),
        (json!({"lines": {}}), "/lines", "INVALID_FIELD"),
        (json!({"lines": [{"quantity": 1}, {"quantity": "two"}]}), "/lines/1/quantity", "INVALID_FIELD"),
        (json!({"lines": [{"quantity": 1, "color/x": 1}]}), "/lines/0/color~1x", "UNKNOWN_FIELD"),
        (json!({"lines": [], "admin": true}), "/admin", "UNKNOWN_FIELD"),
        (json!({"lines": [], "notes": 5}), "/notes", "INVALID_FIELD"),
    ] {
        let refused = post(body.clone()).await.expect_problem(422, "INVALID_BODY").json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}: {refused}");
        assert_eq!(refused["errors"][0]["code"], code, "{body}: {refused}");
        assert_eq!(refused["instance"], "/api/v1/orders");
    }
    // As many mistakes as go into it.
    let empty = format!("{{\"lines\":[{}{{}}]}}", "{},".repeat(340_000));
    let unknown: String = (0..100_000).map(|number| format!(",\"{number:05}\":1")).collect();
    for many in [empty, format!("{{\"lines\":[]{unknown}}}")] {
        let refused = door.call(Method::POST, "/api/v1/orders").raw("application/json", many).send().await;
        let refused = refused.expect_problem(422, "INVALID_BODY");
        assert!(refused.body.len() < 16 * 1024, "{} bytes", refused.body.len());
        assert!(refused.json()["errors"][0]["pointer"].is_string());
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    // Values are the service's own matter.
    let body = json!({"lines": [{"quantity": 0}], "notes": "longer than ten letters"});
    assert_eq!(post(body.clone()).await.expect(200).json(), body);
    assert_eq!(post(json!({"lines": []})).await.expect(200).json(), json!({"lines": []}));
}

#[tokio::test]
async fn what_is_no_json_is_refused_as_what_it_is() {
    let (door, reached) = door().await;
    let send =
        |kind: &'static str, body: Vec<u8>| door.call(Method::POST, "/api/v1/orders").raw(kind, body).send();
    for body in ["", "{", "{lines: []}", "\u{0}", "{\"lines\": []} {}"] {
        send("application/json", body.into()).await.expect_problem(400, "MALFORMED_JSON");
    }
    send("application/json", b"{\"notes\": \"\xff\"}".to_vec()).await.expect_problem(400, "MALFORMED_JSON");
    for kind in ["text/plain", "application/xml", "multipart/form-data", "application/jsonp", "x/"] {
        send(kind, b"{\"lines\": []}".to_vec()).await.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    door.call(Method::POST, "/api/v1/orders").send().await.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let deep =
        |depth: usize| format!("{{\"lines\": [], \"deep\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    send("application/json", deep(16).into()).await.expect_problem(422, "INVALID_BODY");
    send("application/json", deep(100_000).into()).await.expect_problem(422, "INVALID_BODY");
    let large = format!("{{\"lines\": [], \"deep\": \"{}\"}}", "x".repeat(1 << 20));
    send("application/json", large.into()).await.expect_problem(413, "BODY_TOO_LARGE");
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    for kind in ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"] {
        send(kind, deep(15).into()).await.expect(200);
    }
}

#[tokio::test]
async fn files_and_forms_pass_as_they_are() {
    let (door, _) = door().await;
    let file = "a,b\n4111111111111111,{\n".repeat(100_000);
    let answer = door.call(Method::POST, "/api/v1/orders/import").raw("text/csv", file.clone()).send().await;
    assert_eq!(answer.expect(200).body.len(), file.len());
    let form =
        door.call(Method::POST, "/api/v1/token").raw("application/x-www-form-urlencoded", "a=b").send().await;
    assert_eq!(form.expect(200).text(), "a=b");
}

#[tokio::test]
async fn a_card_number_is_refused_and_never_repeated() {
    let (door, reached) = door().await;
    let post = |body: Value| door.call(Method::POST, "/api/v1/orders").json(&body).send();
    for note in ["4111 1111 1111 1111", "card 5555-5555-5555-4444 exp 12/29", "378282246310005"] {
        let refused = post(json!({"lines": [], "notes": note})).await.expect_problem(422, "CARD_NUMBER");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/notes");
        assert!(!refused.text().contains(note), "{}", refused.text());
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    for note in
        ["call +57 300 123 4567", "guide 1Z999AA10123456784", "NIT 860034313-7", "4111 1111 1111 1112"]
    {
        post(json!({"lines": [], "notes": note})).await.expect(200);
    }
    post(json!({"lines": [], "tracking_number": "4111111111111111"})).await.expect(200);
}
