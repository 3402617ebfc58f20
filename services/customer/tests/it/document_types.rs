use quenty_kernel::id::UserId;
use serde_json::json;

use crate::support::{person, start};

#[tokio::test]
async fn a_countrys_document_types_are_listed_with_those_of_every_country() {
    let app = start().await;
    let token = person(&app, UserId::new());
    let body = app.get("/api/v1/document-types?country=PE").token(&token).send().await.expect(200).json();
    let codes: Vec<_> =
        body["items"].as_array().unwrap().iter().map(|known| known["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["DNI", "RUC", "PASSPORT"]);
    let all = app.get("/api/v1/document-types").token(&token).send().await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 17);
}

#[tokio::test]
async fn a_number_is_checked_by_the_rules_of_its_country() {
    let app = start().await;
    let validate = |code: &str, country: &str, number: &str| {
        let path = format!("/api/v1/document-types/{code}/validate?country={country}");
        app.post(&path).token(&person(&app, UserId::new())).json(&json!({"number": number})).send()
    };
    let good = validate("NIT", "CO", "860034313-7").await.expect(200).json();
    assert_eq!(
        good,
        json!({"valid": true, "normalised": "8600343137", "display": "860.034.313-7", "reason": null})
    );
    let bad = validate("NIT", "CO", "860034313-8").await.expect(200).json();
    assert_eq!((&bad["valid"], &bad["normalised"]), (&json!(false), &json!(null)));
    assert!(bad["reason"].as_str().unwrap().contains("check digit"));
    validate("NIT", "PE", "860034313-7").await.expect_problem(404, "NOT_FOUND");
    validate("NIT", "XX", "860034313-7").await.expect_problem(422, "INVALID_QUERY");
}
