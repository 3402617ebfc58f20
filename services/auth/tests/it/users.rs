use axum::{
    Json, Router,
    http::{HeaderMap, Uri},
    routing::get,
};
use quenty_kernel::id::{UserId, new_uuid};
use quenty_testkit::{app::TestApp, http::Answer, neighbour::serve};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::{
    passkeys::owner,
    support::{
        ADMIN, ADMIN_PASSWORD, PASSWORD, access_token, admin_token, login, mails_to, member_of_nothing,
        refresh, refresh_token, start, start_with,
    },
};

async fn assign(app: &TestApp, token: &str, user: UserId, roles: &[&str]) -> Answer {
    app.put(&format!("/api/v1/admin/users/{user}/roles"))
        .token(token)
        .json(&json!({"roles": roles}))
        .send()
        .await
}

async fn suspend(app: &TestApp, token: &str, user: UserId) -> Answer {
    app.post(&format!("/api/v1/admin/users/{user}/suspend"))
        .token(token)
        .json(&json!({"reason": "a test"}))
        .send()
        .await
}

/// A person with these platform roles, and a token of theirs.
async fn staff(app: &TestApp, admin: &str, email: &str, roles: &[&str]) -> (UserId, String) {
    let user = member_of_nothing(app, email).await;
    assign(app, admin, user, roles).await.expect(200);
    (user, access_token(&login(app, email, PASSWORD).await.expect(200).json()))
}

fn id_of(tokens: &Value) -> UserId {
    tokens["user_id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn users_are_listed_found_and_changed() {
    let app = start().await;
    let (user, admin) = (member_of_nothing(&app, "ana@example.com").await, admin_token(&app).await);
    let all = app.get("/api/v1/admin/users").token(&admin).send().await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    for (filter, found) in [
        ("email=ANA@example.com", 1),
        ("role=super_admin", 1),
        ("status=suspended", 0),
        ("status=active&limit=1", 1),
    ] {
        let list =
            app.get(&format!("/api/v1/admin/users?{filter}")).token(&admin).send().await.expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), found, "{filter}");
    }
    let path = format!("/api/v1/admin/users/{user}");
    let before = app.get(&path).token(&admin).send().await.expect(200);
    let then = quenty_kernel::clock::wall_now();
    let changed = app
        .patch(&path)
        .token(&admin)
        .header("if-match", before.header("etag").unwrap())
        .json(&json!({"language": "pt-BR"}))
        .send()
        .await
        .expect(200);
    assert_eq!(changed.json()["language"], "pt-BR");
    let earlier = app.get(&format!("{path}?as_of={then}")).token(&admin).send().await.expect(200).json();
    assert_eq!(earlier, before.json(), "the journal rebuilds what was");
    let now = app
        .get(&format!("{path}?as_of={}", quenty_kernel::clock::wall_now()))
        .token(&admin)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(now, changed.json(), "the journal rebuilds what is");
    app.get(&format!("/api/v1/admin/users/{}", UserId::new()))
        .token(&admin)
        .send()
        .await
        .expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_suspended_user_is_out_at_once_and_back_after_reactivation() {
    let app = start().await;
    let (user, admin) = (member_of_nothing(&app, "ana@example.com").await, admin_token(&app).await);
    let tokens = login(&app, "ana@example.com", PASSWORD).await.expect(200).json();
    suspend(&app, &admin, user).await.expect(200);
    suspend(&app, &admin, user).await.expect_problem(409, "INVALID_USER_STATUS");
    refresh(&app, &refresh_token(&tokens)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    login(&app, "ana@example.com", PASSWORD).await.expect_problem(403, "ACCOUNT_SUSPENDED");
    app.post(&format!("/api/v1/admin/users/{user}/reactivate")).token(&admin).send().await.expect(200);
    login(&app, "ana@example.com", PASSWORD).await.expect(200);
    app.assert_sound().await;
}

#[tokio::test]
async fn nobody_gives_takes_or_overrules_what_they_do_not_hold() {
    let app = start().await;
    let root = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let (_, admin) = staff(&app, &access_token(&root), "admin@example.com", &["admin"]).await;
    let ana = member_of_nothing(&app, "ana@example.com").await;
    assign(&app, &admin, ana, &["dispatcher", "driver"]).await.expect(200);
    assign(&app, &admin, ana, &["super_admin"]).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    assign(&app, &admin, ana, &["auditor"]).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    assign(&app, &admin, id_of(&root), &[]).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    suspend(&app, &admin, id_of(&root)).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    let rename = |user: UserId| {
        let path = format!("/api/v1/admin/users/{user}");
        app.patch(&path).token(&admin).json(&json!({"given_name": "Eve"})).send()
    };
    rename(id_of(&root)).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    rename(ana).await.expect(200);
    assign(&app, &admin, ana, &["owner"]).await.expect_problem(422, "NO_SUCH_ROLE");
    let refused =
        "select data ->> 'operation' from quenty.journal where data ->> 'outcome' = 'refused' order by seq";
    let refused: Vec<String> = sqlx::query_scalar(refused).fetch_all(app.app.db()).await.unwrap();
    assert_eq!(refused, ["assign_roles", "assign_roles", "assign_roles", "suspend_user", "update_user"]);
}

#[tokio::test]
async fn staff_prove_anew_to_be_it_before_what_would_outlive_a_stolen_session_and_others_are_told_of_it() {
    let app = start().await;
    let root = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let token = access_token(&root);
    let ana = member_of_nothing(&app, "ana@example.com").await;
    let role = json!({"name": "night_shift", "about": "a test", "permissions": ["orders:read"]});
    let role = app.post("/api/v1/admin/roles").token(&token).json(&role).send().await.expect(201).json();
    let past = "update sessions set authenticated_at = authenticated_at - interval '5 minutes'";
    sqlx::query(past).execute(app.app.db()).await.unwrap();
    let invited = json!({"email": "luis@example.com", "given_name": "Luis", "family_name": "Rojas", "language": "es", "roles": ["super_admin"]});
    let other = json!({"name": "day_shift", "about": "a test", "permissions": ["orders:read"]});
    let invite = async || app.post("/api/v1/admin/users").token(&token).json(&invited).send().await;
    let create = async || app.post("/api/v1/admin/roles").token(&token).json(&other).send().await;
    let path = format!("/api/v1/admin/roles/{}", role["id"].as_str().unwrap());
    let update = async || app.patch(&path).token(&token).json(&json!({"about": "another"})).send().await;
    let stale = [
        invite().await,
        create().await,
        update().await,
        assign(&app, &token, ana, &["super_admin"]).await,
        reset_mfa(&app, &token, ana).await,
    ];
    for answer in stale {
        answer.expect_problem(403, "PASSWORD_NEEDED");
    }
    let tried = "select count(*) from quenty.journal j join quenty.journal_personal p on p.event_id = j.id
                 where j.data ->> 'outcome' = 'refused' and p.data ->> 'address' = '127.0.0.1'";
    assert_eq!(sqlx::query_scalar::<_, i64>(tried).fetch_one(app.app.db()).await.unwrap(), 5);
    assert!(mails_to(&app, ADMIN).await.is_empty() && mails_to(&app, "luis@example.com").await.is_empty());

    let prove = json!({"current_password": ADMIN_PASSWORD});
    app.post("/api/v1/auth/reauthenticate").token(&token).json(&prove).send().await.expect(204);
    let kinds = async |address: &str| {
        let mails = mails_to(&app, address).await;
        mails.iter().map(|mail| mail["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    create().await.expect(201);
    update().await.expect(200);
    assign(&app, &token, ana, &["support"]).await.expect(200);
    assert_eq!(kinds("ana@example.com").await, ["verification", "roles_changed"]);
    assert!(kinds(ADMIN).await.is_empty());
    assign(&app, &token, ana, &["super_admin", "support"]).await.expect(200);
    assert_eq!(kinds(ADMIN).await, ["super_admin_made"]);
    invite().await.expect(201);
    assert_eq!(kinds(ADMIN).await, ["super_admin_made", "super_admin_made"]);
    assert_eq!(
        kinds("ana@example.com").await,
        ["verification", "roles_changed", "roles_changed", "super_admin_made"]
    );
    app.assert_sound().await;
}

async fn reset_mfa(app: &TestApp, token: &str, user: UserId) -> Answer {
    let reason = json!({"reason": "lost the phone"});
    app.post(&format!("/api/v1/admin/users/{user}/reset-mfa")).token(token).json(&reason).send().await
}

#[tokio::test]
async fn who_has_lost_their_second_factors_is_let_in_with_the_password_by_staff() {
    let app = start().await;
    let root = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let (admin, token) = staff(&app, &access_token(&root), "admin@example.com", &["admin"]).await;
    let ana = owner(&app, "ana@example.com").await;
    reset_mfa(&app, &ana.token(), ana.user).await.expect_problem(403, "NOT_PERMITTED");
    assert!(login(&app, "ana@example.com", PASSWORD).await.expect(200).json()["mfa_token"].is_string());
    reset_mfa(&app, &token, ana.user).await.expect(204);
    refresh(&app, &refresh_token(&ana.tokens)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let again = login(&app, "ana@example.com", PASSWORD).await.expect(200).json();
    let profile = app.get("/api/v1/profile").token(&access_token(&again)).send().await.expect(200).json();
    assert_eq!((&profile["mfa_enabled"], &profile["recovery_codes_left"]), (&json!(false), &json!(0)));
    reset_mfa(&app, &token, ana.user).await.expect_problem(409, "MFA_NOT_ENABLED");
    let mut facts = app.facts(ana.user).await;
    let (disabled, reset) = (facts.pop().unwrap(), facts.pop().unwrap());
    assert_eq!(
        (disabled.kind.as_str(), &disabled.data["method"]),
        ("quenty.auth.mfa.disabled.v1", &json!("passkey"))
    );
    assert_eq!(
        (reset.kind.as_str(), &reset.data["reason"]),
        ("quenty.auth.mfa.reset.v1", &json!("lost the phone"))
    );
    assert_eq!(reset.actor, quenty_kernel::Actor::User(admin));
    let mails = mails_to(&app, "ana@example.com").await;
    assert_eq!(mails.last().unwrap()["kind"], "mfa_reset");
    app.assert_sound().await;
}

#[tokio::test]
async fn nobody_resets_their_own_second_factor_or_that_of_who_holds_more() {
    let app = start().await;
    let root = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let (admin, token) = staff(&app, &access_token(&root), "admin@example.com", &["admin"]).await;
    reset_mfa(&app, &token, admin).await.expect_problem(403, "OWN_MFA");
    let ana = owner(&app, "ana@example.com").await;
    assign(&app, &access_token(&root), ana.user, &["credit_analyst", "auditor"]).await.expect(200);
    reset_mfa(&app, &token, ana.user).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    reset_mfa(&app, &access_token(&root), ana.user).await.expect(204);
}

#[tokio::test]
async fn the_last_super_admin_stays() {
    let app = start().await;
    let root = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let token = access_token(&root);
    assign(&app, &token, id_of(&root), &["admin"]).await.expect_problem(409, "LAST_SUPER_ADMIN");
    suspend(&app, &token, id_of(&root)).await.expect_problem(409, "LAST_SUPER_ADMIN");
    let (second, other) = staff(&app, &token, "ana@example.com", &["super_admin"]).await;
    let (a, b) = tokio::join!(suspend(&app, &token, second), suspend(&app, &other, id_of(&root)));
    let mut statuses = [a.status(), b.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "two that each leave the other do not leave none");
}

#[tokio::test]
async fn the_audit_trail_is_searched_by_actor_type_subject_and_time() {
    let app = start().await;
    let root = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let (token, ana) = (access_token(&root), member_of_nothing(&app, "ana@example.com").await);
    suspend(&app, &token, ana).await.expect(200);
    let search = async |query: String| {
        app.get(&format!("/api/v1/admin/audit?{query}")).token(&token).send().await.expect(200).json()["items"].as_array().unwrap().clone()
    };
    let suspended = search(format!("subject={ana}&type=quenty.auth.user.suspended.v1")).await;
    assert_eq!((suspended.len(), &suspended[0]["actor"]), (1, &json!(format!("user:{}", id_of(&root)))));
    login(&app, "ana@example.com", "guess-guess-guess").await.expect(401);
    let of_ana = search(format!("subject={ana}&limit=100")).await;
    let kinds: Vec<_> = of_ana.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    let about_ana = [
        "login.failed",
        "access.recorded",
        "user.suspended",
        "session.started",
        "session.ended",
        "user.registered",
    ];
    for kind in about_ana {
        assert!(kinds.contains(&format!("quenty.auth.{kind}.v1").as_str()), "{kind}: {kinds:?}");
    }
    let of_root = search(format!("subject={}&type=quenty.auth.login.failed.v1", id_of(&root))).await;
    assert!(of_root.is_empty(), "{of_root:?}");
    assert!(
        search(format!("actor=user:{ana}")).await.iter().all(|entry| entry["actor"] == format!("user:{ana}"))
    );
    assert!(search("to=2020-01-01T00:00:00Z".to_owned()).await.is_empty());
    let access = search("type=quenty.auth.access.recorded.v1".to_owned()).await;
    let operations: Vec<_> =
        access.iter().map(|entry| entry["data"]["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["suspend_user", "verify_user", "register_user"]);
    assert_eq!(access[2]["data"]["address"], "203.0.113.9");
    let first = app.get("/api/v1/admin/audit?limit=2").token(&token).send().await.expect(200).json();
    let next = search(format!("limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert!(next[0]["id"].as_str() < first["items"][1]["id"].as_str());
}

/// Another service, as far as its trail goes: it tells how it was asked.
async fn trail(headers: HeaderMap, uri: Uri) -> Json<Value> {
    let by_token = headers["authorization"].to_str().unwrap().starts_with("Bearer ");
    let entry = json!({
        "id": new_uuid(), "stream": "ORD-1", "stream_version": 1, "type": "quenty.access.read.v1",
        "data": {"asked": uri.to_string(), "by_token": by_token}, "actor": "system", "company_id": null,
        "correlation_id": new_uuid(), "causation_id": null, "occurred_at": "2026-11-27T00:00:00Z",
    });
    Json(json!({"items": [entry], "next_cursor": null}))
}

#[tokio::test]
async fn the_trail_of_another_service_is_asked_for_there() {
    let order = serve(Router::new().route("/internal/journal", get(trail))).await;
    let app = start_with(&[("order_url", &order)]).await;
    let token = access_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json());
    let search =
        async |query: &str| app.get(&format!("/api/v1/admin/audit?{query}")).token(&token).send().await;
    let told = search("limit=5&service=order&type=quenty.access.read.v1").await.expect(200).json();
    let asked = "/internal/journal?limit=5&type=quenty.access.read.v1";
    assert_eq!(told["items"][0]["data"], json!({"asked": asked, "by_token": true}));
    search("service=payroll").await.expect_problem(404, "NOT_FOUND");
    search("service=auth&service=order").await.expect(422);
    let own = search("service=auth&type=quenty.access.read.v1").await.expect(200).json();
    assert_eq!(own["items"].as_array().map(Vec::len), Some(1), "searching is reading: {own:#}");
}

/// Another service's part of a journal, found sound: it tells how it was asked.
async fn sound(uri: Uri) -> Json<Value> {
    Json(json!({"streams": 200, "entries": 900, "findings": [], "next_after": uri.to_string()}))
}

#[tokio::test]
async fn the_chains_of_any_service_are_verified_some_at_a_time() {
    let order = serve(Router::new().route("/internal/journal/verification", get(sound))).await;
    let app = start_with(&[("order_url", &order)]).await;
    let token = access_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json());
    let verify =
        async |query: &str| app.get(&format!("/api/v1/admin/audit/verify{query}")).token(&token).send().await;
    let own = verify("").await.expect(200).json();
    assert!(own["streams"].as_u64() > Some(0) && own["entries"].as_u64() >= own["streams"].as_u64(), "{own}");
    assert_eq!((&own["findings"], &own["next_after"]), (&json!([]), &Value::Null));
    let elsewhere = verify("?service=order&after=ORD-1").await.expect(200).json();
    assert_eq!(elsewhere["next_after"], "/internal/journal/verification?after=ORD-1");
    verify("?service=payroll").await.expect_problem(404, "NOT_FOUND");

    let planted =
        "update quenty.journal set actor = 'system' where seq = (select max(seq) from quenty.journal)";
    let mut database = PgConnection::connect(&app.database.owner_url).await.unwrap();
    sqlx::query(planted).execute(&mut database).await.unwrap();
    let broken = verify("?service=auth").await.expect(200).json();
    assert_eq!(broken["findings"].as_array().map(Vec::len), Some(1), "{broken}");
    member_of_nothing(&app, "ana@example.com").await;
    let ana = access_token(&login(&app, "ana@example.com", PASSWORD).await.expect(200).json());
    let refused = app.get("/api/v1/admin/audit/verify").token(&ana).send().await;
    refused.expect_problem(403, "NOT_PERMITTED");
}
