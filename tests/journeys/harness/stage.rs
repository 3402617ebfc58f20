//! A platform as a story sees it: the gateway's address, the mails, the administrator; and, for the proof
//! afterwards, the databases. How its processes are cut is none of a story's business.

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use quenty_kernel::clock::wall_now;
use quenty_platform::{
    db,
    operate::{self, Activity},
};
use quenty_testkit::{
    checker::{Checker, Report},
    rabbit::RabbitBroker,
};
use sqlx::{PgPool, types::Uuid};

use super::{client::Client, services, until};

const REST_LIMIT: Duration = Duration::from_secs(150);
const ARRIVAL_LIMIT: Duration = Duration::from_secs(60);

/// Where a platform's events go between processes.
#[derive(Debug, Clone)]
pub struct Vhost {
    pub broker: RabbitBroker,
    pub name: String,
}

#[derive(Debug, Clone)]
pub struct Stage {
    pub gateway: String,
    pub mail_dir: PathBuf,
    pub admin_email: String,
    pub admin_password: String,
    /// As the application role, by service.
    pub databases: BTreeMap<String, String>,
    /// None on the local bus.
    pub vhost: Option<Vhost>,
    /// Where a simulation keeps its time; business time is the wall clock's without one.
    pub simulated_time: Option<PathBuf>,
}

impl Stage {
    /// Someone without a token.
    pub fn anyone(&self) -> Client {
        Client::new(&self.gateway)
    }

    pub fn pool(&self, service: &str) -> PgPool {
        db::pool(&self.databases[service], "journeys", db::Plans::Custom, 2).expect("a database URL")
    }

    /// Waits until nothing is under way any more, in no database and in no queue.
    pub async fn settle(&self) {
        let pools: Vec<PgPool> = services().iter().map(|service| self.pool(service.name)).collect();
        let mut before: Option<Vec<Activity>> = None;
        let mut rests_since: Option<Instant> = None;
        until(REST_LIMIT, "the platform comes to rest", async || {
            let rested = before.as_ref().is_some_and(|before| before.iter().all(|one| one.backlog.at_rest()));
            rests_since = if rested { rests_since.or_else(|| Some(Instant::now())) } else { None };
            // What has not come by then is lost: the checker tells what that is.
            let given_up = rests_since.is_some_and(|since| since.elapsed() > ARRIVAL_LIMIT);
            let arrived = rested && (given_up || self.all_has_arrived(&pools).await.unwrap_or(false));
            let mut now = Vec::new();
            for pool in &pools {
                now.push(operate::activity(pool, self.business_now()).await.ok()?);
            }
            // One after the other is not all at once: only two equal rounds mean that nothing moved between.
            let stood_still = before.replace(now.clone()).is_some_and(|before| before == now);
            (arrived && stood_still).then_some(())
        })
        .await;
    }

    /// Whether what was told stands in the inboxes of all who hear it. In one process an event is in the inboxes before
    /// it leaves the outbox.
    async fn all_has_arrived(&self, pools: &[PgPool]) -> sqlx::Result<bool> {
        if self.vhost.is_none() {
            return Ok(true);
        }
        let mut told: Vec<(Uuid, String)> = Vec::new();
        for pool in pools {
            let facts: Vec<(Uuid, String)> =
                sqlx::query_as("select id, type from quenty.journal").fetch_all(pool).await?;
            told.extend(facts);
        }
        for (service, pool) in services().iter().zip(pools) {
            let taken: Vec<Uuid> =
                sqlx::query_scalar("select event_id from quenty.inbox").fetch_all(pool).await?;
            let (taken, hears) = (HashSet::<Uuid>::from_iter(taken), service.hears());
            let mut heard = told.iter().filter(|(_, kind)| hears.contains(&kind.as_str()));
            if !heard.all(|(id, _)| taken.contains(id)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn business_now(&self) -> Timestamp {
        let Some(path) = &self.simulated_time else { return wall_now() };
        match std::fs::read_to_string(path).expect("the simulation's time").trim() {
            "present" => wall_now(),
            time => time.parse().expect("a time"),
        }
    }

    /// Messages that the broker gave up on.
    pub async fn dead_at_the_broker(&self) -> u64 {
        let Some(vhost) = &self.vhost else { return 0 };
        let depths = vhost.broker.queue_depths(&vhost.name).await.expect("the broker tells its queues");
        depths["quenty.dead"]
    }

    /// Waits for rest, then lets the checker read everything, and asks for each service's own invariants.
    pub async fn check(&self) -> Report {
        self.settle().await;
        let hears = services()
            .iter()
            .map(|service| {
                (service.name.to_owned(), service.hears().into_iter().map(str::to_owned).collect())
            })
            .collect();
        let checker = Checker::connect(self.databases.clone(), hears).await.expect("the databases answer");
        let mut report = checker.check().await.expect("the databases can be read");
        for service in services() {
            let pool = self.pool(service.name);
            for invariant in service.invariants {
                let broken = operate::violations(&pool, invariant).await.expect("the databases can be read");
                if broken > 0 {
                    let (name, about) = (invariant.name, invariant.about);
                    report.findings.push(format!("{}: {broken} rows break {name}: {about}", service.name));
                }
            }
        }
        report
    }

    /// The end of every story: nothing lost, nothing doubled, nothing left over.
    pub async fn assert_sound(&self) -> Report {
        let report = self.check().await;
        report.assert_sound();
        assert_eq!(self.dead_at_the_broker().await, 0, "the broker's dead-letter queue");
        report
    }
}
