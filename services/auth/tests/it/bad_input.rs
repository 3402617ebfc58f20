use quenty_kernel::id::{CompanyId, UserId};
use serde_json::{Value, json};

use crate::support::{ADMIN, ADMIN_PASSWORD, PASSWORD, access_token, admin_token, login, start};

/// A body that would do, with one field set.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

fn registration() -> Value {
    json!({"email": "ana@example.com", "given_name": "Ana", "family_name": "Gómez", "password": PASSWORD})
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_and_leaves_nothing_behind() {
    let app = start().await;
    let register = "/api/v1/auth/register";
    let log_in = json!({"username_or_email": ADMIN, "password": ADMIN_PASSWORD});
    for (path, body, code, pointer) in [
        (register, with(registration(), "email", json!("ana")), "INVALID_BODY", "/email"),
        (register, with(registration(), "email", json!("a\u{0}@example.com")), "INVALID_BODY", "/email"),
        (register, with(registration(), "email", json!(1)), "INVALID_BODY", "/email"),
        (register, with(registration(), "email", json!("ana.@example.com")), "INVALID_BODY", "/email"),
        (register, with(registration(), "username", json!("ana@example.com")), "INVALID_BODY", "/username"),
        (register, with(registration(), "given_name", json!("")), "INVALID_BODY", "/given_name"),
        (register, with(registration(), "given_name", json!("a\u{0}b")), "INVALID_BODY", "/given_name"),
        (
            register,
            with(registration(), "family_name", json!("x".repeat(500))),
            "INVALID_BODY",
            "/family_name",
        ),
        (register, with(registration(), "language", json!("Spanish")), "INVALID_BODY", "/language"),
        (register, with(registration(), "password", json!("x".repeat(129))), "INVALID_BODY", "/password"),
        (register, with(registration(), "password", json!("short")), "WEAK_PASSWORD", "/password"),
        (register, with(registration(), "roles", json!(["admin"])), "INVALID_BODY", "/roles"),
        ("/api/v1/auth/verify", json!({"token": "", "password": PASSWORD}), "INVALID_BODY", "/token"),
        (
            "/api/v1/auth/verify",
            json!({"token": "x".repeat(257), "password": PASSWORD}),
            "INVALID_BODY",
            "/token",
        ),
        ("/api/v1/auth/verify", json!({"token": "x", "password": null}), "INVALID_BODY", "/password"),
        ("/api/v1/auth/verify/resend", json!({"email": "x"}), "INVALID_BODY", "/email"),
        (
            "/api/v1/auth/login",
            with(log_in.clone(), "username_or_email", json!("")),
            "INVALID_BODY",
            "/username_or_email",
        ),
        (
            "/api/v1/auth/login",
            with(log_in.clone(), "username_or_email", json!("a\u{0}")),
            "INVALID_BODY",
            "/username_or_email",
        ),
        (
            "/api/v1/auth/login",
            with(log_in.clone(), "password", json!("x".repeat(129))),
            "INVALID_BODY",
            "/password",
        ),
        ("/api/v1/auth/login", with(log_in.clone(), "otp", json!("1")), "INVALID_BODY", "/otp"),
        ("/api/v1/auth/refresh", json!({"refresh_token": 1}), "INVALID_BODY", "/refresh_token"),
        (
            "/api/v1/auth/invitations/accept",
            json!({"token": "x", "password": null}),
            "INVALID_BODY",
            "/password",
        ),
    ] {
        let refused = app.post(path).json(&body).send().await.expect_problem(422, code).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{path} {body}");
    }
    for path in [register, "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/token"] {
        let post = |kind: &'static str, body: &'static [u8]| app.post(path).raw(kind, body).send();
        post("application/json", b"{").await.expect_problem(400, "MALFORMED_JSON");
        post("application/json", b"{\"\xff\": 1}").await.expect_problem(400, "MALFORMED_JSON");
        post("application/json", b"[]").await.expect_problem(422, "INVALID_BODY");
        post("text/plain", b"{}").await.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let left: i64 = sqlx::query_scalar("select (select count(*) from users) + (select count(*) from registrations) + (select count(*) from sessions)")
        .fetch_one(app.app.db())
        .await
        .unwrap();
    assert_eq!(left, 1, "the administrator");
    app.assert_sound().await;
}

#[tokio::test]
async fn ids_queries_and_headers_that_do_not_fit_are_refused() {
    let app = start().await;
    let token = admin_token(&app).await;
    for path in [
        "/api/v1/admin/users/1",
        "/api/v1/admin/users/COMP-01JD3ZK8Q5V0E8XW4T2M9R6B7C",
        "/api/v1/admin/users/x%00",
    ] {
        app.get(path).token(&token).send().await.expect_problem(422, "INVALID_PATH");
    }
    app.delete("/api/v1/auth/sessions/x").token(&token).send().await.expect_problem(422, "INVALID_PATH");
    for path in [
        "/api/v1/admin/users?status=gone",
        "/api/v1/admin/users?colour=red",
        "/api/v1/admin/users?limit=101",
        "/api/v1/admin/audit?actor=service:%00",
        "/api/v1/admin/audit?actor=robot",
        "/api/v1/admin/audit?from=yesterday",
        "/api/v1/admin/audit?colour=red",
        "/api/v1/auth/sessions?colour=red",
        "/api/v1/auth/sessions?cursor=x",
    ] {
        app.get(path).token(&token).send().await.expect_problem(422, "INVALID_QUERY");
    }
    let unknown = format!("/api/v1/admin/users/{}", UserId::new());
    app.get(&format!("{unknown}?colour=red")).token(&token).send().await.expect_problem(422, "INVALID_QUERY");
    app.get(&unknown).token(&token).send().await.expect_problem(404, "NOT_FOUND");
    let stale = app.patch("/api/v1/profile").token(&token).header("if-match", "new").json(&json!({})).send();
    stale.await.expect_problem(400, "MALFORMED_IF_MATCH");
    for bad in ["Basic x", "Bearer", "Bearer x.y.z"] {
        let refused = app.get("/api/v1/profile").header("authorization", bad).send().await.expect(401);
        assert!(refused.header("www-authenticate").is_some(), "{bad}");
    }
}

#[tokio::test]
async fn illegal_steps_are_conflicts() {
    let app = start().await;
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let (token, id) = (access_token(&tokens), tokens["user_id"].as_str().unwrap().to_owned());
    let post = |verb: &'static str, body: Value| {
        app.post(&format!("/api/v1/admin/users/{id}/{verb}")).token(&token).json(&body).send()
    };
    post("reactivate", json!({})).await.expect_problem(409, "INVALID_USER_STATUS");
    post("suspend", json!({"reason": ""})).await.expect_problem(422, "INVALID_BODY");
    post("suspend", json!({"reason": "x"})).await.expect_problem(409, "LAST_SUPER_ADMIN");
    let roles =
        app.put(&format!("/api/v1/admin/users/{id}/roles")).token(&token).json(&json!({"roles": ["king"]}));
    roles.send().await.expect_problem(422, "NO_SUCH_ROLE");
    let switch = json!({"company_id": CompanyId::new()});
    let nowhere = app.post("/api/v1/auth/switch-company").token(&token).json(&switch).send().await;
    assert!(matches!(nowhere.status(), 404 | 503), "{}", nowhere.text());
}
