use std::collections::BTreeSet;

use quenty_kernel::id::UserId;
use quenty_testkit::{app::TestApp, http::Answer};
use serde_json::json;

use crate::support::{ADMIN, PASSWORD, login, mails_to, member_of_nothing, register_from, start, token_in};

const ANA: &str = "ana@example.com";
const OF_MALLORY: &str = "granite-willow-ember-73";

async fn verify(app: &TestApp, token: &str) -> Answer {
    verify_with(app, token, PASSWORD).await
}

async fn verify_with(app: &TestApp, token: &str, password: &str) -> Answer {
    app.post("/api/v1/auth/verify").json(&json!({"token": token, "password": password})).send().await
}

/// Mallory registers Ana's address, with a password and words of her own.
async fn register_as_mallory(app: &TestApp) {
    let words = "Gana 500 en https://evil.example";
    let body = json!({"email": ANA, "username": "mallory", "given_name": words, "family_name": words, "password": OF_MALLORY});
    let sent = app.post("/api/v1/auth/register").header("x-forwarded-for", "203.0.113.66").json(&body);
    sent.send().await.expect(202);
}

#[tokio::test]
async fn a_person_registers_verifies_and_logs_in() {
    let app = start().await;
    register_from(&app, "203.0.113.1", "ana@example.com", Some("Ana.Gomez")).await.expect(202);
    login(&app, "ana.gomez", PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    let mails = mails_to(&app, "ana@example.com").await;
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (&mails[0]["kind"], &mails[0]["subject"]),
        (&json!("verification"), &json!("Confirma tu correo"))
    );
    assert!(mails[0]["link"].as_str().unwrap().starts_with("http://127.0.0.1:8000/verify-email?token="));
    assert!(mails[0]["text"].as_str().unwrap().contains(mails[0]["link"].as_str().unwrap()));
    verify(&app, &token_in(&mails[0])).await.expect(204);
    verify(&app, &token_in(&mails[0])).await.expect_problem(422, "INVALID_LINK");
    let tokens = login(&app, "ana.gomez", PASSWORD).await.expect(200).json();
    assert_eq!((&tokens["realm"], &tokens["company_id"]), (&json!("user"), &json!(null)));
    let user: UserId = tokens["user_id"].as_str().unwrap().parse().unwrap();
    let kinds: Vec<_> = app.facts(user).await.into_iter().map(|fact| fact.kind).collect();
    assert_eq!(kinds, ["quenty.auth.user.registered.v1", "quenty.auth.user.activated.v1"]);
    app.assert_sound().await;
}

#[tokio::test]
async fn the_secret_of_a_link_lies_neither_in_a_row_nor_in_a_task() {
    let app = start().await;
    register_from(&app, "203.0.113.1", "ana@example.com", None).await.expect(202);
    let token = token_in(&mails_to(&app, "ana@example.com").await[0]);
    let everything: String = sqlx::query_scalar("select coalesce(string_agg(t::text, ''), '') || (select string_agg(r::text, '') from registrations r) from quenty.tasks t")
        .fetch_one(app.app.db())
        .await
        .unwrap();
    assert!(everything.contains("verification") && !everything.contains(&token));
}

#[tokio::test]
async fn an_address_that_has_an_account_is_told_to_its_owner_only() {
    let app = start().await;
    let new = register_from(&app, "203.0.113.1", "new@example.com", None).await.expect(202);
    let taken = register_from(&app, "203.0.113.1", "ADMIN@quenty.local", None).await.expect(202);
    assert_eq!(new.json()["status"], taken.json()["status"]);
    let keys = |body: serde_json::Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(new.json()), keys(taken.json()));
    let mails = mails_to(&app, ADMIN).await;
    assert_eq!(mails[0]["kind"], "already_registered");
    assert!(!mails[0]["link"].as_str().unwrap().contains("token"));
    login(&app, ADMIN, PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn a_username_is_unique_in_any_case() {
    let app = start().await;
    register_from(&app, "203.0.113.1", "ana@example.com", Some("Admin"))
        .await
        .expect_problem(409, "USERNAME_TAKEN");
}

#[tokio::test]
async fn the_fourth_registration_of_an_hour_from_one_address_waits() {
    let app = start().await;
    for name in ["a", "b", "c"] {
        register_from(&app, "203.0.113.1", &format!("{name}@example.com"), None).await.expect(202);
    }
    let refused = register_from(&app, "203.0.113.1", "d@example.com", None)
        .await
        .expect_problem(429, "TOO_MANY_ATTEMPTS");
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 3500);
    register_from(&app, "203.0.113.2", "d@example.com", None).await.expect(202);
    sqlx::query("update rate_limits set started_at = started_at - interval '1 hour'")
        .execute(app.app.db())
        .await
        .unwrap();
    register_from(&app, "203.0.113.1", "e@example.com", None).await.expect(202);
}

#[tokio::test]
async fn weak_passwords_and_bad_fields_are_named() {
    let app = start().await;
    let body = json!({"email": "ana@example.com", "given_name": "Ana", "family_name": "Gómez", "password": "password123"});
    let refused =
        app.post("/api/v1/auth/register").json(&body).send().await.expect_problem(422, "WEAK_PASSWORD");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/password");
    let body =
        json!({"email": "no address", "given_name": "Ana", "family_name": "Gómez", "password": PASSWORD});
    let refused =
        app.post("/api/v1/auth/register").json(&body).send().await.expect_problem(422, "INVALID_BODY");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/email");
    let body = json!({"email": "ana@example.com", "given_name": "Ana", "family_name": "Gómez", "password": PASSWORD, "roles": ["admin"]});
    app.post("/api/v1/auth/register").json(&body).send().await.expect_problem(422, "INVALID_BODY");
}

#[tokio::test]
async fn another_verification_mail_carries_the_same_link_and_tells_nothing() {
    let app = start().await;
    register_from(&app, "203.0.113.1", "ana@example.com", None).await.expect(202);
    let first = token_in(&mails_to(&app, "ana@example.com").await[0]);
    for email in ["ana@example.com", "nobody@example.com", ADMIN] {
        app.post("/api/v1/auth/verify/resend").json(&json!({"email": email})).send().await.expect(204);
    }
    assert!(mails_to(&app, ADMIN).await.is_empty() && mails_to(&app, "nobody@example.com").await.is_empty());
    let mails = mails_to(&app, "ana@example.com").await;
    assert_eq!(mails.iter().map(token_in).collect::<Vec<_>>(), [first.clone(), first.clone()]);
    verify(&app, &first).await.expect(204);
    for _ in 0..2 {
        app.post("/api/v1/auth/verify/resend")
            .json(&json!({"email": "nobody@example.com"}))
            .send()
            .await
            .expect(204);
    }
    app.post("/api/v1/auth/verify/resend")
        .json(&json!({"email": "nobody@example.com"}))
        .send()
        .await
        .expect_problem(429, "TOO_MANY_ATTEMPTS");
}

#[tokio::test]
async fn whoever_registers_one_address_from_many_networks_fills_no_mailbox() {
    let app = start().await;
    for email in ["ana@example.com", ADMIN] {
        let mut answers = BTreeSet::new();
        for network in 1..=5 {
            let told = register_from(&app, &format!("203.0.113.{network}"), email, None).await.expect(202);
            answers.insert(told.text());
        }
        assert_eq!((answers.len(), mails_to(&app, email).await.len()), (1, 3), "{email}");
    }
    let resend = async || {
        app.post("/api/v1/auth/verify/resend").json(&json!({"email": "ana@example.com"})).send().await
    };
    let later = async |past: &'static str| sqlx::query(past).execute(app.app.db()).await.unwrap();
    resend().await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    later("update rate_limits set started_at = started_at - interval '1 hour'").await;
    resend().await.expect(204);
    let mails = mails_to(&app, "ana@example.com").await;
    let links: BTreeSet<_> = mails.iter().map(token_in).collect();
    assert_eq!((mails.len(), links.len()), (4, 4), "the newest, which was not mailed before");
    later("update registrations set created_at = created_at - interval '3 days'").await;
    resend().await.expect(204);
    assert_eq!(mails_to(&app, "ana@example.com").await.len(), 4, "no link works for ever");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_link_expires_after_a_day() {
    let app = start().await;
    register_from(&app, "203.0.113.1", "ana@example.com", None).await.expect(202);
    let token = token_in(&mails_to(&app, "ana@example.com").await[0]);
    sqlx::query("update registrations set expires_at = expires_at - interval '24 hours'")
        .execute(app.app.db())
        .await
        .unwrap();
    verify(&app, &token).await.expect_problem(422, "INVALID_LINK");
}

#[tokio::test]
async fn the_own_profile_is_read_and_changed() {
    let app = start().await;
    member_of_nothing(&app, "ana@example.com").await;
    let token =
        login(&app, "ana@example.com", PASSWORD).await.json()["access_token"].as_str().unwrap().to_owned();
    let profile = app.get("/api/v1/profile").token(&token).send().await.expect(200);
    let version = profile.header("etag").unwrap().to_owned();
    assert_eq!(
        (&profile.json()["email"], &profile.json()["memberships"]),
        (&json!("ana@example.com"), &json!([]))
    );
    let patch = json!({"given_name": "Ana María"});
    let changed = app
        .patch("/api/v1/profile")
        .token(&token)
        .header("if-match", &version)
        .json(&patch)
        .send()
        .await
        .expect(200);
    assert_eq!(
        (&changed.json()["given_name"], &changed.json()["family_name"]),
        (&json!("Ana María"), &json!("Gómez"))
    );
    let patch = json!({"given_name": "X"});
    app.patch("/api/v1/profile")
        .token(&token)
        .header("if-match", &version)
        .json(&patch)
        .send()
        .await
        .expect_problem(412, "VERSION_MISMATCH");
}

#[tokio::test]
async fn who_registers_an_address_first_has_no_part_in_the_account_of_its_owner() {
    let app = start().await;
    register_as_mallory(&app).await;
    let before = token_in(&mails_to(&app, ANA).await[0]);
    register_from(&app, "203.0.113.1", ANA, None).await.expect(202);
    let own = token_in(mails_to(&app, ANA).await.last().unwrap());
    // A later one is in nobody's way, either.
    register_as_mallory(&app).await;
    assert_eq!(mails_to(&app, ANA).await.len(), 3);
    verify_with(&app, &own, "of-nobody-at-all-77").await.expect_problem(422, "INVALID_LINK");
    verify(&app, &own).await.expect(204);
    login(&app, ANA, OF_MALLORY).await.expect_problem(401, "INVALID_CREDENTIALS");
    login(&app, "mallory", OF_MALLORY).await.expect_problem(401, "INVALID_CREDENTIALS");
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let user: UserId = tokens["user_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(app.facts(user).await[0].data["given_name"], "Ana");
    verify_with(&app, &before, OF_MALLORY).await.expect_problem(422, "INVALID_LINK");
    app.assert_sound().await;
}

#[tokio::test]
async fn an_owner_makes_their_own_account_by_whichever_link_and_never_a_strangers() {
    let app = start().await;
    for _ in 0..3 {
        register_as_mallory(&app).await;
    }
    let theirs = token_in(&mails_to(&app, ANA).await[0]);
    // Before the owner has registered.
    verify(&app, &theirs).await.expect_problem(422, "INVALID_LINK");
    let users = "select count(*) from users where email_key = $1";
    let users: i64 = sqlx::query_scalar(users).bind(ANA).fetch_one(app.app.db()).await.unwrap();
    assert_eq!(users, 0);
    register_from(&app, "203.0.113.1", ANA, None).await.expect(202);
    assert_eq!(mails_to(&app, ANA).await.len(), 3, "no mail is left for the owner's own");
    verify(&app, &theirs).await.expect(204);
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let user: UserId = tokens["user_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(app.facts(user).await[0].data["given_name"], "Ana");
    app.assert_sound().await;
}

#[tokio::test]
async fn guesses_of_a_registrations_password_count_as_failed_logins_do() {
    let app = start().await;
    register_from(&app, "203.0.113.1", ANA, None).await.expect(202);
    let token = token_in(&mails_to(&app, ANA).await[0]);
    verify_with(&app, &token, "guess-guess-guess").await.expect_problem(422, "INVALID_LINK");
    let counted = "select count(*) from rate_limits where hits = 1 and (bucket like 'login-address:%' or bucket like 'login-account:%')";
    assert_eq!(sqlx::query_scalar::<_, i64>(counted).fetch_one(app.app.db()).await.unwrap(), 2);
    let stuffed = "update rate_limits set hits = 100 where bucket like 'login-address:%'";
    sqlx::query(stuffed).execute(app.app.db()).await.unwrap();
    verify(&app, &token).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
}

#[tokio::test]
async fn whoever_registers_an_address_writes_to_it_in_no_words_of_their_own() {
    let app = start().await;
    register_as_mallory(&app).await;
    app.post("/api/v1/auth/verify/resend").json(&json!({"email": ANA})).send().await.expect(204);
    let mails = mails_to(&app, ANA).await;
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        assert!(!mail.to_string().contains("evil.example"), "{mail}");
        assert!(mail["text"].as_str().unwrap().starts_with("Hola,\n"), "{mail}");
    }
}

#[tokio::test]
async fn of_two_who_want_one_username_the_first_to_verify_has_it() {
    let app = start().await;
    for (address, email) in [("203.0.113.1", "ana@example.com"), ("203.0.113.2", "eva@example.com")] {
        register_from(&app, address, email, Some("gomez")).await.expect(202);
    }
    verify(&app, &token_in(&mails_to(&app, "eva@example.com").await[0])).await.expect(204);
    verify(&app, &token_in(&mails_to(&app, "ana@example.com").await[0]))
        .await
        .expect_problem(409, "USERNAME_TAKEN");
}
