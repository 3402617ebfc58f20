use quenty_testkit::{app::TestApp, http::Answer, wait::eventually};
use serde_json::json;
use sqlx::Connection;

use crate::support::{ADMIN, ADMIN_PASSWORD, access_token, login, login_from, refresh, refresh_token, start};

const NEXT: &str = "granite-willow-ember-73";

async fn change(app: &TestApp, token: &str, current: &str, next: &str) -> Answer {
    app.post("/api/v1/auth/password/change")
        .token(token)
        .json(&json!({"current_password": current, "password": next}))
        .send()
        .await
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let app = start().await;
    let (here, there) =
        (login(&app, ADMIN, ADMIN_PASSWORD).await.json(), login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    change(&app, &access_token(&here), ADMIN_PASSWORD, NEXT).await.expect(204);
    login(&app, ADMIN, ADMIN_PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    login(&app, ADMIN, NEXT).await.expect(200);
    refresh(&app, &refresh_token(&there)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    refresh(&app, &refresh_token(&here)).await.expect(200);
    app.assert_sound().await;
}

#[tokio::test]
async fn wrong_weak_and_earlier_passwords_are_refused() {
    let app = start().await;
    let token = access_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    change(&app, &token, "not-the-current-one", NEXT).await.expect_problem(422, "WRONG_PASSWORD");
    change(&app, &token, ADMIN_PASSWORD, "short").await.expect_problem(422, "WEAK_PASSWORD");
    change(&app, &token, ADMIN_PASSWORD, "administrator-violet-77")
        .await
        .expect_problem(422, "WEAK_PASSWORD");
    change(&app, &token, ADMIN_PASSWORD, NEXT).await.expect(204);
    change(&app, &token, NEXT, ADMIN_PASSWORD).await.expect_problem(422, "WEAK_PASSWORD");
    change(&app, &token, NEXT, NEXT).await.expect_problem(422, "WEAK_PASSWORD");
}

#[tokio::test]
async fn who_knows_the_password_has_it_looked_at_so_often_and_then_waits_alone() {
    let app = start().await;
    let token = access_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    change(&app, &token, ADMIN_PASSWORD, ADMIN_PASSWORD).await.expect_problem(422, "WEAK_PASSWORD");
    let prove = async || {
        let body = json!({"current_password": ADMIN_PASSWORD});
        app.post("/api/v1/auth/reauthenticate").token(&token).json(&body).send().await
    };
    prove().await.expect(204);
    let hits = "select hits from rate_limits where bucket like 'password-proof:%'";
    assert_eq!(sqlx::query_scalar::<_, i32>(hits).fetch_all(app.app.db()).await.unwrap(), [2, 2]);
    let many = "update rate_limits set hits = 20 where bucket like 'password-proof:USER-%'";
    sqlx::query(many).execute(app.app.db()).await.unwrap();
    prove().await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    change(&app, &token, ADMIN_PASSWORD, NEXT).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_stolen_session_is_no_way_around_the_lock() {
    let app = start().await;
    let (stolen, own) =
        (login(&app, ADMIN, ADMIN_PASSWORD).await.json(), login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    let token = access_token(&stolen);
    for _ in 0..5 {
        change(&app, &token, "guess-guess-guess", NEXT).await.expect_problem(422, "WRONG_PASSWORD");
    }
    let late = change(&app, &token, ADMIN_PASSWORD, NEXT).await;
    assert!(matches!(late.status(), 401 | 403), "the session has ended: {}", late.text());
    refresh(&app, &refresh_token(&stolen)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let of_owner = "select count(*) from rate_limits where bucket like 'password-proof:USER-%'";
    assert_eq!(sqlx::query_scalar::<_, i64>(of_owner).fetch_one(app.app.db()).await.unwrap(), 0);
    change(&app, &access_token(&own), ADMIN_PASSWORD, NEXT).await.expect(204);
}

#[tokio::test]
async fn guesses_of_a_session_count_against_the_address_and_the_account() {
    let app = start().await;
    let token = access_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    change(&app, &token, "guess-guess-guess", NEXT).await.expect_problem(422, "WRONG_PASSWORD");
    let counted = "select count(*) from rate_limits where hits = 1 and (bucket like 'login-address:%' or bucket like 'login-account:%')";
    assert_eq!(sqlx::query_scalar::<_, i64>(counted).fetch_one(app.app.db()).await.unwrap(), 2);
    let stuffed = "update rate_limits set hits = 100 where bucket like 'login-address:%'";
    sqlx::query(stuffed).execute(app.app.db()).await.unwrap();
    let elsewhere = login_from(&app, "127.0.0.1", ADMIN, ADMIN_PASSWORD).await;
    elsewhere.expect_problem(429, "TOO_MANY_ATTEMPTS");
    change(&app, &token, ADMIN_PASSWORD, NEXT).await.expect(204);
}

#[tokio::test]
async fn guesses_of_the_current_password_at_once_are_counted_one_by_one() {
    let app = start().await;
    let token = access_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    let guesses = (0..12).map(|_| change(&app, &token, "guess-guess-guess", NEXT));
    let answers = futures_util::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|answer| answer.code() == "WRONG_PASSWORD").count();
    assert_eq!(looked_at, 5, "what came after the session's end was not looked at");
}

#[tokio::test]
async fn a_login_with_the_old_password_does_not_outlive_its_change() {
    let app = start().await;
    // The login has checked the old password and waits for the user, whom the change holds.
    let mut change = sqlx::PgConnection::connect(&app.database.app_url).await.unwrap();
    sqlx::query("begin").execute(&mut change).await.unwrap();
    sqlx::query("select from users for update").execute(&mut change).await.unwrap();
    let late = login(&app, ADMIN, ADMIN_PASSWORD);
    let held = async {
        let waiting = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
        eventually("the login waits", || async {
            sqlx::query_scalar(waiting).fetch_one(app.app.db()).await.unwrap_or(false).then_some(())
        })
        .await;
        let renewed = "insert into passwords (user_id, hash, created_at) select user_id, 'another', now() from passwords";
        sqlx::query(renewed).execute(&mut change).await.unwrap();
        sqlx::query("commit").execute(&mut change).await.unwrap();
    };
    let (late, ()) = tokio::join!(late, held);
    late.expect_problem(401, "INVALID_CREDENTIALS");
    let sessions: i64 =
        sqlx::query_scalar("select count(*) from sessions").fetch_one(app.app.db()).await.unwrap();
    assert_eq!(sessions, 0);
}
