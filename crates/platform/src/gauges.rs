//! What an operator watches between two looks of `quenty doctor`: how far a service is behind, what it gave up, how many
//! of its connections are in use.

use std::time::Duration;

use jiff::Timestamp;
use quenty_kernel::clock::wall_now;

use crate::{App, Result, db::in_time, operate};

const EVERY: Duration = Duration::from_secs(15);
/// A service that has just started has other questions for its database.
const FIRST_AFTER: Duration = Duration::from_secs(1);

/// Runs until the process is asked to end. While the database is away, what it says stays as it was.
pub(crate) async fn run(app: App) {
    let mut pause = FIRST_AFTER;
    loop {
        tokio::select! {
            () = app.stopping().cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        show_pools(&app);
        if let Err(error) = in_time(show_lag(&app)).await {
            tracing::debug!(service = app.name(), %error, "nobody knows how far it is behind");
        }
        pause = EVERY;
    }
}

fn show_pools(app: &App) {
    for (name, pool) in [("read", &app.0.reader), ("write", &app.0.writer)] {
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        let states = [("idle", idle), ("used", pool.size().saturating_sub(idle))];
        for (state, count) in states {
            metrics::gauge!("quenty_database_connections", "service" => app.name(), "pool" => name, "state" => state)
                .set(f64::from(count));
        }
        metrics::gauge!("quenty_database_connections_max", "service" => app.name(), "pool" => name)
            .set(f64::from(pool.options().get_max_connections()));
    }
}

async fn show_lag(app: &App) -> Result<()> {
    let backlog = operate::backlog(app.db(), app.clock().now()).await?;
    let service = app.name();
    for (name, count) in [
        ("quenty_outbox_events", backlog.outbox),
        ("quenty_inbox_waiting_events", backlog.inbox_waiting),
        ("quenty_inbox_dead_events", backlog.inbox_dead),
        ("quenty_due_tasks", backlog.tasks_due),
        ("quenty_dead_tasks", backlog.tasks_dead),
    ] {
        metrics::gauge!(name, "service" => service).set(count_of(count));
    }
    let (unsent, waiting) =
        (operate::oldest_unsent(app.db()).await?, operate::oldest_waiting(app.db()).await?);
    metrics::gauge!("quenty_outbox_oldest_seconds", "service" => service).set(age(unsent));
    metrics::gauge!("quenty_inbox_oldest_seconds", "service" => service).set(age(waiting));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a count of rows")]
fn count_of(rows: i64) -> f64 {
    rows as f64
}

/// Nothing is no time old.
fn age(since: Option<Timestamp>) -> f64 {
    since.map_or(0.0, |since| wall_now().duration_since(since).as_secs_f64().max(0.0))
}
