//! The services of this suite: `tally` publishes what happens to its counters, `ledger` and `mirror` hear it.

use std::sync::LazyLock;

use quenty_kernel::{Event, facts, id::ImportId};
use quenty_platform::{
    App, Error, Reaction, Received, Result, Service, Tx, app::Parts, bus::Topology, tx::Cause,
};
use quenty_testkit::eventually;
use serde::{Deserialize, Serialize};
use sqlx::migrate::Migrator;
use utoipa_axum::router::OpenApiRouter;

use crate::faults::{Fault, Faults};

pub const TALLY: &str = "tally";
pub const LEDGER: &str = "ledger";
pub const MIRROR: &str = "mirror";
pub const CONSUMERS: [&str; 2] = [LEDGER, MIRROR];
pub const ALL: [&str; 3] = [TALLY, LEDGER, MIRROR];

/// The kernel has no ids for tests; any will do.
pub type CounterId = ImportId;

/// `n` counts what the consumers hear of a counter: 1, 2, 3, …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Added {
    pub n: i64,
}
impl Event for Added {
    const TYPE: &'static str = "quenty.tally.counter.added.v1";
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Renamed {
    pub n: i64,
}
impl Event for Renamed {
    const TYPE: &'static str = "quenty.tally.counter.renamed.v1";
}

/// Published, but no service of the topology hears it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unheard {}
impl Event for Unheard {
    const TYPE: &'static str = "quenty.tally.counter.unheard.v1";
}

/// Never leaves the journal: it makes a gap in the versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noted {}
impl Event for Noted {
    const TYPE: &'static str = "quenty.tally.counter.noted.v1";
    const PUBLISHED: bool = false;
}

facts! {
    pub enum CounterFact {
        Added(Added),
        Renamed(Renamed),
        Unheard(Unheard),
        Noted(Noted),
    }
}

pub static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    Migrator::with_migrations(sqlx::migrate!("tests/it/migrations").migrations.into_owned())
});

pub fn service(name: &'static str, faults: Faults) -> Service {
    let reactions =
        if name == TALLY { Vec::new() } else { vec![Reaction::on(on_added), Reaction::on(on_renamed)] };
    let service = Service {
        name,
        about: "A service of the bus's contract suite.",
        port: 0,
        database: name,
        migrations: &MIGRATIONS,
        routes: OpenApiRouter::new,
        settings: &[],
        reactions,
        tasks: Vec::new(),
        jobs: Vec::new(),
        init: None,
        invariants: &[],
    };
    service.init(move |_, _, _| {
        let parts = Parts::default().with(faults.clone());
        async { Ok(parts) }
    })
}

pub fn topology() -> Topology {
    let heard = vec![Added::TYPE, Renamed::TYPE];
    Topology::new([(TALLY, Vec::new()), (LEDGER, heard.clone()), (MIRROR, heard)])
}

/// Of the version before.
pub fn old_topology() -> Topology {
    let heard = vec![Added::TYPE];
    Topology::new([(TALLY, Vec::new()), (LEDGER, heard.clone()), (MIRROR, heard)])
}

async fn on_added(tx: &mut Tx, event: Received<Added>) -> Result<()> {
    write_effect(tx, &event.subject, event.data.n, event.id).await
}

async fn on_renamed(tx: &mut Tx, event: Received<Renamed>) -> Result<()> {
    write_effect(tx, &event.subject, event.data.n, event.id).await
}

/// Fails after the write: what a failed reaction has written must not stay.
async fn write_effect(tx: &mut Tx, stream: &str, n: i64, event: uuid::Uuid) -> Result<()> {
    sqlx::query("insert into effects (stream, n, event_id) values ($1, $2, $3)")
        .bind(stream)
        .bind(n)
        .bind(event)
        .execute(tx.conn())
        .await?;
    match tx.app().part::<Faults>()?.strike(stream, n) {
        None => Ok(()),
        Some(Fault::FullDisk(_)) => {
            let raised = sqlx::raw_sql("do $$ begin raise exception using errcode = '53100'; end $$");
            Ok(raised.execute(tx.conn()).await.map(drop)?)
        }
        Some(Fault::Hangs) => std::future::pending().await,
        Some(_) => Err(Error::internal("not yet")),
    }
}

/// Patient: on a busy machine a new connection may take longer than the pool waits.
pub async fn begin(app: &App) -> Tx {
    eventually("the publisher's database answers", || async { app.begin_as(Cause::system()).await.ok() })
        .await
}

/// Counts one more heard event; the row's lock makes the numbers follow the order of the commits.
pub async fn next(tx: &mut Tx, counter: CounterId) -> i64 {
    let statement = "insert into counters (id, heard) values ($1, 1)
                     on conflict (id) do update set heard = counters.heard + 1 returning heard";
    sqlx::query_scalar(statement).bind(counter.uuid()).fetch_one(tx.conn()).await.expect("the next number")
}

/// As every command does before it records: two that begin a stream at once would give it the same version.
pub async fn lock(tx: &mut Tx, counter: CounterId) {
    let statement =
        "insert into counters (id) values ($1) on conflict (id) do update set heard = counters.heard";
    sqlx::query(statement).bind(counter.uuid()).execute(tx.conn()).await.expect("the counter's row");
}

pub async fn add(app: &App, counter: CounterId) -> i64 {
    let mut tx = begin(app).await;
    let n = next(&mut tx, counter).await;
    record(&mut tx, counter, Added { n });
    tx.commit().await.expect("a commit");
    n
}

pub async fn rename(app: &App, counter: CounterId) -> i64 {
    let mut tx = begin(app).await;
    let n = next(&mut tx, counter).await;
    record(&mut tx, counter, Renamed { n });
    tx.commit().await.expect("a commit");
    n
}

pub fn record(tx: &mut Tx, counter: CounterId, fact: impl Into<CounterFact>) {
    tx.record(counter, None, &fact.into()).expect("a fact is JSON");
}
