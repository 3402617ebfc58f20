use quenty_platform::token::Realm;
use serde_json::json;

use crate::support::{claims, refusal, secret, start, start_with};

#[tokio::test]
async fn a_service_gets_its_own_permissions_and_no_more_as_json_and_as_a_form() {
    let app = start().await;
    let json =
        json!({"grant_type": "client_credentials", "client_id": "order", "client_secret": secret("order")});
    let as_json = app.post("/api/v1/auth/token").json(&json).send().await.expect(200).json();
    let form = format!("grant_type=client_credentials&client_id=order&client_secret={}", secret("order"));
    let as_form = app
        .post("/api/v1/auth/token")
        .raw("application/x-www-form-urlencoded", form)
        .send()
        .await
        .expect(200)
        .json();
    for tokens in [as_json, as_form] {
        assert_eq!(tokens["expires_in"], 3600);
        let claims = claims(&app, &tokens).await;
        assert_eq!(
            (claims.realm, claims.sub.as_str(), claims.client_id.as_str()),
            (Realm::Service, "order", "order")
        );
        assert_eq!(
            claims.permissions,
            ["internal.companies:read", "internal.customers:read", "internal.customers:write"]
        );
    }
}

#[tokio::test]
async fn a_wrong_secret_an_unknown_client_and_another_grant_are_refused() {
    let app = start().await;
    let (own, another) = (secret("order"), secret("auth"));
    for (client, secret) in [("order", "wrong"), ("order", &another), ("nobody", &own), ("pickup", "")] {
        let body = json!({"grant_type": "client_credentials", "client_id": client, "client_secret": secret});
        let refused =
            app.post("/api/v1/auth/token").json(&body).send().await.expect_problem(401, "INVALID_CLIENT");
        assert_eq!(refused.json()["error"], "invalid_client");
    }
    let body = json!({"grant_type": "password", "client_id": "order", "client_secret": own});
    app.post("/api/v1/auth/token").json(&body).send().await.expect_problem(400, "UNSUPPORTED_GRANT_TYPE");
    app.post("/api/v1/auth/token")
        .raw("application/x-www-form-urlencoded", "grant_type=x")
        .send()
        .await
        .expect_problem(400, "MALFORMED_FORM");
}

#[tokio::test]
async fn strangers_leave_nothing_on_record_and_keep_no_service_waiting() {
    let app = start().await;
    let ask = |client: &str, secret: &str| {
        let body = json!({"grant_type": "client_credentials", "client_id": client, "client_secret": secret});
        app.post("/api/v1/auth/token").header("x-forwarded-for", "192.0.2.66").json(&body).send()
    };
    ask("mallory", "x").await.expect_problem(401, "INVALID_CLIENT");
    ask("order", "x").await.expect_problem(401, "INVALID_CLIENT");
    ask("a\u{0}b", "x").await.expect_problem(422, "INVALID_BODY");
    ask(&"x".repeat(65), "x").await.expect_problem(422, "INVALID_BODY");
    let names = "select data ->> 'client_id' from quenty.journal where type = 'quenty.auth.access.recorded.v1' order by seq";
    let recorded: Vec<Option<String>> = sqlx::query_scalar(names).fetch_all(app.app.db()).await.unwrap();
    assert_eq!(recorded, [None, Some("order".to_owned())]);
    sqlx::query("update rate_limits set hits = 100").execute(app.app.db()).await.unwrap();
    let refused = ask("mallory", "x").await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    assert!(refused.header("retry-after").is_some());
    let after: Vec<Option<String>> = sqlx::query_scalar(names).fetch_all(app.app.db()).await.unwrap();
    assert_eq!(after.len(), 2, "nothing more is kept");
    ask("order", &secret("order")).await.expect(200);
}

#[tokio::test]
async fn a_secret_that_could_be_guessed_is_a_start_error() {
    let told = refusal(start_with(&[("service_clients", r#"{"order": "order-secret"}"#)])).await;
    assert!(told.contains("QUENTY_SERVICE_CLIENTS") && told.contains("order has less than 32"), "{told}");
    assert!(!told.contains("order-secret"), "{told}");
}
