use serde_json::json;

use crate::support::{
    ADMIN, ADMIN_PASSWORD, PASSWORD, access_token, login, login_from, member_of_nothing, refresh,
    refresh_token, start,
};

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let app = start().await;
    let here = login_from(&app, "198.51.100.1", ADMIN, ADMIN_PASSWORD).await.json();
    let there = login_from(&app, "198.51.100.2", ADMIN, ADMIN_PASSWORD).await.json();
    let token = access_token(&here);
    let list = app.get("/api/v1/auth/sessions").token(&token).send().await.expect(200).json();
    let seen: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s["address"].as_str().unwrap(), s["is_current"].as_bool().unwrap()))
        .collect();
    assert_eq!(seen, [("198.51.100.2", false), ("198.51.100.1", true)]);
    let path = format!("/api/v1/auth/sessions/{}", there["session_id"].as_str().unwrap());
    app.delete(&path).token(&token).send().await.expect(204);
    app.delete(&path).token(&token).send().await.expect_problem(404, "NOT_FOUND");
    refresh(&app, &refresh_token(&there)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    refresh(&app, &refresh_token(&here)).await.expect(200);
}

#[tokio::test]
async fn nobody_ends_the_session_of_another() {
    let app = start().await;
    member_of_nothing(&app, "ana@example.com").await;
    let admin = login(&app, ADMIN, ADMIN_PASSWORD).await.json();
    let ana = access_token(&login(&app, "ana@example.com", PASSWORD).await.json());
    let path = format!("/api/v1/auth/sessions/{}", admin["session_id"].as_str().unwrap());
    app.delete(&path).token(&ana).send().await.expect_problem(404, "NOT_FOUND");
    refresh(&app, &refresh_token(&admin)).await.expect(200);
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session() {
    let app = start().await;
    let (a, b) =
        (login(&app, ADMIN, ADMIN_PASSWORD).await.json(), login(&app, ADMIN, ADMIN_PASSWORD).await.json());
    app.post("/api/v1/auth/logout-all").token(&access_token(&a)).send().await.expect(204);
    for tokens in [&a, &b] {
        refresh(&app, &refresh_token(tokens)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    }
    let reasons: Vec<String> =
        sqlx::query_scalar("select end_reason from sessions").fetch_all(app.app.db()).await.unwrap();
    assert_eq!(reasons, ["logout_all", "logout_all"]);
    assert_eq!(json!(null), a["company_id"]);
}
