//! Reads from a replica of the service's database (streaming replication) that show everything that was committed when
//! they were asked for: whoever has just changed something finds it, whichever process was told of it.
//!
//! Before a read the primary is asked how far its log reaches, which costs it far less than the read; the replica
//! answers once it has come as far. One that has not within a moment, or cannot be asked, is left alone for a while: the
//! primary answers instead, and nobody sees a failure. Never for a read that something is decided by.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{PgConnection, PgPool};
use tokio::time::{sleep, timeout};

use crate::{
    App, Error,
    db::{self, Plans},
    service::Service,
    settings::Settings,
};

/// How long a read waits for the replica to come as far as the primary; one that follows needs a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(50);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// For how long a replica that lags or fails is not asked.
const REST: Duration = Duration::from_secs(1);
/// A read that failed later than that after the last one was given to the replica failed elsewhere: the longest wait for
/// a connection, and a second.
const MAY_BE_ITS_FAULT: Duration = Duration::from_secs(6);

/// The replica of a service's database.
pub(crate) struct Replica {
    pool: PgPool,
    /// A position in the log that it has reached.
    reached: AtomicI64,
    state: Mutex<State>,
    /// Whether somebody connects to it: that may take longer than a read is patient.
    connecting: AtomicBool,
}

#[derive(Default, Clone, Copy)]
struct State {
    resting_until: Option<Instant>,
    /// When a read was last given to it.
    read_at: Option<Instant>,
}

impl Replica {
    /// Nothing if the settings name none.
    ///
    /// # Errors
    /// When its URL cannot be read.
    pub(crate) fn from_settings(
        service: &Service,
        settings: &Settings,
        connections: u32,
        longest: Duration,
    ) -> crate::Result<Option<Self>> {
        let Some(url) = settings.get("replica_url") else { return Ok(None) };
        let url = db::with_authority(url, settings.get("ca_file")).map_err(Error::internal)?;
        let pool = db::pool_of_service(&url, service.name, Plans::Custom, connections, longest)?;
        Ok(Some(Self {
            pool,
            reached: AtomicI64::new(0),
            state: Mutex::default(),
            connecting: AtomicBool::new(false),
        }))
    }

    /// Whether it holds everything that the primary has committed by now. Who has to wait for longer than a moment, or
    /// cannot learn it, is told no, and so is everybody else for a while.
    async fn holds_everything(&self, service: &'static str, primary: &PgPool) -> bool {
        if self.is_resting() {
            return false;
        }
        let Some(mut connection) = self.pool.try_acquire() else { return false };
        match timeout(PATIENCE, self.catch_up(&mut connection, primary)).await {
            Ok(Ok(())) => {
                self.state().read_at = Some(Instant::now());
                return true;
            }
            Ok(Err(error)) => {
                tracing::warn!(service, %error, "the replica cannot be asked; the primary answers")
            }
            Err(_) => {
                tracing::warn!(service, "the replica lags by more than {PATIENCE:?}; the primary answers")
            }
        }
        self.leave_alone();
        false
    }

    async fn catch_up(&self, replica: &mut PgConnection, primary: &PgPool) -> Result<(), sqlx::Error> {
        // What was flushed: a commit that was told of is, unless the server does not wait for its disk.
        let wanted: i64 = sqlx::query_scalar(
            "select (case current_setting('synchronous_commit') when 'off' then pg_current_wal_insert_lsn()
                     else pg_current_wal_flush_lsn() end - '0/0'::pg_lsn)::bigint",
        )
        .fetch_one(primary)
        .await?;
        while self.reached.load(Ordering::Relaxed) < wanted {
            // A server that does not follow anybody (any more) has replayed nothing.
            let reached: Option<i64> =
                sqlx::query_scalar("select (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint")
                    .fetch_one(&mut *replica)
                    .await?;
            self.reached.fetch_max(reached.unwrap_or(0), Ordering::Relaxed);
            if reached.is_none_or(|reached| reached < wanted) {
                sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }

    /// Whether the caller is the one who has to [`connect`](Self::connect) for the reads to come.
    fn wants_connection(&self) -> bool {
        !self.is_resting() && self.pool.num_idle() == 0 && !self.connecting.swap(true, Ordering::Relaxed)
    }

    async fn connect(&self, service: &'static str) {
        if let Err(error) = self.pool.acquire().await {
            tracing::warn!(service, %error, "the replica cannot be reached; the primary answers");
            self.leave_alone();
        }
        self.connecting.store(false, Ordering::Relaxed);
    }

    fn is_resting(&self) -> bool {
        self.state().resting_until.is_some_and(|until| Instant::now() < until)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It has to prove itself again afterwards: it may be another one, copied anew.
    fn leave_alone(&self) {
        self.reached.store(0, Ordering::Relaxed);
        self.state().resting_until = Some(Instant::now() + REST);
    }
}

impl App {
    /// Where lists are read: at the replica if there is one and it holds everything that is committed by now, else at the
    /// primary.
    pub async fn lists(&self) -> &PgPool {
        let Some(replica) = &self.0.replica else { return self.db() };
        if replica.holds_everything(self.name(), self.db()).await {
            self.count_list("replica");
            return &replica.pool;
        }
        if replica.wants_connection() {
            let app = self.clone();
            self.0.tracker.spawn(async move {
                if let Some(replica) = &app.0.replica {
                    replica.connect(app.name()).await;
                }
            });
        }
        self.count_list("primary");
        self.db()
    }

    fn count_list(&self, from: &'static str) {
        metrics::counter!("quenty_list_reads_total", "service" => self.name(), "from" => from).increment(1);
    }

    /// A read found no database. Whether that may have been the replica, which is left alone now, so that the same read
    /// is worth another try.
    pub(crate) fn leave_replica(&self) -> bool {
        let Some(replica) = &self.0.replica else { return false };
        let read_at = replica.state().read_at;
        replica.leave_alone();
        read_at.is_some_and(|at| at.elapsed() < MAY_BE_ITS_FAULT)
    }
}
