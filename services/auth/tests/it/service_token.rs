use quenty_platform::token::Realm;
use serde_json::json;

use crate::support::{claims, start};

#[tokio::test]
async fn a_service_gets_its_own_permissions_and_no_more_as_json_and_as_a_form() {
    let app = start().await;
    let json =
        json!({"grant_type": "client_credentials", "client_id": "order", "client_secret": "order-secret"});
    let as_json = app.post("/api/v1/auth/token").json(&json).send().await.expect(200).json();
    let form = "grant_type=client_credentials&client_id=order&client_secret=order-secret";
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
        assert_eq!(claims.permissions, ["internal.companies:read", "internal.customers:write"]);
    }
}

#[tokio::test]
async fn a_wrong_secret_an_unknown_client_and_another_grant_are_refused() {
    let app = start().await;
    for (client, secret) in
        [("order", "wrong"), ("order", "test"), ("nobody", "order-secret"), ("pickup", "")]
    {
        let body = json!({"grant_type": "client_credentials", "client_id": client, "client_secret": secret});
        let refused =
            app.post("/api/v1/auth/token").json(&body).send().await.expect_problem(401, "INVALID_CLIENT");
        assert_eq!(refused.json()["error"], "invalid_client");
    }
    let body = json!({"grant_type": "password", "client_id": "order", "client_secret": "order-secret"});
    app.post("/api/v1/auth/token").json(&body).send().await.expect_problem(400, "UNSUPPORTED_GRANT_TYPE");
    app.post("/api/v1/auth/token")
        .raw("application/x-www-form-urlencoded", "grant_type=x")
        .send()
        .await
        .expect_problem(400, "MALFORMED_FORM");
}
