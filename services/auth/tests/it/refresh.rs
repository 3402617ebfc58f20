use std::collections::BTreeSet;

use quenty_kernel::id::SessionId;
use quenty_testkit::app::TestApp;
use serde_json::json;

use crate::support::{ADMIN, ADMIN_PASSWORD, access_token, claims, login, refresh, refresh_token, start};

/// How many renewals are on record that ended so.
async fn recorded(app: &TestApp, outcome: &str) -> i64 {
    let records = "select count(*) from quenty.journal where data ->> 'operation' = 'refresh' and data ->> 'outcome' = $1";
    sqlx::query_scalar(records).bind(outcome).fetch_one(app.app.db()).await.unwrap()
}

#[tokio::test]
async fn a_refresh_token_rotates_and_only_hashes_are_stored() {
    let app = start().await;
    let first = login(&app, ADMIN, ADMIN_PASSWORD).await.json();
    let second = refresh(&app, &refresh_token(&first)).await.expect(200).json();
    assert_ne!(refresh_token(&first), refresh_token(&second));
    assert_eq!(first["session_id"], second["session_id"]);
    claims(&app, &second).await;
    refresh(&app, &refresh_token(&second)).await.expect(200);
    assert_eq!(recorded(&app, "succeeded").await, 2);
    let stored: String = sqlx::query_scalar("select string_agg(t::text, '') from refresh_tokens t")
        .fetch_one(app.app.db())
        .await
        .unwrap();
    assert!(!stored.contains(&refresh_token(&first)) && !stored.contains(&refresh_token(&second)));
}

#[tokio::test]
async fn ten_tabs_that_race_get_the_same_successor() {
    let app = start().await;
    let first = refresh_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    let answers = futures_util::future::join_all((0..10).map(|_| refresh(&app, &first))).await;
    let successors: BTreeSet<_> =
        answers.into_iter().map(|answer| refresh_token(&answer.expect(200).json())).collect();
    assert_eq!(successors.len(), 1);
    refresh(&app, successors.first().unwrap()).await.expect(200);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_token_used_again_later_ends_the_whole_family() {
    let app = start().await;
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.json();
    let (session, first): (SessionId, _) =
        (tokens["session_id"].as_str().unwrap().parse().unwrap(), refresh_token(&tokens));
    let other = refresh_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    let second = refresh_token(&refresh(&app, &first).await.expect(200).json());
    sqlx::query("update refresh_tokens set used_at = used_at - interval '11 seconds'")
        .execute(app.app.db())
        .await
        .unwrap();
    refresh(&app, &first).await.expect_problem(401, "REFRESH_TOKEN_REUSED");
    refresh(&app, &second).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    refresh(&app, &other).await.expect(200);
    let kinds: Vec<_> = app.facts(session).await.into_iter().map(|fact| fact.kind).collect();
    assert_eq!(
        kinds,
        [
            "quenty.auth.session.started.v1",
            "quenty.auth.session.reuse_detected.v1",
            "quenty.auth.session.ended.v1"
        ]
    );
}

#[tokio::test]
async fn unknown_expired_and_ended_ones_are_refused() {
    let app = start().await;
    refresh(&app, "no-such-token").await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.json();
    app.post("/api/v1/auth/logout").token(&access_token(&tokens)).send().await.expect(204);
    refresh(&app, &refresh_token(&tokens)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let idle = refresh_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    sqlx::query("update refresh_tokens set expires_at = expires_at - interval '7 days'")
        .execute(app.app.db())
        .await
        .unwrap();
    refresh(&app, &idle).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let old = refresh_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    sqlx::query("update sessions set expires_at = expires_at - interval '30 days'")
        .execute(app.app.db())
        .await
        .unwrap();
    refresh(&app, &old).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    assert_eq!(recorded(&app, "refused").await, 4);
    sqlx::query("update rate_limits set hits = 100 where bucket like 'record:refresh refused %'")
        .execute(app.app.db())
        .await
        .unwrap();
    for token in ["no-such-token", old.as_str()] {
        refresh(&app, token).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    }
    assert_eq!(recorded(&app, "refused").await, 4, "so many and no more");
}

#[tokio::test]
async fn a_repeated_request_never_shows_tokens_again() {
    let app = start().await;
    let token = access_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    let switch = || {
        let call = app.post("/api/v1/auth/switch-company").token(&token).idempotency_key("k");
        call.json(&json!({"company_id": null})).send()
    };
    switch().await.expect(200);
    let repeated = switch().await.expect_problem(409, "ANSWERED_WITH_A_SECRET");
    assert!(!repeated.text().contains("access_token"));
}
