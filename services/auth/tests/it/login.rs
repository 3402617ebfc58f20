use quenty_platform::token::Realm;
use quenty_testkit::app::TestApp;
use serde_json::json;

use crate::support::{
    ADMIN, ADMIN_PASSWORD, admin_token, claims, login, login_from, options, refusal, start, start_with,
};

#[tokio::test]
async fn the_administrator_logs_in_by_name_and_by_address_in_any_case() {
    let app = start().await;
    for name in [ADMIN, "ADMIN@QUENTY.LOCAL", "admin", "Admin"] {
        let tokens = login(&app, name, ADMIN_PASSWORD).await.expect(200).json();
        let claims = claims(&app, &tokens).await;
        assert_eq!(
            (claims.realm, claims.company_id, claims.permissions),
            (Realm::Staff, None, vec!["*".to_owned()])
        );
        assert_eq!(
            (claims.iss.as_str(), claims.client_id.as_str(), claims.amr),
            ("https://quenty.local", "quenty", vec!["pwd".to_owned()])
        );
        assert_eq!(claims.exp - claims.iat, 900);
        assert_eq!(claims.sid.unwrap().to_string(), tokens["session_id"]);
        assert_eq!(tokens["token_type"], "Bearer");
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn a_made_up_password_is_written_once_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("admin-password");
    let mut options = options(&[("generated_password_file", file.to_str().unwrap())]);
    options.settings.retain(|(key, _)| *key != "admin_password");
    let app = TestApp::start_with(quenty_auth::service(), options).await;
    let password = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    login(&app, ADMIN, password.trim()).await.expect(200);
    std::fs::remove_file(&file).unwrap();
    let database = app.stop().await;
    let again = TestApp::start_on(
        quenty_auth::service(),
        crate::support::options(&[("generated_password_file", file.to_str().unwrap())]),
        database,
    )
    .await;
    assert!(!file.exists(), "the second start makes nobody");
    login(&again, ADMIN, password.trim()).await.expect(200);
}

#[tokio::test]
async fn the_answer_does_not_tell_whether_the_account_exists() {
    let app = start().await;
    let wrong = login(&app, ADMIN, "not-the-password").await.expect_problem(401, "INVALID_CREDENTIALS");
    let nobody = login(&app, "nobody@example.com", "not-the-password")
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    let without = |answer: &quenty_testkit::http::Answer| {
        let mut body = answer.json();
        body["trace_id"] = json!(null);
        body
    };
    assert_eq!(without(&wrong), without(&nobody));
}

#[tokio::test]
async fn five_failures_lock_the_pair_of_account_and_address_and_nobody_else() {
    let app = start().await;
    for name in [ADMIN, "admin", ADMIN, "ADMIN", "admin"] {
        login_from(&app, "192.0.2.66", name, "guess-guess-guess")
            .await
            .expect_problem(401, "INVALID_CREDENTIALS");
    }
    login_from(&app, "192.0.2.66", ADMIN, ADMIN_PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    login_from(&app, "192.0.2.1", ADMIN, ADMIN_PASSWORD).await.expect(200);
    sqlx_exec(&app, "update lockouts set locked_until = now() - interval '1 second'").await;
    login_from(&app, "192.0.2.66", ADMIN, "guess-guess-guess")
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    login_from(&app, "192.0.2.66", ADMIN, ADMIN_PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    sqlx_exec(&app, "update lockouts set locked_until = now() - interval '1 second'").await;
    login_from(&app, "192.0.2.66", ADMIN, ADMIN_PASSWORD).await.expect(200);
    let left: i64 =
        sqlx::query_scalar("select count(*) from lockouts").fetch_one(app.app.db()).await.unwrap();
    assert_eq!(left, 0, "a success forgets the failures");
}

async fn sqlx_exec(app: &TestApp, statement: &'static str) {
    sqlx::query(statement).execute(app.app.db()).await.unwrap();
}

#[tokio::test]
async fn parallel_guesses_are_counted_one_by_one() {
    let app = start().await;
    let guesses = (0..12).map(|_| login_from(&app, "192.0.2.66", ADMIN, "guess-guess-guess"));
    for answer in futures_util::future::join_all(guesses).await {
        answer.expect_problem(401, "INVALID_CREDENTIALS");
    }
    let failures: i32 =
        sqlx::query_scalar("select failures from lockouts").fetch_one(app.app.db()).await.unwrap();
    assert_eq!(failures, 5, "what came while locked was not looked at");
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_gets_429() {
    let app = start().await;
    let window = "insert into rate_limits values ('login-address:192.0.2.66', now(), 100)";
    sqlx_exec(&app, window).await;
    let refused =
        login_from(&app, "192.0.2.66", ADMIN, ADMIN_PASSWORD).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() <= 900);
    login_from(&app, "192.0.2.1", ADMIN, ADMIN_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_login_storm_queues_and_gets_429() {
    let app = start_with(&[("password_workers", "1"), ("password_queue", "1")]).await;
    let storm = (0..8).map(|_| login(&app, ADMIN, ADMIN_PASSWORD));
    let answers = futures_util::future::join_all(storm).await;
    assert!(answers.iter().any(|answer| answer.status() == 200));
    assert!(
        answers
            .iter()
            .any(|answer| answer.code() == "TOO_MANY_LOGINS" && answer.header("retry-after").is_some())
    );
    assert!(answers.iter().all(|answer| matches!(answer.status(), 200 | 429)));
}

#[tokio::test]
async fn an_address_is_believed_only_where_our_gateway_writes_it() {
    let app = start_with(&[("trust_forwarded_for", "false")]).await;
    let tokens = login_from(&app, "198.51.100.7", ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let facts = app
        .facts(tokens["session_id"].as_str().unwrap().parse::<quenty_kernel::id::SessionId>().unwrap())
        .await;
    assert_eq!(facts[0].data["address"], "127.0.0.1");
}

#[tokio::test]
async fn successes_and_failures_are_in_the_journal_with_address_and_user_agent() {
    let app = start().await;
    login_from(&app, "198.51.100.7", ADMIN, "whatever-it-is").await.expect(401);
    let tokens = login_from(&app, "198.51.100.7", ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let admin = admin_token(&app).await;
    let trail = app
        .get("/api/v1/admin/audit?type=quenty.auth.login.failed.v1")
        .token(&admin)
        .send()
        .await
        .expect(200)
        .json();
    let failed = &trail["items"][0]["data"];
    assert_eq!(failed["login"], ADMIN);
    assert_eq!(
        (&failed["address"], &failed["user_agent"], &failed["reason"]),
        (&json!("198.51.100.7"), &json!("it"), &json!("bad_credentials"))
    );
    let facts = app
        .facts(tokens["session_id"].as_str().unwrap().parse::<quenty_kernel::id::SessionId>().unwrap())
        .await;
    assert_eq!(
        (facts[0].kind.as_str(), &facts[0].data["address"]),
        ("quenty.auth.session.started.v1", &json!("198.51.100.7"))
    );
    assert_eq!(facts[0].actor.to_string(), format!("user:{}", tokens["user_id"].as_str().unwrap()));
}

#[tokio::test]
async fn an_outdated_hash_is_replaced_at_login() {
    let app = start().await;
    // The same password under argon2id with 8 MiB and one pass.
    let outdated = argon2_of(ADMIN_PASSWORD);
    sqlx::query("update passwords set hash = $1").bind(&outdated).execute(app.app.db()).await.unwrap();
    login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200);
    let hash: String =
        sqlx::query_scalar("select hash from passwords").fetch_one(app.app.db()).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200);
}

fn argon2_of(password: &str) -> String {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version, password_hash::phc::PasswordHash};
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8 * 1024, 1, 1, None).unwrap());
    let hash: PasswordHash = argon2.hash_password(password.as_bytes()).unwrap();
    hash.to_string()
}

#[tokio::test]
async fn a_password_in_the_wrong_field_is_not_kept() {
    let app = start().await;
    login(&app, ADMIN_PASSWORD, "admin").await.expect_problem(401, "INVALID_CREDENTIALS");
    let kept: String = sqlx::query_scalar(
        "select coalesce(string_agg(j::text, ''), '') || (select coalesce(string_agg(p::text, ''), '') from quenty.journal_personal p) from quenty.journal j",
    )
    .fetch_one(app.app.db())
    .await
    .unwrap();
    assert!(kept.contains("bad_credentials") && !kept.contains(ADMIN_PASSWORD));
}

#[tokio::test]
async fn what_is_refused_counts_against_the_address_whatever_the_reason() {
    let app = start().await;
    for _ in 0..7 {
        login_from(&app, "192.0.2.66", ADMIN, "guess-guess-guess").await.expect(401);
    }
    let hits = "select hits from rate_limits where bucket = 'login-address:192.0.2.66'";
    let count: i32 = sqlx::query_scalar(hits).fetch_one(app.app.db()).await.unwrap();
    assert_eq!(count, 7, "the two that met a lock have cost as much as the others");
    let accounts = "select hits from rate_limits where bucket like 'login-account:%'";
    assert_eq!(sqlx::query_scalar::<_, i32>(accounts).fetch_one(app.app.db()).await.unwrap(), 7);
}

#[tokio::test]
async fn off_loopback_it_must_be_said_whose_word_on_addresses_counts() {
    let text = refusal(start_with(&[("host", "0.0.0.0")])).await;
    assert!(text.contains("QUENTY_TRUST_FORWARDED_FOR"), "{text}");
    let text = refusal(start_with(&[("trust_forwarded_for", "perhaps")])).await;
    assert!(text.contains("QUENTY_TRUST_FORWARDED_FOR"), "{text}");
    start_with(&[("host", "0.0.0.0"), ("trust_forwarded_for", "true")]).await;
}

#[tokio::test]
async fn a_network_of_ipv6_waits_as_one_address() {
    let app = start().await;
    for host in 1..=5 {
        let address = format!("2001:db8:1:2::{host}");
        login_from(&app, &address, ADMIN, "guess-guess-guess").await.expect(401);
    }
    let locked = login_from(&app, "2001:db8:1:2:ffff::9", ADMIN, ADMIN_PASSWORD).await;
    locked.expect_problem(401, "INVALID_CREDENTIALS");
    login_from(&app, "2001:db8:1:3::1", ADMIN, ADMIN_PASSWORD).await.expect(200);
    let recorded = "select string_agg(p.data ->> 'address', ' ') from quenty.journal_personal p
                    join quenty.journal j on j.id = p.event_id where j.type = 'quenty.auth.login.failed.v1'";
    let recorded: Option<String> = sqlx::query_scalar(recorded).fetch_one(app.app.db()).await.unwrap();
    let told = recorded.expect("failures are recorded");
    assert!(
        told.contains("2001:db8:1:2::1") && !told.contains("/64"),
        "the trail tells the address itself: {told}"
    );
}
