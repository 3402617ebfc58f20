//! Live streams: what was missed is said, and nobody has more than their share.

use axum::{extract::State, response::IntoResponse};
use quenty_kernel::id::{CompanyId, UserId};
use quenty_platform::{
    App, Result, Service,
    http::Can,
    live::{self, MOST_OF_CALLER, ResumeAfter, StreamedEvent},
    token::Realm,
};
use quenty_testkit::{TestApp, TestOptions, eventually, stream::Stream};
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::tally::{CounterId, MIGRATIONS, add};

const PATH: &str = "/api/v1/counters/stream";
const ADDED: &str = "quenty.tally.counter.added.v1";

quenty_platform::permissions! {
    ReadCounters = "counters:read";
}

fn service() -> Service {
    Service {
        name: "watch",
        about: "A service whose counters are followed.",
        port: 0,
        database: "watch",
        migrations: &MIGRATIONS,
        routes: || OpenApiRouter::new().routes(routes!(stream_counters)),
        settings: &[],
        reactions: Vec::new(),
        tasks: Vec::new(),
        jobs: Vec::new(),
        init: None,
        invariants: &[],
    }
}

/// Follow all counters.
#[utoipa::path(get, path = "/api/v1/counters/stream", operation_id = "stream_counters", security(("bearer" = ["counters:read"])),
    responses((status = 200, content_type = "text/event-stream", body = StreamedEvent)))]
async fn stream_counters(
    State(app): State<App>,
    caller: Can<ReadCounters>,
    resume: ResumeAfter,
) -> Result<impl IntoResponse> {
    live::facts(app, caller, "IMP", None, resume).await
}

async fn follow(app: &TestApp, token: &str, resume: Option<&str>) -> Stream {
    app.follow(PATH, Some(token), resume).await
}

/// What a new stream says up to its first event of a counter, of which there is one more then.
async fn told(app: &TestApp, token: &str, resume: Option<&str>) -> String {
    let mut socket = follow(app, token, resume).await;
    let begun = socket.read_until("\r\n\r\n").await;
    add(&app.app, CounterId::new()).await;
    if begun.contains(ADDED) { begun } else { begun + &socket.read_until(ADDED).await }
}

async fn begins_with_gap(app: &TestApp, token: &str, resume: Option<&str>) -> bool {
    let told = told(app, token, resume).await;
    let (gap, added) = (told.find("gap"), told.find(ADDED));
    assert!(gap.is_none() || gap < added, "{told}");
    gap.is_some()
}

async fn last_position(app: &TestApp) -> i64 {
    let last = "select coalesce(max(position), 0) from quenty.feed";
    sqlx::query_scalar(last).fetch_one(app.app.db()).await.expect("a feed")
}

#[tokio::test]
async fn a_stream_that_cannot_begin_where_it_was_asked_to_says_so_first() {
    let app = TestApp::start(service()).await;
    let token = app.token(Realm::Staff, None, &["counters:read"]);
    for _ in 0..3 {
        add(&app.app, CounterId::new()).await;
    }
    eventually("all have a position", || async { (last_position(&app).await >= 3).then_some(()) }).await;
    for resume in [None, Some(""), Some("0"), Some("1")] {
        assert!(!begins_with_gap(&app, &token, resume).await, "{resume:?}");
    }
    for resume in ["soon", "-7", "1.5", "999999", "99999999999999999999"] {
        assert!(begins_with_gap(&app, &token, Some(resume)).await, "{resume}");
    }

    // What has served its time is removed.
    let second = "delete from quenty.feed where position <= 2";
    sqlx::query(second).execute(app.app.db()).await.expect("rows of the feed");
    assert!(begins_with_gap(&app, &token, Some("1")).await);
    assert!(!begins_with_gap(&app, &token, Some("2")).await);
    app.assert_sound().await;
    sqlx::query("delete from quenty.feed").execute(app.app.db()).await.expect("rows of the feed");
    let begun = follow(&app, &token, Some("999999")).await.read_until("event: gap").await;
    let own = begun.lines().find_map(|line| line.strip_prefix("id:")).expect("where to resume").trim();
    assert!(!begins_with_gap(&app, &token, Some(own)).await, "{own} is known while there is nothing else");
}

#[tokio::test]
async fn the_last_position_stays_when_it_has_served_its_time() {
    let app = TestApp::start(service()).await;
    let token = app.token(Realm::Staff, None, &["counters:read"]);
    for _ in 0..3 {
        add(&app.app, CounterId::new()).await;
    }
    app.at_rest().await;
    let last = last_position(&app).await;
    let aged = "update quenty.feed set published_at = published_at - interval '8 days'";
    let aged = sqlx::query(aged).execute(app.app.db()).await.expect("rows of the feed");
    assert_eq!(aged.rows_affected(), 3);
    // The job that cleans runs at the start.
    let app = TestApp::start_on(service(), TestOptions::default(), app.stop().await).await;
    eventually("the others are removed", || async {
        let left = sqlx::query_scalar("select position from quenty.feed").fetch_all(app.app.db()).await;
        let left: Vec<i64> = left.expect("a feed");
        (left == [last]).then_some(())
    })
    .await;
    assert!(!begins_with_gap(&app, &token, Some(&last.to_string())).await);
}

#[tokio::test]
async fn a_person_has_as_many_streams_for_all_companies_together() {
    let app = TestApp::start(service()).await;
    let user = UserId::new();
    let token_of = |user| app.token_of(user, Realm::Company, Some(CompanyId::new()), &["counters:read"]);
    let mut open = Vec::new();
    for _ in 0..MOST_OF_CALLER {
        let mut socket = follow(&app, &token_of(user), None).await;
        socket.read_until("200 OK").await;
        open.push(socket);
    }
    app.get(PATH).token(&token_of(user)).send().await.expect_problem(429, "TOO_MANY_STREAMS");
    follow(&app, &token_of(UserId::new()), None).await.read_until("200 OK").await;
}

#[tokio::test]
async fn a_stream_is_described_with_what_it_resumes_after() {
    let app = TestApp::start(service()).await;
    let document = app.get("/openapi.json").send().await.expect(200).json();
    let parameter = &document["paths"][PATH]["get"]["parameters"][0];
    assert_eq!((&parameter["name"], &parameter["in"]), (&json!("Last-Event-ID"), &json!("header")));
}
