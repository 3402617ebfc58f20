//! Whoever of the platform reads personal data is written down, before anything is answered.

use axum::extract::State;
use futures_util::future::join_all;
use quenty_kernel::{
    Actor,
    id::{CompanyId, UserId},
};
use quenty_platform::{
    App, Result, Service,
    access::{self, Filter, Read},
    app::Parts,
    http::{Answer, Can, Json, Path},
    token::Realm,
};
use quenty_testkit::{TestApp, TestOptions, http::Answer as Told, keys};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    probe::Tries,
    tally::{self, CounterId, MIGRATIONS, Noted},
};

quenty_platform::permissions! {
    ReadPeople = "people:read", personal;
    ChangePeople = "people:update", personal;
    ReadGoods = "goods:read";
}

fn service() -> Service {
    let service = Service {
        name: "registry",
        about: "A service that knows people.",
        port: 0,
        database: "registry",
        migrations: &MIGRATIONS,
        routes: || {
            OpenApiRouter::new()
                .routes(routes!(get_person))
                .routes(routes!(change_person))
                .routes(routes!(rename_person))
                .routes(routes!(get_goods))
        },
        settings: &[],
        reactions: Vec::new(),
        tasks: Vec::new(),
        jobs: Vec::new(),
        init: None,
        invariants: &[],
    };
    service.init(|_, _, _| async { Ok(Parts::default().with(Tries::default())) })
}

/// Somebody's name.
#[utoipa::path(get, path = "/api/v1/people/{id}", params(("id" = String, Path)), security(("bearer" = ["people:read"])), responses((status = 200, body = String)))]
async fn get_person(
    State(app): State<App>,
    _caller: Can<ReadPeople>,
    Path(id): Path<String>,
) -> Result<Json<String>> {
    app.part::<Tries>()?.next();
    Ok(Json(id))
}

/// Another name.
#[utoipa::path(post, path = "/api/v1/people/{id}", params(("id" = String, Path)), security(("bearer" = ["people:update"])), responses((status = 204)))]
async fn change_person(_caller: Can<ChangePeople>) -> Answer {
    Answer::no_content()
}

/// Another name, or the same.
#[utoipa::path(put, path = "/api/v1/people/{id}/name/{is_new}", params(("id" = String, Path), ("is_new" = bool, Path)), security(("bearer" = ["people:update"])), responses((status = 204)))]
async fn rename_person(
    State(app): State<App>,
    caller: Can<ChangePeople>,
    Path(name): Path<(String, bool)>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    if name.1 {
        tally::record(&mut tx, CounterId::new(), Noted {});
    }
    tx.answer(Answer::no_content()).await
}

/// Things are nobody.
#[utoipa::path(get, path = "/api/v1/goods", security(("bearer" = ["goods:read"])), responses((status = 200, body = String)))]
async fn get_goods(_caller: Can<ReadGoods>) -> Json<&'static str> {
    Json("boxes")
}

async fn start() -> TestApp {
    TestApp::start(service()).await
}

fn staff(app: &TestApp, reader: UserId) -> String {
    app.token_of(reader, Realm::Staff, None, &["people:read", "people:update", "goods:read"])
}

async fn get(app: &TestApp, token: &str, path: &str) -> Told {
    app.get(path).token(token).send().await
}

async fn reads(app: &TestApp, filter: &Filter) -> Vec<Read> {
    access::reads(app.app.db(), filter, 100).await.expect("the journal can be read")
}

/// Newest first.
async fn paths(app: &TestApp) -> Vec<String> {
    reads(app, &Filter::default()).await.into_iter().map(|read| read.path).collect()
}

#[tokio::test]
async fn staff_are_written_down_once_a_minute_for_each_path() {
    let app = start().await;
    let (ana, ben) = (UserId::new(), UserId::new());
    let token = staff(&app, ana);
    let call =
        app.get("/api/v1/people/PER-1?name=Rosa").token(&token).header("x-forwarded-for", "203.0.113.9");
    let first = call.send().await.expect(200);
    for n in 0..9 {
        get(&app, &token, &format!("/api/v1/people/PER-1?page={n}")).await.expect(200);
    }
    let told = reads(&app, &Filter::default()).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    let read = &told[0];
    assert_eq!((&read.actor, read.address.as_deref()), (&Actor::User(ana), Some("203.0.113.9")));
    assert_eq!(
        (read.operation.as_str(), read.path.as_str()),
        ("GET /api/v1/people/{id}", "/api/v1/people/PER-1")
    );
    assert_eq!(read.permission, "people:read");
    assert_eq!(Some(read.request_id.to_string().as_str()), first.header("x-request-id"));
    let all = serde_json::to_string(&told).expect("JSON");
    assert!(!all.contains("Rosa"), "a query is nothing to keep: {all}");

    get(&app, &token, "/api/v1/people/PER-2").await.expect(200);
    get(&app, &staff(&app, ben), "/api/v1/people/PER-2").await.expect(200);
    assert_eq!(paths(&app).await, ["/api/v1/people/PER-2", "/api/v1/people/PER-2", "/api/v1/people/PER-1"]);
    let of = |actor, about: &str| Filter { actor, about: Some(about.to_owned()), ..Filter::default() };
    assert_eq!(reads(&app, &of(Some(ana), "PER-")).await.len(), 2);
    assert_eq!(reads(&app, &of(None, "PER-2")).await.len(), 2);
    let later = Filter { from: Some(read.at + jiff::SignedDuration::from_hours(1)), ..Filter::default() };
    assert_eq!(reads(&app, &later).await.len(), 0);
    app.assert_sound().await;
    let sent: i64 = sqlx::query_scalar(
        "select (select count(*) from quenty.outbox) + (select count(*) from quenty.feed)",
    )
    .fetch_one(app.app.db())
    .await
    .expect("counts");
    assert_eq!(sent, 0, "nobody else hears of it");
}

#[tokio::test]
async fn another_process_writes_down_what_it_answers() {
    let app = start().await;
    let token = staff(&app, UserId::new());
    get(&app, &token, "/api/v1/people/PER-1").await.expect(200);
    let database = app.stop().await;
    let app = TestApp::start_on(service(), TestOptions::default(), database).await;
    get(&app, &token, "/api/v1/people/PER-1").await.expect(200);
    assert_eq!(paths(&app).await.len(), 2);
    app.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_leave_one_record_of_each_path_in_one_chain() {
    let app = start().await;
    let token = staff(&app, UserId::new());
    let same = join_all((0..20).map(|_| get(&app, &token, "/api/v1/people/PER-1"))).await;
    assert!(same.iter().all(|answer| answer.status() == 200), "{same:#?}");
    assert_eq!(paths(&app).await, ["/api/v1/people/PER-1"]);
    // Nobody has a chain yet: its first entry is written once.
    let token = staff(&app, UserId::new());
    let each: Vec<_> = (0..20).map(|n| format!("/api/v1/people/PER-{n}")).collect();
    let answers = join_all(each.iter().map(|path| get(&app, &token, path))).await;
    assert!(answers.iter().all(|answer| answer.status() == 200), "{answers:#?}");
    assert_eq!(paths(&app).await.len(), 21);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_companys_own_people_services_changes_and_what_is_nobodys_leave_no_record() {
    let app = start().await;
    let company = app.token(Realm::Company, Some(CompanyId::new()), &["people:read"]);
    get(&app, &company, "/api/v1/people/PER-1").await.expect(200);
    let service = keys::service_token("order", &["people:read"]);
    get(&app, &service, "/api/v1/people/PER-1").await.expect(200);
    let token = staff(&app, UserId::new());
    app.post("/api/v1/people/PER-1").token(&token).send().await.expect(204);
    get(&app, &token, "/api/v1/goods").await.expect(200);
    let powerless = app.token(Realm::Staff, None, &["goods:read"]);
    get(&app, &powerless, "/api/v1/people/PER-1").await.expect_problem(403, "NOT_PERMITTED");
    assert_eq!(paths(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_change_that_changes_nothing_was_a_read() {
    let app = start().await;
    let ana = UserId::new();
    let (token, company) =
        (staff(&app, ana), app.token(Realm::Company, Some(CompanyId::new()), &["people:update"]));
    let rename = async |token: &str, is_new: &str| {
        app.put(&format!("/api/v1/people/PER-1/name/{is_new}")).token(token).send().await.expect(204)
    };
    rename(&token, "true").await;
    rename(&company, "false").await;
    assert_eq!(paths(&app).await, Vec::<String>::new());
    rename(&token, "false").await;
    let told = reads(&app, &Filter::default()).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].actor, Actor::User(ana));
    assert_eq!(told[0].operation, "PUT /api/v1/people/{id}/name/{is_new}");
    assert_eq!(
        (told[0].path.as_str(), told[0].permission.as_str()),
        ("/api/v1/people/PER-1/name/false", "people:update")
    );
    app.assert_sound().await;
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_read() {
    let app = start().await;
    let (token, company) =
        (staff(&app, UserId::new()), app.token(Realm::Company, Some(CompanyId::new()), &["people:read"]));
    let mut owner = PgConnection::connect(&app.database.owner_url).await.expect("the owner");
    let (_, role) = app.database.app_url.split_once("://").expect("a URL");
    let (role, _) = role.split_once(':').expect("a role and its password");
    let mut may = async |what: String| {
        sqlx::raw_sql(AssertSqlSafe(what)).execute(&mut owner).await.expect("rights");
    };
    may(format!("revoke insert on quenty.journal from {role}")).await;
    for _ in 0..2 {
        let refused = get(&app, &token, "/api/v1/people/PER-1").await;
        assert_eq!(refused.header("retry-after"), Some("2"));
        refused.expect_problem(503, "READ_NOT_RECORDED");
    }
    let done = app.app.part::<Tries>().expect("a counter");
    assert_eq!(done.count(), 0, "nothing was looked up");
    get(&app, &company, "/api/v1/people/PER-1").await.expect(200);
    get(&app, &token, "/api/v1/goods").await.expect(200);
    may(format!("grant insert on quenty.journal to {role}")).await;
    get(&app, &token, "/api/v1/people/PER-1").await.expect(200);
    assert_eq!((done.count(), paths(&app).await.len()), (2, 1));
}

#[tokio::test]
async fn only_services_search_the_journal_from_outside() {
    let app = start().await;
    let reader = UserId::new();
    for path in ["/api/v1/people/PER-1", "/api/v1/people/PER-2", "/api/v1/people/PER-3"] {
        get(&app, &staff(&app, reader), path).await.expect(200);
    }
    let auth = keys::service_token("auth", &["internal.journal:read"]);
    let search = async |query: &str| {
        get(&app, &auth, &format!("/internal/journal?type=quenty.access.read.v1&{query}"))
            .await
            .expect(200)
            .json()
    };
    let first = search(&format!("actor=user:{reader}&limit=2")).await;
    assert_eq!(first["items"][0]["data"]["path"], "/api/v1/people/PER-3");
    let next = search(&format!("limit=2&cursor={}", first["next_cursor"].as_str().expect("a cursor"))).await;
    assert_eq!(
        (next["items"].as_array().map(Vec::len), &next["next_cursor"]),
        (Some(1), &serde_json::Value::Null)
    );
    let nobody = search(&format!("actor=user:{}", UserId::new())).await;
    assert_eq!(nobody["items"], serde_json::json!([]));
    get(&app, &staff(&app, reader), "/internal/journal").await.expect_problem(403, "NOT_PERMITTED");
}
