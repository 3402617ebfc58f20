use quenty_contracts::customer::{CompanySuspended, MemberRemoved, MemberRoleChanged};
use quenty_kernel::id::{ApiKeyId, CompanyId, MemberId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{app::TestApp, http::Answer, wait::eventually};
use serde_json::{Value, json};

use crate::{
    companies::join,
    support::{
        PASSWORD, access_token, admin_token, claims, login, mails_to, member_of_nothing, refresh,
        refresh_token, service_token, standing, start, token_in,
    },
};

const ANA: &str = "ana@example.com";
const HOME: &str = "203.0.113.7";

/// A person of a company, and what they log in to.
struct Person {
    user: UserId,
    company: CompanyId,
    member: MemberId,
    token: String,
}

async fn person(app: &TestApp, email: &str, company: CompanyId, role: &str) -> Person {
    let user = member_of_nothing(app, email).await;
    let member = join(app, user, company, role).await;
    let token = access_token(&login(app, email, PASSWORD).await.expect(200).json());
    Person { user, company, member, token }
}

async fn create(app: &TestApp, token: &str, body: Value) -> Answer {
    app.post("/api/v1/auth/api-keys").token(token).json(&body).send().await
}

/// Makes a key with these scopes.
async fn key(app: &TestApp, token: &str, scopes: &[&str]) -> Value {
    create(app, token, json!({"name": "web shop", "scopes": scopes})).await.expect(201).json()
}

fn text(key: &Value) -> &str {
    key["api_key"].as_str().expect("the key's text")
}

async fn exchange(app: &TestApp, gateway: &str, key: &str, address: &str) -> Answer {
    let body = json!({"api_key": key, "address": address});
    app.post("/internal/api-keys/exchange").token(gateway).json(&body).send().await
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_of_its_owner_with_its_scopes_and_no_more() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let made = create(
        &app,
        &ana.token,
        json!({"name": "web shop", "scopes": ["orders:read", "orders:create", "orders:read"], "addresses": ["203.0.113.0/24"]}),
    )
    .await
    .expect(201);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let made = made.json();
    assert_eq!(made["scopes"], json!(["orders:create", "orders:read"]));
    let gateway = service_token(&app, "gateway").await;
    let tokens = exchange(&app, &gateway, text(&made), HOME).await.expect(200).json();
    assert_eq!(tokens["expires_in"], 900);
    let claims = claims(&app, &tokens).await;
    assert_eq!((claims.realm, claims.company_id), (Realm::Company, Some(ana.company)));
    assert_eq!((claims.sub, claims.client_id.as_str()), (ana.user.to_string(), made["id"].as_str().unwrap()));
    assert_eq!((claims.sid, claims.exp - claims.iat), (None, 900));
    assert_eq!(claims.permissions, ["orders:create", "orders:read"]);
    let listed = app.get("/api/v1/auth/api-keys").token(&ana.token).send().await.expect(200);
    assert!(listed.json()["items"][0]["last_used_at"].is_string());
    let stored: String = sqlx::query_scalar("select string_agg(k::text, '') from api_keys k")
        .fetch_one(app.app.db())
        .await
        .unwrap();
    let secret = text(&made).get("qk_01JD3ZK8Q5V0E8XW4T2M9R6B7C_".len()..).unwrap();
    assert!(!stored.contains(secret) && !listed.text().contains(secret));
    app.assert_sound().await;
}

#[tokio::test]
async fn what_the_owner_holds_no_more_the_key_holds_no_more() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let made = key(&app, &ana.token, &["customers:*", "rates:read"]).await;
    let gateway = service_token(&app, "gateway").await;
    let (member_id, company_id, user_id) = (ana.member, ana.company, ana.user);
    let role = "viewer".to_owned();
    let changed = MemberRoleChanged { member_id, company_id, user_id, role };
    app.hear(member_id, Some(company_id), 2, &changed).await;
    let tokens = exchange(&app, &gateway, text(&made), HOME).await.expect(200).json();
    assert_eq!(claims(&app, &tokens).await.permissions, ["customers:read", "rates:read"]);
    app.hear(member_id, Some(company_id), 3, &MemberRemoved { member_id, company_id, user_id }).await;
    exchange(&app, &gateway, text(&made), HOME).await.expect_problem(401, "INVALID_API_KEY");
    join(&app, user_id, company_id, "owner").await;
    exchange(&app, &gateway, text(&made), HOME).await.expect_problem(401, "INVALID_API_KEY");
}

#[tokio::test]
async fn a_late_removal_takes_the_keys_of_its_own_membership_and_none_of_the_next() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let (member_id, company_id, user_id) = (ana.member, ana.company, ana.user);
    let old = key(&app, &ana.token, &["orders:read"]).await;
    // Customer's answer, or the next member's own event, was here before the removal.
    join(&app, user_id, company_id, "owner").await;
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let new = key(&app, &access_token(&tokens), &["orders:read"]).await;
    app.hear(member_id, Some(company_id), 2, &MemberRemoved { member_id, company_id, user_id }).await;
    let gateway = service_token(&app, "gateway").await;
    exchange(&app, &gateway, text(&old), HOME).await.expect_problem(401, "INVALID_API_KEY");
    exchange(&app, &gateway, text(&new), HOME).await.expect(200);
    let renewed = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    assert_eq!(claims(&app, &renewed).await.company_id, Some(company_id), "the session speaks for it still");
}

#[tokio::test]
async fn a_removal_takes_its_keys_although_that_of_the_membership_before_is_not_heard_yet() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let (company_id, user_id) = (ana.company, ana.user);
    let member_id = join(&app, user_id, company_id, "owner").await;
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let made = key(&app, &access_token(&tokens), &["orders:read"]).await;
    app.hear(member_id, Some(company_id), 2, &MemberRemoved { member_id, company_id, user_id }).await;
    let gateway = service_token(&app, "gateway").await;
    exchange(&app, &gateway, text(&made), HOME).await.expect_problem(401, "INVALID_API_KEY");
    let renewed = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    assert_eq!(renewed["realm"], "user", "its sessions have left");
}

#[tokio::test]
async fn a_suspended_owner_or_company_has_no_keys() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let made = key(&app, &ana.token, &["orders:read"]).await;
    let (gateway, admin) = (service_token(&app, "gateway").await, admin_token(&app).await);
    let path = |verb| format!("/api/v1/admin/users/{}/{verb}", ana.user);
    app.post(&path("suspend")).token(&admin).json(&json!({"reason": "a test"})).send().await.expect(200);
    exchange(&app, &gateway, text(&made), HOME).await.expect_problem(401, "INVALID_API_KEY");
    app.post(&path("reactivate")).token(&admin).send().await.expect(200);
    exchange(&app, &gateway, text(&made), HOME).await.expect_problem(401, "INVALID_API_KEY");
    let again = access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
    let made = key(&app, &again, &["orders:read"]).await;
    exchange(&app, &gateway, text(&made), HOME).await.expect(200);
    let suspended = CompanySuspended {
        company_id: ana.company,
        reason: "a test".to_owned(),
        standing: standing(ana.company, "suspended", 2),
    };
    app.hear(ana.company, Some(ana.company), 2, &suspended).await;
    exchange(&app, &gateway, text(&made), HOME).await.expect_problem(401, "INVALID_API_KEY");
}

#[tokio::test]
async fn unknown_forged_foreign_expired_and_revoked_keys_get_the_same_answer() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let body = json!({"name": "web shop", "scopes": ["orders:read"], "addresses": ["203.0.113.0/24"]});
    let made = create(&app, &ana.token, body).await.expect(201).json();
    let other = key(&app, &ana.token, &["orders:read"]).await;
    let gateway = service_token(&app, "gateway").await;
    let length = "qk_01JD3ZK8Q5V0E8XW4T2M9R6B7C_".len();
    let forged = format!("{}{}", text(&made).get(..length).unwrap(), text(&other).get(length..).unwrap());
    let unknown = format!("qk_{}_x", ApiKeyId::new().to_string().replace("AKEY-", ""));
    let mut answers = Vec::new();
    for (key, address) in [
        ("", HOME),
        ("nonsense", HOME),
        (unknown.as_str(), HOME),
        (forged.as_str(), HOME),
        (text(&made), "198.51.100.1"),
    ] {
        let refused = exchange(&app, &gateway, key, address).await;
        answers.push(refused.expect_problem(401, "INVALID_API_KEY"));
    }
    let expired = "update api_keys set expires_at = now() where name = 'web shop' and addresses = '{}'";
    sqlx::query(expired).execute(app.app.db()).await.unwrap();
    answers.push(exchange(&app, &gateway, text(&other), HOME).await.expect_problem(401, "INVALID_API_KEY"));
    exchange(&app, &gateway, text(&made), HOME).await.expect(200);
    let path = format!("/api/v1/auth/api-keys/{}", made["id"].as_str().unwrap());
    app.delete(&path).token(&ana.token).send().await.expect(204);
    app.delete(&path).token(&ana.token).send().await.expect_problem(404, "NOT_FOUND");
    answers.push(exchange(&app, &gateway, text(&made), HOME).await.expect_problem(401, "INVALID_API_KEY"));
    let details: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.json()["detail"].as_str().unwrap().to_owned()).collect();
    assert_eq!(details.len(), 1);
    let kinds: Vec<_> = app
        .facts(made["id"].as_str().unwrap().parse::<ApiKeyId>().unwrap())
        .await
        .into_iter()
        .map(|fact| fact.kind)
        .collect();
    assert_eq!(kinds, ["quenty.auth.api_key.created.v1", "quenty.auth.api_key.revoked.v1"]);
}

#[tokio::test]
async fn a_key_never_holds_what_its_maker_does_not() {
    let app = start().await;
    let company = CompanyId::new();
    let manager = person(&app, ANA, company, "manager").await;
    let mut ask = json!({"name": "x", "scopes": ["orders:create"]});
    for (scopes, status, code) in [
        (json!(["members:invite"]), 403, "BEYOND_OWN_PERMISSIONS"),
        (json!(["orders:*"]), 403, "BEYOND_OWN_PERMISSIONS"),
        (json!(["companies:approve"]), 403, "BEYOND_OWN_PERMISSIONS"),
        (json!(["*"]), 422, "NO_SUCH_SCOPE"),
        (json!(["*:read"]), 422, "NO_SUCH_SCOPE"),
        (json!(["api_keys:create"]), 422, "NO_SUCH_SCOPE"),
        (json!(["internal.api_keys:exchange"]), 422, "NO_SUCH_SCOPE"),
        (json!([]), 422, "INVALID_BODY"),
    ] {
        ask["scopes"] = scopes;
        create(&app, &manager.token, ask.clone()).await.expect_problem(status, code);
    }
    ask["scopes"] = json!(["orders:create"]);
    for (field, value, code) in [
        ("expires_at", json!("2020-01-01T00:00:00Z"), "INVALID_EXPIRY"),
        ("expires_at", json!("2099-01-01T00:00:00Z"), "INVALID_EXPIRY"),
        ("addresses", json!(["example.com"]), "INVALID_BODY"),
        ("user_id", json!(UserId::new()), "INVALID_BODY"),
        ("company_id", json!(CompanyId::new()), "INVALID_BODY"),
        ("name", json!(""), "INVALID_BODY"),
    ] {
        let mut body = ask.clone();
        body[field] = value;
        create(&app, &manager.token, body).await.expect_problem(422, code);
    }
    let operator = person(&app, "luis@example.com", company, "operator").await;
    create(&app, &operator.token, ask.clone()).await.expect_problem(403, "NOT_PERMITTED");
    let admin = admin_token(&app).await;
    create(&app, &admin, ask).await.expect_problem(403, "NO_COMPANY");
}

#[tokio::test]
async fn a_rotation_gives_another_secret_and_leaves_the_old_one_as_long_as_was_asked() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let gateway = service_token(&app, "gateway").await;
    let first = key(&app, &ana.token, &["orders:read"]).await;
    let path = format!("/api/v1/auth/api-keys/{}/rotate", first["id"].as_str().unwrap());
    let rotate = async |body: Value| app.post(&path).token(&ana.token).json(&body).send().await;
    let second = rotate(json!({"overlap_seconds": 3600})).await.expect(200).json();
    assert_ne!(text(&first), text(&second));
    for key in [&first, &second] {
        exchange(&app, &gateway, text(key), HOME).await.expect(200);
    }
    let third = rotate(json!({})).await.expect(200).json();
    for key in [&first, &second] {
        exchange(&app, &gateway, text(key), HOME).await.expect_problem(401, "INVALID_API_KEY");
    }
    exchange(&app, &gateway, text(&third), HOME).await.expect(200);
    rotate(json!({"overlap_seconds": 604_801})).await.expect_problem(422, "INVALID_BODY");
}

#[tokio::test]
async fn a_colleague_may_revoke_a_key_but_never_sees_its_secret_and_strangers_do_neither() {
    let app = start().await;
    let company = CompanyId::new();
    let ana = person(&app, ANA, company, "owner").await;
    let luis = person(&app, "luis@example.com", company, "manager").await;
    let eve = person(&app, "eve@example.com", CompanyId::new(), "owner").await;
    let made = key(&app, &ana.token, &["members:read"]).await;
    let path = format!("/api/v1/auth/api-keys/{}", made["id"].as_str().unwrap());
    let rotate = format!("{path}/rotate");
    for token in [&luis.token, &eve.token] {
        app.post(&rotate).token(token).json(&json!({})).send().await.expect_problem(404, "NOT_FOUND");
    }
    app.delete(&path).token(&eve.token).send().await.expect_problem(404, "NOT_FOUND");
    let seen = async |token: &str| {
        let list = app.get("/api/v1/auth/api-keys").token(token).send().await.expect(200).json();
        list["items"].as_array().unwrap().len()
    };
    assert_eq!((seen(&luis.token).await, seen(&eve.token).await), (1, 0));
    app.delete(&path).token(&luis.token).send().await.expect(204);
    assert_eq!(seen(&ana.token).await, 0);
}

#[tokio::test]
async fn a_stolen_key_takes_over_neither_the_account_nor_makes_other_keys() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let made = key(&app, &ana.token, &["orders:read"]).await;
    let gateway = service_token(&app, "gateway").await;
    let stolen = access_token(&exchange(&app, &gateway, text(&made), HOME).await.expect(200).json());
    let post = |path: &'static str, body: Value| app.post(path).token(&stolen).json(&body).send();
    let change = json!({"current_password": PASSWORD, "password": "granite-willow-ember-73"});
    post("/api/v1/auth/password/change", change).await.expect_problem(403, "NO_SESSION");
    for path in ["/api/v1/auth/logout", "/api/v1/auth/logout-all"] {
        post(path, json!({})).await.expect_problem(403, "NO_SESSION");
    }
    post("/api/v1/auth/switch-company", json!({"company_id": null})).await.expect_problem(403, "NO_SESSION");
    let patch = app.patch("/api/v1/profile").token(&stolen).json(&json!({"language": "en"}));
    patch.send().await.expect_problem(403, "NO_SESSION");
    for path in ["/api/v1/profile", "/api/v1/auth/sessions", "/api/v1/auth/mfa/passkeys"] {
        app.get(path).token(&stolen).send().await.expect_problem(403, "NO_SESSION");
    }
    create(&app, &stolen, json!({"name": "x", "scopes": ["orders:read"]}))
        .await
        .expect_problem(403, "NOT_PERMITTED");
    refresh(&app, &refresh_token(&tokens)).await.expect(200);
}

#[tokio::test]
async fn a_key_is_made_and_rotated_by_who_proved_to_be_it_a_moment_ago_and_its_owner_is_told() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let made = key(&app, &ana.token, &["orders:read"]).await;
    assert_eq!(mails_to(&app, ANA).await.last().unwrap()["kind"], "api_key_created");
    let past = "update sessions set authenticated_at = authenticated_at - interval '5 minutes'";
    sqlx::query(past).execute(app.app.db()).await.unwrap();
    let body = json!({"name": "another", "scopes": ["orders:read"]});
    let rotate = format!("/api/v1/auth/api-keys/{}/rotate", made["id"].as_str().unwrap());
    create(&app, &ana.token, body.clone()).await.expect_problem(403, "PASSWORD_NEEDED");
    let rotated = app.post(&rotate).token(&ana.token).json(&json!({})).send().await;
    rotated.expect_problem(403, "PASSWORD_NEEDED");
    let prove = json!({"current_password": PASSWORD});
    app.post("/api/v1/auth/reauthenticate").token(&ana.token).json(&prove).send().await.expect(204);
    create(&app, &ana.token, body).await.expect(201);
    app.post(&rotate).token(&ana.token).json(&json!({})).send().await.expect(200);
    assert!(mails_to(&app, ANA).await.iter().any(|mail| mail["kind"] == "api_key_rotated"));
    let refused =
        "select data ->> 'operation' from quenty.journal where data ->> 'outcome' = 'refused' order by seq";
    let refused: Vec<String> = sqlx::query_scalar(refused).fetch_all(app.app.db()).await.unwrap();
    assert_eq!(refused, ["create_api_key", "rotate_api_key"]);
}

#[tokio::test]
async fn a_password_reset_revokes_the_keys_of_before_unless_they_are_to_stay() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let gateway = service_token(&app, "gateway").await;
    let made = key(&app, &ana.token, &["orders:read"]).await;
    let tokens = exchange(&app, &gateway, text(&made), HOME).await.expect(200).json();
    let reset = async |more: Value| {
        app.post("/api/v1/auth/password/reset").json(&json!({"email": ANA})).send().await.expect(204);
        let mails = mails_to(&app, ANA).await;
        let mail = mails.iter().rfind(|mail| mail["kind"] == "password_reset").unwrap();
        let mut body = json!({"token": token_in(mail)});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.post("/api/v1/auth/password/reset/confirm").json(&body).send().await.expect(204);
    };
    reset(json!({"password": "granite-willow-ember-73", "keep_api_keys": true})).await;
    exchange(&app, &gateway, text(&made), HOME).await.expect(200);
    reset(json!({"password": "basalt-meadow-quartz-51"})).await;
    exchange(&app, &gateway, text(&made), HOME).await.expect_problem(401, "INVALID_API_KEY");
    eventually("the key's tokens end with it", || async {
        app.app.verifier().verify(&access_token(&tokens)).await.is_err().then_some(())
    })
    .await;
    let kinds = app.facts(made["id"].as_str().unwrap().parse::<ApiKeyId>().unwrap()).await;
    assert_eq!(kinds.last().unwrap().kind, "quenty.auth.api_key.revoked.v1");
    app.assert_sound().await;
}

async fn listed(app: &TestApp) -> usize {
    let list = app.get("/.well-known/revocations.json").send().await.expect(200).json();
    list["revocations"].as_array().expect("a list").len()
}

async fn revoke(app: &TestApp, token: &str, key: &Value) {
    let path = format!("/api/v1/auth/api-keys/{}", key["id"].as_str().unwrap());
    app.delete(&path).token(token).send().await.expect(204);
}

#[tokio::test]
async fn a_revoked_key_is_listed_only_while_it_may_have_tokens() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let (gateway, before) = (service_token(&app, "gateway").await, listed(&app).await);
    let unused = key(&app, &ana.token, &["orders:read"]).await;
    revoke(&app, &ana.token, &unused).await;
    let used_long_ago = key(&app, &ana.token, &["orders:read"]).await;
    exchange(&app, &gateway, text(&used_long_ago), HOME).await.expect(200);
    let past = "update api_keys set last_used_at = last_used_at - interval '17 minutes'";
    sqlx::query(past).execute(app.app.db()).await.unwrap();
    revoke(&app, &ana.token, &used_long_ago).await;
    assert_eq!(listed(&app).await, before);
    let used = key(&app, &ana.token, &["orders:read"]).await;
    let token = access_token(&exchange(&app, &gateway, text(&used), HOME).await.expect(200).json());
    revoke(&app, &ana.token, &used).await;
    assert_eq!(listed(&app).await, before + 1);
    eventually("the key's token ends with it", || async {
        app.app.verifier().verify(&token).await.is_err().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_rotation_without_overlap_ends_the_tokens_of_the_old_secret_and_none_of_the_new_one() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let (gateway, before) = (service_token(&app, "gateway").await, listed(&app).await);
    let first = key(&app, &ana.token, &["orders:read"]).await;
    let token =
        async |key: &Value| access_token(&exchange(&app, &gateway, text(key), HOME).await.expect(200).json());
    let path = format!("/api/v1/auth/api-keys/{}/rotate", first["id"].as_str().unwrap());
    let rotate =
        async |body: Value| app.post(&path).token(&ana.token).json(&body).send().await.expect(200).json();
    let second = rotate(json!({"overlap_seconds": 3600})).await;
    let old = [token(&first).await, token(&second).await];
    assert_eq!(listed(&app).await, before);
    let third = rotate(json!({})).await;
    assert_eq!(listed(&app).await, before + 1);
    for token in &old {
        eventually("the tokens of before end", || async {
            app.app.verifier().verify(token).await.is_err().then_some(())
        })
        .await;
    }
    let new = token(&third).await;
    assert!(app.app.verifier().verify(&new).await.is_ok(), "the key goes on");
    app.assert_sound().await;
}

#[tokio::test]
async fn who_exchanges_a_key_waits_for_who_revokes_it_and_is_in_nobodys_way() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let gateway = service_token(&app, "gateway").await;
    let made = key(&app, &ana.token, &["orders:read"]).await;
    let mut revoking = app.app.db().begin().await.unwrap();
    sqlx::query("select id from api_keys for update").execute(&mut *revoking).await.unwrap();
    let goes_on = async {
        eventually("the exchange waits for the key", || async {
            let waits = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
            sqlx::query_scalar::<_, bool>(waits).fetch_one(app.app.db()).await.unwrap().then_some(())
        })
        .await;
        // As `store::revocations::lock_alone`, without waiting.
        let alone = "select pg_try_advisory_xact_lock(x'7175656e74790102'::bigint)";
        let goes_on: bool = sqlx::query_scalar(alone).fetch_one(&mut *revoking).await.unwrap();
        revoking.rollback().await.unwrap();
        goes_on
    };
    let (exchanged, goes_on) = tokio::join!(exchange(&app, &gateway, text(&made), HOME), goes_on);
    assert!(goes_on, "whoever holds a key's row finds the list of revocations free");
    exchanged.expect(200);
}

#[tokio::test]
async fn whoever_makes_uses_and_revokes_keys_again_and_again_does_not_make_the_list_long() {
    let app = start().await;
    person(&app, ANA, CompanyId::new(), "owner").await;
    let (gateway, before) = (service_token(&app, "gateway").await, listed(&app).await);
    let mut tokens = Vec::new();
    for _ in 0..14 {
        // Above ten all of the owner's tokens end, this one, too.
        let own = access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
        let made = key(&app, &own, &["orders:read"]).await;
        let exchanged = exchange(&app, &gateway, text(&made), HOME).await.expect(200).json();
        tokens.push(access_token(&exchanged));
        revoke(&app, &own, &made).await;
    }
    assert_eq!(listed(&app).await, before + 11, "ten keys and their owner");
    for token in tokens {
        eventually("the key's token ends with it", || async {
            app.app.verifier().verify(&token).await.is_err().then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn nobody_but_the_gateway_exchanges_keys() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let made = key(&app, &ana.token, &["orders:read"]).await;
    let order = service_token(&app, "order").await;
    for token in [&order, &ana.token, &admin_token(&app).await] {
        exchange(&app, token, text(&made), HOME).await.expect_problem(403, "NOT_PERMITTED");
    }
}

#[tokio::test]
async fn strangers_keys_leave_no_more_than_so_many_records() {
    let app = start().await;
    let gateway = service_token(&app, "gateway").await;
    exchange(&app, &gateway, "qk_guess", HOME).await.expect(401);
    sqlx::query("update rate_limits set hits = 100 where bucket = 'key-address:203.0.113.7'")
        .execute(app.app.db())
        .await
        .unwrap();
    exchange(&app, &gateway, "qk_guess", HOME).await.expect_problem(401, "INVALID_API_KEY");
    let records = "select count(*) from quenty.journal where data ->> 'operation' = 'exchange_api_key'";
    assert_eq!(sqlx::query_scalar::<_, i64>(records).fetch_one(app.app.db()).await.unwrap(), 1);
}

#[tokio::test]
async fn twenty_keys_are_enough_even_when_made_at_once() {
    let app = start().await;
    let ana = person(&app, ANA, CompanyId::new(), "owner").await;
    let body = json!({"name": "web shop", "scopes": ["orders:read"]});
    let answers =
        futures_util::future::join_all((0..22).map(|_| create(&app, &ana.token, body.clone()))).await;
    let mut statuses: Vec<_> = answers.iter().map(Answer::status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 20, "{statuses:?}");
    assert!(answers.iter().all(|answer| answer.status() == 201 || answer.code() == "TOO_MANY_API_KEYS"));
}
