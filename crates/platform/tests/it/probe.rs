//! A service with routes and tasks of its own: what the chassis promises of requests and of work beside them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::extract::State;
use quenty_platform::{
    App, Error, Result, Service,
    app::Parts,
    http::{Answer, Can, Json},
    service::{Job, TaskKind},
    tasks::Claimed,
    tx::Cause,
};
use quenty_testkit::app::{TestApp, TestOptions};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::tally::MIGRATIONS;

quenty_platform::permissions! {
    CountThings = "things:count";
}

/// How often the tries of a task or of a request that is meant to fail have begun.
#[derive(Debug, Clone, Default)]
pub struct Tries(Arc<AtomicU32>);

impl Tries {
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
    pub fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// How often the job has run.
#[derive(Debug, Clone, Default)]
struct JobRuns(Tries);

/// What the tasks need to know.
#[derive(Debug, Serialize, Deserialize)]
struct Nothing {}

/// The number to write down, and how.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Thing {
    n: i64,
    #[serde(default)]
    how: String,
}

pub async fn start(tries: &Tries) -> TestApp {
    start_with(tries, TestOptions::default()).await
}

pub async fn start_with(tries: &Tries, options: TestOptions) -> TestApp {
    TestApp::start_with(service(tries), options).await
}

pub fn service(tries: &Tries) -> Service {
    let service = Service {
        name: "probe",
        about: "A service with a route and tasks that fail in every way.",
        port: 0,
        database: "probe",
        migrations: &MIGRATIONS,
        routes: || OpenApiRouter::new().routes(routes!(count_thing)),
        settings: &[],
        reactions: Vec::new(),
        tasks: vec![
            TaskKind::new("note", note),
            TaskKind::new("fail", fail),
            TaskKind::new("panic", panic_in_task),
            TaskKind::new("hang", hang_at_first),
        ],
        jobs: vec![Job::new("panic", Duration::from_millis(200), panic_in_job)],
        init: None,
        invariants: &[],
    };
    let tries = tries.clone();
    service.init(move |_, _, _| {
        let parts = Parts::default().with(tries.clone()).with(JobRuns::default());
        async { Ok(parts) }
    })
}

/// Write a number down.
#[utoipa::path(post, path = "/api/v1/things", operation_id = "count_thing", request_body = Thing,
    security(("bearer" = ["things:count"])), responses((status = 204)))]
async fn count_thing(
    State(app): State<App>,
    caller: Can<CountThings>,
    Json(thing): Json<Thing>,
) -> Result<Answer> {
    let n = match thing.how.as_str() {
        "asks" => app.client().get("customer", "/internal/number").await?,
        _ => thing.n,
    };
    let mut tx = app.begin(&caller).await?;
    write(tx.conn(), n).await?;
    let tries = app.part::<Tries>()?;
    match thing.how.as_str() {
        // PostgreSQL's own word for two transactions that wait for one another.
        "deadlocks" if tries.next() < 3 => {
            sqlx::raw_sql("do $$ begin raise exception using errcode = '40P01'; end $$")
                .execute(tx.conn())
                .await?;
        }
        "deadlocks for ever" => {
            tries.next();
            sqlx::raw_sql("do $$ begin raise exception using errcode = '40P01'; end $$")
                .execute(tx.conn())
                .await?;
        }
        "hangs" => {
            sqlx::raw_sql("select pg_sleep(60)").execute(tx.conn()).await?;
        }
        how if how.starts_with("raises ") => {
            let code = how.trim_start_matches("raises ");
            let raised = format!("do $$ begin raise exception using errcode = '{code}'; end $$");
            sqlx::raw_sql(AssertSqlSafe(raised)).execute(tx.conn()).await?;
        }
        "never ends" => std::future::pending().await,
        "panics" => panic!("a handler with a bug"),
        "holds a NUL" => {
            sqlx::query("select $1::text").bind("\0").execute(tx.conn()).await?;
        }
        _ => {}
    }
    tx.answer(Answer::no_content()).await
}

async fn write(connection: &mut sqlx::PgConnection, n: i64) -> Result<()> {
    sqlx::query("insert into effects (stream, n, event_id) values ('things', $1, $2)")
        .bind(n)
        .bind(Uuid::nil())
        .execute(connection)
        .await?;
    Ok(())
}

/// What has been written down, and stayed.
pub async fn written(app: &TestApp) -> Vec<i64> {
    sqlx::query_scalar("select n from effects order by position")
        .fetch_all(app.app.db())
        .await
        .expect("effects")
}

pub async fn enqueue(app: &TestApp, kind: &'static str, key: &str) {
    let mut tx = app.app.begin_as(Cause::system()).await.expect("a transaction");
    tx.enqueue(kind, key, None, &Nothing {}).expect("a task");
    tx.commit().await.expect("a commit");
}

async fn note(app: App, task: Claimed<Nothing>) -> Result<()> {
    let mut tx = task.begin(&app).await?;
    write(tx.conn(), i64::from(task.attempts)).await?;
    tx.commit().await
}

async fn fail(app: App, task: Claimed<Nothing>) -> Result<()> {
    let mut tx = task.begin(&app).await?;
    write(tx.conn(), -1).await?;
    app.part::<Tries>()?.next();
    Err(Error::internal("not this time"))
}

async fn panic_in_task(app: App, _: Claimed<Nothing>) -> Result<()> {
    app.part::<Tries>()?.next();
    panic!("a task with a bug");
}

async fn hang_at_first(app: App, task: Claimed<Nothing>) -> Result<()> {
    if app.part::<Tries>()?.next() == 1 {
        std::future::pending::<()>().await;
    }
    note(app, task).await
}

pub fn job_runs(app: &TestApp) -> u32 {
    app.app.part::<JobRuns>().expect("its counter").0.count()
}

async fn panic_in_job(app: App) -> Result<()> {
    app.part::<JobRuns>()?.0.next();
    panic!("a job with a bug");
}
