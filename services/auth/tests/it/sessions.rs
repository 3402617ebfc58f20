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

#[tokio::test]
async fn a_person_has_a_hundred_sessions_at_most_and_however_many_there_were_each_way_to_end_them_works() {
    let app = start().await;
    let count =
        async |of: &'static str| sqlx::query_scalar::<_, i64>(of).fetch_one(app.app.db()).await.unwrap();
    let live = "select count(*) from sessions where ended_at is null";
    // As a database of before the limit may hold them; the first ids are the oldest, and the very first is still used.
    let many = "insert into sessions (id, user_id, address, user_agent, created_at, last_used_at, expires_at)
                select lpad(to_hex(n), 32, '0')::uuid, u.id, '192.0.2.1', '', now(),
                    case when n = 1 then now() else now() - interval '1 hour' end, now() + interval '1 day'
                from users u, generate_series(1, 1200) n";
    sqlx::query(many).execute(app.app.db()).await.unwrap();
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    assert_eq!(count(live).await, 100);
    let oldest = "select max(id::text) from sessions where end_reason = 'superseded'";
    let oldest: String = sqlx::query_scalar(oldest).fetch_one(app.app.db()).await.unwrap();
    assert!(oldest.ends_with("44e"), "1,101 of 1,200, and not the first: {oldest}");
    let told = "select count(*) from quenty.journal where type = 'quenty.auth.session.ended.v1'";
    assert_eq!(count(told).await, 1000);
    let more =
        "select (data ->> 'count')::bigint from quenty.journal where type = 'quenty.auth.sessions.ended.v1'";
    assert_eq!(count(more).await, 101);
    let tokens = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200);
    assert_eq!((count(live).await, count(told).await), (100, 1001), "one more ends one");
    app.post("/api/v1/auth/logout-all").token(&access_token(&tokens)).send().await.expect(204);
    assert_eq!(count(live).await, 0);
    app.assert_sound().await;
}
