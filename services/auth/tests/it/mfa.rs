use std::collections::BTreeSet;

use jiff::SignedDuration;
use quenty_kernel::{clock::wall_now, hex, id::UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{app::TestApp, http::Answer, wait::eventually};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::support::{
    ADMIN, ADMIN_PASSWORD, PASSWORD, access_token, admin_token, claims, login, mails_to, member_of_nothing,
    options, refresh, refresh_token, start, start_with,
};

const ANA: &str = "ana@example.com";

/// What the app of this secret shows now, or so many steps from now.
fn code(secret: &str, steps: i64) -> String {
    let app = Builder::new()
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .with_account_name("x")
        .build()
        .unwrap();
    let at = wall_now() + SignedDuration::from_secs(30 * steps);
    app.generate(at.as_second().try_into().unwrap()).to_string()
}

async fn post(app: &TestApp, token: &str, path: &str, body: Value) -> Answer {
    app.post(&format!("/api/v1/auth/{path}")).token(token).json(&body).send().await
}

/// A person with an app: who it is, its secret, the recovery codes and the tokens of the session.
struct Enrolled {
    user: UserId,
    secret: String,
    /// The code that confirmed the app.
    used: String,
    codes: Vec<String>,
    tokens: Value,
}

async fn enrol(app: &TestApp, tokens: Value) -> Enrolled {
    let (user, token) = (tokens["user_id"].as_str().unwrap().parse().unwrap(), access_token(&tokens));
    let begun = post(app, &token, "mfa/totp", json!({})).await.expect(200).json();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let used = code(&secret, 0);
    let confirmed = post(app, &token, "mfa/totp/confirm", json!({"code": used})).await.expect(200).json();
    let codes = serde_json::from_value(confirmed["recovery_codes"].clone()).unwrap();
    Enrolled { user, secret, used, codes, tokens }
}

async fn enrolled(app: &TestApp) -> Enrolled {
    member_of_nothing(app, ANA).await;
    enrol(app, login(app, ANA, PASSWORD).await.expect(200).json()).await
}

/// The first step of a login.
async fn first_step(app: &TestApp) -> String {
    let asked = login(app, ANA, PASSWORD).await.expect(200).json();
    assert_eq!(
        (&asked["mfa_required"], &asked["methods"]),
        (&json!(true), &json!(["totp", "recovery_code"]))
    );
    assert!(asked.get("access_token").is_none() && asked.get("refresh_token").is_none());
    asked["mfa_token"].as_str().unwrap().to_owned()
}

async fn verify(app: &TestApp, mfa_token: &str, code: &str) -> Answer {
    let body = json!({"mfa_token": mfa_token, "code": code});
    app.post("/api/v1/auth/mfa/verify").json(&body).send().await
}

async fn sql(app: &TestApp, statement: &'static str) {
    sqlx::query(statement).execute(app.app.db()).await.unwrap();
}

/// As if half a minute had passed: the code that the app shows was not given before.
async fn next_code(app: &TestApp) {
    sql(app, "update totp_factors set last_step = 0").await;
}

#[tokio::test]
async fn a_confirmed_app_is_asked_for_and_other_sessions_of_the_password_end() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let elsewhere = login(&app, ANA, PASSWORD).await.expect(200).json();
    let ana = enrol(&app, login(&app, ANA, PASSWORD).await.expect(200).json()).await;
    assert_eq!(ana.codes.iter().collect::<BTreeSet<_>>().len(), 10);
    refresh(&app, &refresh_token(&elsewhere)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let renewed = refresh(&app, &refresh_token(&ana.tokens)).await.expect(200).json();
    assert_eq!(claims(&app, &renewed).await.amr, ["pwd", "otp", "mfa"]);
    let mfa_token = first_step(&app).await;
    let tokens = verify(&app, &mfa_token, &code(&ana.secret, 1)).await.expect(200).json();
    assert_eq!(claims(&app, &tokens).await.amr, ["pwd", "otp", "mfa"]);
    verify(&app, &mfa_token, &code(&ana.secret, 1)).await.expect_problem(401, "INVALID_MFA_TOKEN");
    let profile = app.get("/api/v1/profile").token(&access_token(&tokens)).send().await.expect(200).json();
    assert_eq!((&profile["mfa_enabled"], &profile["recovery_codes_left"]), (&json!(true), &json!(10)));
    assert_eq!(mails_to(&app, ANA).await.last().unwrap()["kind"], "mfa_enabled");
    app.assert_sound().await;
}

#[tokio::test]
async fn the_answer_holds_a_picture_of_the_uri_and_nothing_of_the_secret_is_kept_in_clear() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let token = access_token(&login(&app, ANA, PASSWORD).await.json());
    let begun = post(&app, &token, "mfa/totp", json!({})).await.expect(200);
    assert_eq!(begun.header("cache-control"), Some("no-store"));
    let begun = begun.json();
    let (secret, uri) = (begun["secret"].as_str().unwrap(), begun["otpauth_uri"].as_str().unwrap());
    assert!(uri.starts_with("otpauth://totp/Quenty:ana%40example.com?") && uri.contains(secret), "{uri}");
    assert!(begun["qr_svg"].as_str().unwrap().starts_with("<svg "));
    let kept = "select (select string_agg(f::text, '') from totp_factors f) || (select string_agg(j::text, '') from quenty.journal j)";
    let kept: String = sqlx::query_scalar(kept).fetch_one(app.app.db()).await.unwrap();
    let bytes = Secret::try_from_base32(secret).unwrap();
    assert!(!kept.contains(secret) && !kept.contains(&hex(bytes.as_bytes())));
}

#[tokio::test]
async fn an_app_that_nobody_confirmed_is_asked_of_nobody() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let token = access_token(&login(&app, ANA, PASSWORD).await.json());
    post(&app, &token, "mfa/totp/confirm", json!({"code": "123456"}))
        .await
        .expect_problem(409, "MFA_NOT_ENABLED");
    let first = post(&app, &token, "mfa/totp", json!({})).await.expect(200).json();
    post(&app, &token, "mfa/totp/confirm", json!({"code": "not-it"}))
        .await
        .expect_problem(422, "INVALID_CODE");
    assert!(login(&app, ANA, PASSWORD).await.expect(200).json()["access_token"].is_string());
    let second = post(&app, &token, "mfa/totp", json!({})).await.expect(200).json();
    let old = code(first["secret"].as_str().unwrap(), 0);
    post(&app, &token, "mfa/totp/confirm", json!({"code": old})).await.expect_problem(422, "INVALID_CODE");
    let new = code(second["secret"].as_str().unwrap(), 0);
    post(&app, &token, "mfa/totp/confirm", json!({"code": new})).await.expect(200);
    for path in ["mfa/totp", "mfa/totp/confirm"] {
        post(&app, &token, path, json!({"code": new})).await.expect_problem(409, "MFA_ENABLED");
    }
}

#[tokio::test]
async fn no_code_works_twice() {
    let app = start().await;
    let ana = enrolled(&app).await;
    let mfa_token = first_step(&app).await;
    verify(&app, &mfa_token, &ana.used).await.expect_problem(401, "INVALID_CODE");
    let next = code(&ana.secret, 1);
    verify(&app, &mfa_token, &next).await.expect(200);
    verify(&app, &first_step(&app).await, &next).await.expect_problem(401, "INVALID_CODE");
    next_code(&app).await;
    let (a, b) = (first_step(&app).await, first_step(&app).await);
    let (a, b) = tokio::join!(verify(&app, &a, &next), verify(&app, &b, &next));
    let mut statuses = [a.status(), b.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "not even at once");
}

#[tokio::test]
async fn a_recovery_code_works_once_until_others_replace_it() {
    let app = start().await;
    let ana = enrolled(&app).await;
    let typed = ana.codes[0].to_lowercase().replace('-', " ");
    let tokens = verify(&app, &first_step(&app).await, &typed).await.expect(200).json();
    verify(&app, &first_step(&app).await, &ana.codes[0]).await.expect_problem(401, "INVALID_CODE");
    let token = access_token(&tokens);
    let profile = app.get("/api/v1/profile").token(&token).send().await.expect(200).json();
    assert_eq!(profile["recovery_codes_left"], 9);
    let renewed = post(&app, &token, "mfa/recovery-codes", json!({})).await.expect(200).json();
    assert_eq!(renewed["recovery_codes"].as_array().unwrap().len(), 10);
    verify(&app, &first_step(&app).await, &ana.codes[1]).await.expect_problem(401, "INVALID_CODE");
    let fresh = renewed["recovery_codes"][9].as_str().unwrap();
    verify(&app, &first_step(&app).await, fresh).await.expect(200);
    let kept: String = sqlx::query_scalar("select string_agg(c::text, '') from recovery_codes c")
        .fetch_one(app.app.db())
        .await
        .unwrap();
    assert!(!kept.contains(fresh) && !kept.contains(&fresh.replace('-', "")));
}

#[tokio::test]
async fn guessed_codes_end_the_login_and_then_wait_whoever_guesses() {
    let app = start().await;
    let ana = enrolled(&app).await;
    for _ in 0..2 {
        let mfa_token = first_step(&app).await;
        let guesses = (0..7).map(|_| verify(&app, &mfa_token, "000000"));
        let answers = futures_util::future::join_all(guesses).await;
        let looked_at = answers.iter().filter(|answer| answer.code() == "INVALID_CODE").count();
        assert_eq!(looked_at, 5, "five for one login, counted one by one");
        verify(&app, &mfa_token, &ana.codes[0]).await.expect_problem(401, "INVALID_MFA_TOKEN");
    }
    let waits = verify(&app, &first_step(&app).await, &ana.codes[0]).await;
    let waits = waits.expect_problem(429, "TOO_MANY_ATTEMPTS");
    assert!(waits.header("retry-after").unwrap().parse::<u32>().unwrap() <= 3600);
    sql(&app, "update rate_limits set started_at = started_at - interval '1 hour'").await;
    verify(&app, &first_step(&app).await, &ana.codes[0]).await.expect(200);
    let reasons = "select count(*) from quenty.journal where type = 'quenty.auth.login.failed.v1' and data ->> 'reason' = 'bad_code'";
    assert_eq!(sqlx::query_scalar::<_, i64>(reasons).fetch_one(app.app.db()).await.unwrap(), 10);
}

#[tokio::test]
async fn a_second_step_needs_its_first_while_that_counts() {
    let app = start().await;
    let ana = enrolled(&app).await;
    verify(&app, "no-such-token", &ana.codes[0]).await.expect_problem(401, "INVALID_MFA_TOKEN");
    let late = first_step(&app).await;
    app.get("/api/v1/profile").token(&late).send().await.expect_problem(401, "INVALID_TOKEN");
    sql(&app, "update mfa_challenges set expires_at = expires_at - interval '5 minutes'").await;
    verify(&app, &late, &ana.codes[0]).await.expect_problem(401, "INVALID_MFA_TOKEN");
    let outlived = first_step(&app).await;
    let change = json!({"current_password": PASSWORD, "password": "granite-willow-ember-73"});
    post(&app, &access_token(&ana.tokens), "password/change", change).await.expect(204);
    verify(&app, &outlived, &ana.codes[0]).await.expect_problem(401, "INVALID_MFA_TOKEN");
}

#[tokio::test]
async fn the_second_factor_changes_only_soon_after_the_password_was_given() {
    let app = start().await;
    let ana = enrolled(&app).await;
    let token = access_token(&ana.tokens);
    let ask = async |path: &'static str| post(&app, &token, path, json!({"code": "123456"})).await;
    let reauthenticate = async |password: &'static str| {
        post(&app, &token, "reauthenticate", json!({"current_password": password})).await
    };
    let with_code = async |code: &str| {
        post(&app, &token, "reauthenticate", json!({"current_password": PASSWORD, "code": code})).await
    };
    sql(&app, "update sessions set authenticated_at = authenticated_at - interval '5 minutes'").await;
    for path in ["mfa/totp", "mfa/totp/confirm", "mfa/recovery-codes"] {
        ask(path).await.expect_problem(403, "PASSWORD_NEEDED");
    }
    let disable = async || app.delete("/api/v1/auth/mfa/totp").token(&token).send().await;
    disable().await.expect_problem(403, "PASSWORD_NEEDED");
    reauthenticate("not-the-password").await.expect_problem(422, "WRONG_PASSWORD");
    disable().await.expect_problem(403, "PASSWORD_NEEDED");
    reauthenticate(PASSWORD).await.expect_problem(422, "CODE_NEEDED");
    with_code(&ana.used).await.expect_problem(422, "WRONG_CODE");
    disable().await.expect_problem(403, "PASSWORD_NEEDED");
    let refused = "select string_agg(data ->> 'operation', ' ' order by seq) from quenty.journal where data ->> 'outcome' = 'refused'";
    let refused: String = sqlx::query_scalar(refused).fetch_one(app.app.db()).await.unwrap();
    assert_eq!(
        refused,
        "enrol_totp confirm_totp renew_recovery_codes disable_totp reauthenticate disable_totp reauthenticate disable_totp"
    );
    with_code(&code(&ana.secret, 1)).await.expect(204);
    disable().await.expect(204);
    let token = access_token(&refresh(&app, &refresh_token(&ana.tokens)).await.expect(200).json());
    let gone = app.delete("/api/v1/auth/mfa/totp").token(&token).send().await;
    gone.expect_problem(409, "MFA_NOT_ENABLED");
    let reauthenticate = async |password: &'static str| {
        post(&app, &token, "reauthenticate", json!({"current_password": password})).await
    };
    assert!(login(&app, ANA, PASSWORD).await.expect(200).json()["access_token"].is_string());
    for _ in 0..5 {
        reauthenticate("guess-guess-guess").await.expect(422);
    }
    let ended = refresh(&app, &refresh_token(&ana.tokens)).await;
    ended.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let kinds: Vec<_> = app.facts(ana.user).await.into_iter().map(|fact| fact.kind).collect();
    assert!(
        kinds.ends_with(&["quenty.auth.mfa.enabled.v1".to_owned(), "quenty.auth.mfa.disabled.v1".to_owned()])
    );
    assert_eq!(mails_to(&app, ANA).await.last().unwrap()["kind"], "mfa_disabled");
    app.assert_sound().await;
}

#[tokio::test]
async fn guessed_codes_of_a_session_count_with_those_of_logins() {
    let app = start().await;
    let ana = enrolled(&app).await;
    let token = access_token(&ana.tokens);
    let body = json!({"current_password": PASSWORD, "code": "000000"});
    for _ in 0..10 {
        post(&app, &token, "reauthenticate", body.clone()).await.expect_problem(422, "WRONG_CODE");
    }
    post(&app, &token, "reauthenticate", body).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    verify(&app, &first_step(&app).await, &ana.codes[0]).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    let unlock = app.post(&format!("/api/v1/admin/users/{}/unlock", ana.user));
    unlock.token(&admin_token(&app).await).send().await.expect(204);
    verify(&app, &first_step(&app).await, &ana.codes[0]).await.expect(200);
}

#[tokio::test]
async fn giving_the_app_up_ends_the_other_sessions() {
    let app = start().await;
    let ana = enrolled(&app).await;
    let other = verify(&app, &first_step(&app).await, &ana.codes[0]).await.expect(200).json();
    app.delete("/api/v1/auth/mfa/totp").token(&access_token(&ana.tokens)).send().await.expect(204);
    refresh(&app, &refresh_token(&other)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let here = refresh(&app, &refresh_token(&ana.tokens)).await.expect(200).json();
    assert_eq!(claims(&app, &here).await.amr, ["pwd"]);
}

#[tokio::test]
async fn where_staff_must_have_a_second_factor_their_roles_wait_for_it() {
    let app = start_with(&[("staff_mfa", "required")]).await;
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    assert_eq!(tokens["mfa_enrolment_needed"], true);
    let before = claims(&app, &tokens).await;
    assert_eq!((before.realm, before.permissions), (Realm::User, Vec::new()));
    let users = app.get("/api/v1/admin/users").token(&access_token(&tokens));
    users.send().await.expect_problem(403, "NOT_PERMITTED");
    let root = enrol(&app, tokens).await;
    let renewed = refresh(&app, &refresh_token(&root.tokens)).await.expect(200).json();
    assert_eq!(renewed["mfa_enrolment_needed"], false);
    let after = claims(&app, &renewed).await;
    assert_eq!((after.realm, after.permissions), (Realm::Staff, vec!["*".to_owned()]));
    app.delete("/api/v1/auth/mfa/totp").token(&access_token(&renewed)).send().await.expect(204);
    eventually("the token of before holds the roles no more", || async {
        app.app.verifier().verify(&access_token(&renewed)).await.is_err().then_some(())
    })
    .await;
    let again = refresh(&app, &refresh_token(&renewed)).await.expect(200).json();
    assert_eq!(claims(&app, &again).await.realm, Realm::User);
}

#[tokio::test]
async fn staff_must_have_a_second_factor_unless_told() {
    let mut options = options(&[]);
    options.settings.retain(|(key, _)| *key != "staff_mfa");
    let app = TestApp::start_with(quenty_auth::service(), options).await;
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    assert_eq!(claims(&app, &tokens).await.realm, Realm::User, "on loopback, too");
    let text = crate::support::refusal(start_with(&[("staff_mfa", "perhaps")])).await;
    assert!(text.contains("QUENTY_STAFF_MFA"), "{text}");
}
