//! What the edge promises of every request: bounded bodies and times, one answer per idempotency key, a
//! transaction that is run again when PostgreSQL asks for it, and problem documents for the rest.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use quenty_kernel::id::{CompanyId, UserId};
use quenty_platform::{
    client::{Client, Transport},
    discovery::Discovery,
    settings::{CHASSIS, Settings},
    token::Realm,
};
use quenty_testkit::{
    TestApp, TestOptions, eventually, http::Call, keys, neighbour::serve, wait::eventually_within,
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::probe::{Tries, start, start_with, written};

fn token(app: &TestApp) -> String {
    app.token(Realm::Company, Some(CompanyId::new()), &["things:count"])
}

fn count(app: &TestApp, token: &str, n: i64, how: &str) -> Call {
    app.post("/api/v1/things").token(token).json(&json!({"n": n, "how": how}))
}

#[tokio::test]
async fn a_deadlock_is_run_again_and_only_the_last_run_stays() {
    let tries = Tries::default();
    let app = start(&tries).await;
    count(&app, &token(&app), 7, "deadlocks").send().await.expect(204);
    assert_eq!((tries.count(), written(&app).await), (3, vec![7]));
}

#[tokio::test]
async fn a_deadlock_that_does_not_end_is_told_and_leaves_nothing() {
    let tries = Tries::default();
    let app = start(&tries).await;
    let refused = count(&app, &token(&app), 7, "deadlocks for ever").send().await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    refused.expect_problem(503, "TOO_MUCH_CONTENTION");
    assert_eq!((tries.count(), written(&app).await), (6, vec![]));
}

#[tokio::test]
async fn what_takes_too_long_is_cut_off_and_leaves_nothing() {
    let settings = vec![("request_timeout_ms", "300".to_owned())];
    let app = start_with(&Tries::default(), TestOptions { settings, ..TestOptions::default() }).await;
    count(&app, &token(&app), 7, "hangs").send().await.expect_problem(503, "TIMED_OUT");
    // Long before it could notice that nobody listens any more.
    eventually_within(Duration::from_secs(3), "PostgreSQL has given it up, too", || async {
        let sleeping =
            "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'
                        and query like '%pg_sleep%' and pid <> pg_backend_pid()";
        let sleeping: i64 =
            sqlx::query_scalar(sleeping).fetch_one(app.app.db()).await.expect("who does what");
        (sleeping == 0).then_some(())
    })
    .await;
    count(&app, &token(&app), 8, "").send().await.expect(204);
    assert_eq!(written(&app).await, [8]);
    let beside: String =
        sqlx::query_scalar("show statement_timeout").fetch_one(app.app.db()).await.expect("a setting");
    assert_eq!(beside, "10min", "as long as a task may take");
}

#[tokio::test]
async fn a_statement_that_postgresql_gave_up_is_told_as_one_that_took_too_long() {
    let app = start(&Tries::default()).await;
    let given_up = count(&app, &token(&app), 7, "raises 57014").send().await;
    assert_eq!(given_up.header("retry-after"), Some("1"));
    given_up.expect_problem(503, "TIMED_OUT");
    assert_eq!(written(&app).await, [0; 0]);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_given_up_and_leaves_nothing() {
    let app = start(&Tries::default()).await;
    let token = token(&app);
    let hanging = || count(&app, &token, 7, "never ends").idempotency_key("k");
    let given_up = hanging().header("x-time-left-ms", "100").send().await;
    assert_eq!(given_up.header("retry-after"), Some("1"));
    given_up.expect_problem(503, "TIMED_OUT");
    // Not even its key is taken: with another body it is not a repeat.
    eventually("the transaction is rolled back", || async {
        let again = count(&app, &token, 8, "").idempotency_key("k").send().await;
        (again.status() != 409).then(|| again.expect(204))
    })
    .await;
    assert_eq!(written(&app).await, [8]);
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_a_request_may_take() {
    let settings = vec![("request_timeout_ms", "300".to_owned())];
    let app = start_with(&Tries::default(), TestOptions { settings, ..TestOptions::default() }).await;
    let hanging = count(&app, &token(&app), 7, "never ends").header("x-time-left-ms", "99999999");
    hanging.send().await.expect_problem(503, "TIMED_OUT");
    assert_eq!(written(&app).await, [0; 0]);
}

#[tokio::test]
async fn a_sibling_is_told_what_is_left_and_no_more_than_its_call_may_take() {
    // Answers with what it is told.
    let told =
        |headers: HeaderMap| async move { headers["x-time-left-ms"].to_str().expect("a number").to_owned() };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let sibling = format!("http://{}", listener.local_addr().expect("a bound address"));
    let mut serving = JoinSet::new();
    serving.spawn(
        async move { axum::serve(listener, Router::new().route("/internal/number", get(told))).await },
    );
    let settings = vec![("customer_url", sibling)];
    let app = start_with(&Tries::default(), TestOptions { settings, ..TestOptions::default() }).await;
    let token = token(&app);
    for left in ["60000", "700"] {
        count(&app, &token, 0, "asks").header("x-time-left-ms", left).send().await.expect(204);
    }
    let [whole, less] = written(&app).await[..] else { panic!("two numbers") };
    assert_eq!(whole, 900);
    assert!((1..=700).contains(&less), "{less}");
}

#[tokio::test]
async fn a_token_that_a_sibling_refuses_is_renewed_once() {
    for refusal in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&shown);
        let answer = async move |headers: HeaderMap| {
            let mut seen = seen.lock().expect("nobody panicked");
            seen.push(headers["authorization"].to_str().expect("a token").to_owned());
            if seen.len() < 4 { Err(refusal) } else { Ok("7") }
        };
        let sibling = serve(Router::new().route("/internal/number", get(answer))).await;
        let settings = vec![("customer_url", sibling)];
        let app = start_with(&Tries::default(), TestOptions { settings, ..TestOptions::default() }).await;
        let token = token(&app);
        let ask = || count(&app, &token, 0, "asks").send();
        for _ in 0..3 {
            ask().await.expect_problem(503, "DEPENDENCY_UNAVAILABLE");
        }
        ask().await.expect(204);
        let shown = shown.lock().expect("nobody panicked");
        assert_ne!(shown[0], shown[1], "{refusal}");
        assert!(shown[2..].iter().all(|token| *token == shown[1]), "{refusal}: Auth gives no other");
    }
}

#[tokio::test]
async fn a_token_that_is_not_enough_for_one_call_serves_others_while_auth_is_away() {
    let (issued, asked) = (Tries::default(), Tries::default());
    let (issues, asks) = (issued.clone(), asked.clone());
    let issue = async move || match issues.next() {
        1 => Ok(Json(json!({"access_token": keys::service_token("probe", &[]), "expires_in": 3600}))),
        _ => Err(StatusCode::SERVICE_UNAVAILABLE),
    };
    let answer = async move || if asks.next() == 1 { Err(StatusCode::FORBIDDEN) } else { Ok("7") };
    let auth = Router::new().route("/api/v1/auth/token", post(issue)).fallback_service(keys::router());
    let sibling = Router::new().route("/internal/number", get(answer));
    let settings = vec![("auth_url", serve(auth).await), ("customer_url", serve(sibling).await)];
    let app = start_with(&Tries::default(), TestOptions { settings, ..TestOptions::default() }).await;
    let token = token(&app);
    count(&app, &token, 0, "asks").send().await.expect_problem(503, "DEPENDENCY_UNAVAILABLE");
    count(&app, &token, 0, "asks").send().await.expect(204);
    assert_eq!((issued.count(), asked.count()), (2, 2));
}

#[tokio::test]
async fn what_was_not_sent_to_one_process_of_a_sibling_is_sent_to_another_whatever_it_is() {
    let done = Tries::default();
    let counter = done.clone();
    let sibling = Router::new().route("/internal/number", post(async move || Json(counter.next())));
    let with_a_dead_one = async |router| format!("http://127.0.0.1:9,{}", serve(router).await);
    let settings = Settings::load(&[CHASSIS], None, std::iter::empty()).expect("defaults");
    let settings = settings
        .with("auth_url", with_a_dead_one(keys::router()).await)
        .with("customer_url", with_a_dead_one(sibling).await)
        .with("client_secret", "secret");
    let discovery = Discovery::from_settings(&settings, &Transport::default());
    let client = Client::new("probe", settings, discovery, Transport::default());
    for number in 1..=4 {
        let told: u32 = client.post("customer", "/internal/number", &json!({})).await.expect("an answer");
        assert_eq!(told, number, "each once");
    }
}

#[tokio::test]
async fn a_panic_is_one_failed_request() {
    let app = start(&Tries::default()).await;
    let failed = count(&app, &token(&app), 7, "panics").send().await.expect_problem(500, "INTERNAL");
    assert!(!failed.text().contains("bug"), "internals are not shown");
    count(&app, &token(&app), 8, "").send().await.expect(204);
    assert_eq!(written(&app).await, [8]);
}

#[tokio::test]
async fn a_value_that_postgresql_cannot_hold_is_the_callers_mistake() {
    let app = start(&Tries::default()).await;
    count(&app, &token(&app), 7, "holds a NUL").send().await.expect_problem(422, "INVALID_VALUE");
    assert_eq!(written(&app).await, [0; 0]);
}

#[tokio::test]
async fn a_database_that_takes_nothing_in_is_away_for_now() {
    let app = start(&Tries::default()).await;
    // Shutting down, disk full, out of memory, a limit reached, read-only.
    for code in ["57P01", "53100", "53200", "53400", "25006"] {
        let refused = count(&app, &token(&app), 7, &format!("raises {code}")).send().await;
        assert_eq!(refused.header("retry-after"), Some("2"), "{code}");
        refused.expect_problem(503, "DATABASE_UNAVAILABLE");
    }
    assert_eq!(written(&app).await, [0; 0]);
}

#[tokio::test]
async fn a_service_whose_database_is_read_only_is_not_ready_and_says_why() {
    let app = start(&Tries::default()).await;
    let mut superuser = PgConnection::connect(&app.database.superuser_url).await.expect("the superuser");
    let name = &app.database.name;
    // Who is connected keeps what was said before.
    let others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    let mut turn = async |read_only: &str| {
        let alter = format!("alter database {name} set default_transaction_read_only = {read_only}");
        for statement in [alter, others.to_owned()] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await.expect("a superuser may");
        }
    };
    turn("on").await;
    let told = eventually("it is told", || async {
        let health = app.get("/health/ready").send().await.json();
        let is_told =
            health["checks"][0]["detail"].as_str().is_some_and(|detail| detail.contains("read-only"));
        is_told.then_some(health)
    })
    .await;
    assert_eq!((&told["status"], &told["checks"][0]["name"]), (&json!("not_ready"), &json!("database")));
    count(&app, &token(&app), 7, "").send().await.expect_problem(503, "DATABASE_UNAVAILABLE");
    turn("off").await;
    eventually("it is ready", || async {
        (app.get("/health/ready").send().await.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let settings = vec![("max_body_bytes", "200".to_owned())];
    let app = start_with(&Tries::default(), TestOptions { settings, ..TestOptions::default() }).await;
    let long = "x".repeat(200);
    count(&app, &token(&app), 7, &long).send().await.expect_problem(413, "BODY_TOO_LARGE");
    count(&app, &token(&app), 8, "").send().await.expect(204);
    assert_eq!(written(&app).await, [8]);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = start(&Tries::default()).await;
    let address = app.base_url.strip_prefix("http://").expect("a URL");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /api/v1/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 20\r\nConnection: close\r\n\r\n{{\"n\":",
        token(&app)
    );
    connection.write_all(head.as_bytes()).await.expect("half a request");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("an answer, and the end");
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("BODY_TOO_SLOW"), "{answer}");
    assert_eq!(written(&app).await, [0; 0]);
}

#[tokio::test]
async fn a_key_gives_its_first_answer_again_to_its_caller_only() {
    let app = start(&Tries::default()).await;
    let (company, user) = (CompanyId::new(), UserId::new());
    let token_of = |user| app.token_of(user, Realm::Company, Some(company), &["things:count"]);
    let mine = token_of(user);
    count(&app, &mine, 1, "").idempotency_key("k").send().await.expect(204);
    let again = count(&app, &mine, 1, "").idempotency_key("k").send().await.expect(204);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    count(&app, &mine, 2, "").idempotency_key("k").send().await.expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
    count(&app, &token_of(UserId::new()), 3, "").idempotency_key("k").send().await.expect(204);
    assert_eq!(written(&app).await, [1, 3]);
    let digests: Vec<Vec<u8>> = sqlx::query_scalar("select body_hash from quenty.idempotency")
        .fetch_all(app.app.db())
        .await
        .expect("keys");
    let plain = <sha2::Sha256 as sha2::Digest>::digest(json!({"n": 1, "how": ""}).to_string());
    assert!(digests.iter().all(|kept| *kept != plain[..]), "a digest without a key tells its body");
}

#[tokio::test]
async fn a_long_query_does_not_break_the_keys_index() {
    let app = start(&Tries::default()).await;
    let noise: String = (0..7000).map(|n| char::from(b'a' + (n * n % 26) as u8)).collect();
    let call = app.post(&format!("/api/v1/things?x={noise}")).token(&token(&app)).json(&json!({"n": 1}));
    call.idempotency_key("k").send().await.expect(204);
}
