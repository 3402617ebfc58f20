use quenty_kernel::id::{CompanyId, UserId};
use serde_json::{Value, json};

use crate::support::{admin, company_body, hear_registered, owner, person, registered, start};

/// The company of [`company_body`] with one field set.
fn with(field: &str, value: Value) -> Value {
    let mut body = company_body("860.034.313-7");
    body[field] = value;
    body
}

#[tokio::test]
async fn a_company_that_does_not_fit_is_refused_field_by_field() {
    let app = start().await;
    let cases = [
        ("surprise", json!(1), "INVALID_BODY", "/surprise"),
        ("kind", json!("club"), "INVALID_BODY", "/kind"),
        ("legal_name", json!(""), "INVALID_BODY", "/legal_name"),
        ("legal_name", json!("x".repeat(201)), "INVALID_BODY", "/legal_name"),
        ("trade_name", json!("a\u{0}b"), "INVALID_BODY", "/trade_name"),
        ("country", json!("Colombia"), "INVALID_BODY", "/country"),
        ("country", json!("JP"), "COUNTRY_NOT_SUPPORTED", "/country"),
        ("currency", json!("pesos"), "INVALID_BODY", "/currency"),
        ("time_zone", json!("Bogota"), "INVALID_BODY", "/time_zone"),
        ("categories", json!(vec!["x"; 11]), "INVALID_BODY", "/categories"),
        (
            "origin",
            json!({"line1": "a", "city": "b", "country": "CO", "zip": "1"}),
            "INVALID_BODY",
            "/origin",
        ),
        (
            "document",
            json!({"type": "NIT", "number": "860034313-8"}),
            "INVALID_DOCUMENT_NUMBER",
            "/document/number",
        ),
        ("document", json!({"type": "CPF", "number": "1"}), "UNKNOWN_DOCUMENT_TYPE", "/document/type"),
        (
            "document",
            json!({"type": "CC", "number": "1020304050"}),
            "DOCUMENT_TYPE_DOES_NOT_FIT",
            "/document/type",
        ),
    ];
    let token = person(&app, UserId::new());
    for (field, value, code, pointer) in cases {
        let refused =
            app.post("/api/v1/companies").token(&token).json(&with(field, value.clone())).send().await;
        let refused = refused.expect_problem(422, code);
        assert!(
            refused.json()["errors"][0]["pointer"].as_str().unwrap().starts_with(pointer),
            "{field} {value}: {}",
            refused.text()
        );
        assert!(!refused.text().contains("860034313"), "a refusal repeats no document number");
    }
    let listed = app.get("/api/v1/companies").token(&admin(&app)).send().await.expect(200).json();
    assert_eq!(listed["items"], json!([]), "nothing is half written");
}

#[tokio::test]
async fn no_new_address_is_one_that_mail_cannot_reach_and_an_old_one_stays_readable() {
    let app = start().await;
    let company = registered(&app).await;
    let token = owner(&app, company);
    let customer = json!({"kind": "individual", "name": "Ana", "email": "ana@example.com"});
    let known = app.post("/api/v1/customers").token(&token).json(&customer).send().await.expect(201).json();
    let known = format!("/api/v1/customers/{}", known["id"].as_str().unwrap());
    let member = json!({"role": "viewer", "given_name": "Ana", "family_name": "Gómez", "language": "es"});
    for email in [".ana@example.com", "ana.@example.com", "ana..gomez@example.com"] {
        let with = |body: &Value| {
            let mut body = body.clone();
            body["email"] = json!(email);
            body
        };
        let members = format!("/api/v1/companies/{company}/members");
        for call in [
            app.post("/api/v1/customers").json(&with(&customer)),
            app.patch(&known).json(&with(&json!({}))),
            app.post(&members).json(&with(&member)),
        ] {
            let refused = call.token(&token).send().await.expect_problem(422, "INVALID_BODY");
            let pointer = refused.json()["errors"][0]["pointer"].as_str().unwrap().to_owned();
            assert!(pointer.starts_with("/email"), "{email}: {}", refused.text());
        }
        let id = UserId::new();
        hear_registered(&app, id, email).await;
        let read = app.get(&format!("/api/v1/users/{id}")).token(&admin(&app)).send().await.expect(200);
        assert_eq!(read.json()["email"], email);
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let app = start().await;
    let token = person(&app, UserId::new());
    let send = |body: &'static [u8]| {
        app.post("/api/v1/companies").token(&token).raw("application/json", body).send()
    };
    send(b"{").await.expect_problem(400, "MALFORMED_JSON");
    send(b"{\"kind\": \"\xff\"}").await.expect_problem(400, "MALFORMED_JSON");
    send(b"[]").await.expect_problem(422, "INVALID_BODY");
    app.post("/api/v1/companies")
        .token(&token)
        .raw("text/plain", "x")
        .send()
        .await
        .expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn an_id_of_another_kind_is_refused_and_never_looked_up() {
    let app = start().await;
    let token = admin(&app);
    let customer = CompanyId::new().to_string().replace("COMP", "CUST");
    for path in
        ["/api/v1/companies/1", "/api/v1/companies/x%00", "/api/v1/users/COMP-1", "/api/v1/customers/1"]
    {
        app.get(path).token(&token).send().await.expect_problem(422, "INVALID_PATH");
    }
    app.get(&format!("/api/v1/companies/{customer}"))
        .token(&token)
        .send()
        .await
        .expect_problem(422, "INVALID_PATH");
    app.get(&format!("/api/v1/companies/{customer}/members"))
        .token(&token)
        .send()
        .await
        .expect_problem(422, "INVALID_PATH");
}

#[tokio::test]
async fn queries_and_headers_that_do_not_fit_are_refused() {
    let app = start().await;
    let id = registered(&app).await;
    let token = owner(&app, id);
    for query in ["status=open", "limit=0", "limit=101", "cursor=1", "surprise=1"] {
        app.get(&format!("/api/v1/companies?{query}"))
            .token(&token)
            .send()
            .await
            .expect_problem(422, "INVALID_QUERY");
    }
    for query in ["blocked=maybe", "q=", "limit=-1", "surprise=1"] {
        app.get(&format!("/api/v1/customers?{query}"))
            .token(&token)
            .send()
            .await
            .expect_problem(422, "INVALID_QUERY");
    }
    app.get(&format!("/api/v1/companies/{id}/members?colour=red"))
        .token(&token)
        .send()
        .await
        .expect_problem(422, "INVALID_QUERY");
    app.get(&format!("/api/v1/companies/{id}?as_of=yesterday"))
        .token(&token)
        .send()
        .await
        .expect_problem(422, "INVALID_QUERY");
    let stale = app
        .patch(&format!("/api/v1/companies/{id}"))
        .token(&token)
        .header("if-match", "new")
        .json(&json!({}))
        .send()
        .await;
    stale.expect_problem(400, "MALFORMED_IF_MATCH");
}
