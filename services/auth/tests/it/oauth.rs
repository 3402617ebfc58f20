use quenty_kernel::id::{CompanyId, SessionId};
use quenty_testkit::{app::TestApp, http::Answer};
use serde_json::{Value, json};

use crate::{
    companies::join,
    support::{
        ADMIN, ADMIN_PASSWORD, PASSWORD, access_token, admin_token, login, member_of_nothing, refresh,
        refresh_token, secret, service_token, start,
    },
};

async fn ask(app: &TestApp, path: &str, token: &str) -> Answer {
    let body = json!({"token": token, "client_id": "order", "client_secret": secret("order")});
    app.post(&format!("/api/v1/auth/{path}")).json(&body).send().await
}

async fn introspect(app: &TestApp, token: &str) -> Value {
    ask(app, "introspect", token).await.expect(200).json()
}

#[tokio::test]
async fn a_service_learns_what_an_access_token_says_as_json_and_as_a_form() {
    let app = start().await;
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let token = access_token(&tokens);
    let secret = secret("order");
    let form = format!("token={token}&token_type_hint=access_token&client_id=order&client_secret={secret}");
    let as_form =
        app.post("/api/v1/auth/introspect").raw("application/x-www-form-urlencoded", form).send().await;
    assert_eq!(as_form.header("cache-control"), Some("no-store"));
    for told in [introspect(&app, &token).await, as_form.expect(200).json()] {
        assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("Bearer")));
        assert_eq!(
            (&told["scope"], &told["client_id"], &told["realm"]),
            (&json!("*"), &json!("quenty"), &json!("staff"))
        );
        assert_eq!((&told["sub"], &told["sid"]), (&tokens["user_id"], &tokens["session_id"]));
        assert_eq!((&told["iss"], &told["aud"]), (&json!("https://quenty.local"), &json!("quenty")));
        assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 900);
    }
    let of_service = introspect(&app, &service_token(&app, "gateway").await).await;
    assert_eq!((&of_service["active"], &of_service["sub"]), (&json!(true), &json!("gateway")));
}

#[tokio::test]
async fn a_form_is_known_by_its_media_type_in_any_case_and_by_no_other() {
    let app = start().await;
    let form = format!("token=x&client_id=order&client_secret={}", secret("order"));
    let send =
        async |kind: &'static str| app.post("/api/v1/auth/introspect").raw(kind, form.clone()).send().await;
    send("Application/X-WWW-Form-URLEncoded; charset=UTF-8").await.expect(200);
    send("application/x-www-form-urlencoded-2").await.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn an_ended_session_a_suspended_user_and_a_revoked_key_make_tokens_inactive_at_once() {
    let app = start().await;
    let (admin, inactive) = (admin_token(&app).await, json!({"active": false}));
    let user = member_of_nothing(&app, "ana@example.com").await;
    join(&app, user, CompanyId::new(), "owner").await;
    let tokens = login(&app, "ana@example.com", PASSWORD).await.expect(200).json();
    let (access, renewal) = (access_token(&tokens), refresh_token(&tokens));
    assert_eq!(introspect(&app, &renewal).await["token_type"], "refresh_token");
    let key = json!({"name": "x", "scopes": ["orders:read"]});
    let key = app.post("/api/v1/auth/api-keys").token(&access).json(&key).send().await.expect(201).json();
    let exchange = json!({"api_key": key["api_key"], "address": "203.0.113.7"});
    let gateway = service_token(&app, "gateway").await;
    let exchanged = app.post("/internal/api-keys/exchange").token(&gateway).json(&exchange).send().await;
    let of_key = access_token(&exchanged.expect(200).json());
    assert_eq!(introspect(&app, &of_key).await["client_id"], key["id"]);
    let path = format!("/api/v1/auth/api-keys/{}", key["id"].as_str().unwrap());
    app.delete(&path).token(&access).send().await.expect(204);
    assert_eq!(introspect(&app, &of_key).await, inactive);
    app.post("/api/v1/auth/logout").token(&access).send().await.expect(204);
    for token in [&access, &renewal] {
        assert_eq!(introspect(&app, token).await, inactive);
    }
    let again = access_token(&login(&app, "ana@example.com", PASSWORD).await.expect(200).json());
    assert_eq!(introspect(&app, &again).await["active"], true);
    let suspend = format!("/api/v1/admin/users/{user}/suspend");
    app.post(&suspend).token(&admin).json(&json!({"reason": "a test"})).send().await.expect(200);
    assert_eq!(introspect(&app, &again).await, inactive);
    for nonsense in ["x", "x.y.z", &"x".repeat(8000)] {
        assert_eq!(introspect(&app, nonsense).await, inactive);
    }
}

#[tokio::test]
async fn a_revoked_token_ends_its_session_whichever_of_the_two_it_was() {
    let app = start().await;
    for which in [access_token, refresh_token] {
        let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
        ask(&app, "revoke", &which(&tokens)).await.expect(200);
        refresh(&app, &refresh_token(&tokens)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
        assert_eq!(introspect(&app, &access_token(&tokens)).await, json!({"active": false}));
        let session: SessionId = tokens["session_id"].as_str().unwrap().parse().unwrap();
        let ended = app.facts(session).await.pop().unwrap();
        assert_eq!(
            (ended.kind.as_str(), &ended.data["reason"]),
            ("quenty.auth.session.ended.v1", &json!("revoked"))
        );
        assert_eq!(ended.actor.to_string(), "service:order");
        ask(&app, "revoke", &which(&tokens)).await.expect(200);
    }
    ask(&app, "revoke", "no-such-token").await.expect(200);
    let service = service_token(&app, "order").await;
    let refused = ask(&app, "revoke", &service).await.expect_problem(400, "UNSUPPORTED_TOKEN_TYPE");
    assert_eq!(refused.json()["error"], "unsupported_token_type");
}

#[tokio::test]
async fn only_services_with_their_secret_ask() {
    let app = start().await;
    let (token, own) = (admin_token(&app).await, secret("order"));
    for path in ["/api/v1/auth/introspect", "/api/v1/auth/revoke"] {
        for (client, secret) in [("order", "wrong"), ("nobody", &own), ("order", "")] {
            let body = json!({"token": token, "client_id": client, "client_secret": secret});
            app.post(path).json(&body).send().await.expect_problem(401, "INVALID_CLIENT");
        }
        let bare = app.post(path).token(&token).json(&json!({"token": token})).send().await;
        bare.expect_problem(422, "INVALID_BODY");
    }
    assert_eq!(introspect(&app, &token).await["active"], true, "nobody ended the session");
}
