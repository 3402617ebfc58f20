use quenty_testkit::{app::TestApp, http::Answer};
use serde_json::json;

use crate::support::{ADMIN, ADMIN_PASSWORD, access_token, login, refresh, refresh_token, start};

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
async fn a_stolen_session_is_no_way_around_the_lock() {
    let app = start().await;
    let token = access_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    for _ in 0..5 {
        change(&app, &token, "guess-guess-guess", NEXT).await.expect_problem(422, "WRONG_PASSWORD");
    }
    change(&app, &token, ADMIN_PASSWORD, NEXT).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
}
