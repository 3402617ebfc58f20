//! What one service's database shows: migrations, dead letters, the outbox, the journal, the invariants.

use quenty_kernel::clock::wall_now;
use quenty_platform::{Service, db, journal, operate, tls};
use sqlx::PgPool;

use super::{Finding, Verdict, finding};

/// An event that waits for longer does not flow.
const FLOWING_SECONDS: i64 = 60;

/// Never stops at the first finding, unless nothing else can be read.
pub(super) async fn examine(service: &Service, pool: &PgPool, flag: &str) -> Vec<Finding> {
    let told = |check, outcome: Verdict| finding(service.name, check, outcome);
    let mut findings = match db::is_migrated(pool, service.migrations).await {
        Ok(true) => vec![told("migrations", Ok("up to date".to_owned()))],
        Ok(false) => {
            return vec![told("migrations", Err("behind this binary: run `quenty migrate`".to_owned()))];
        }
        Err(error) => {
            let what = format!("cannot be reached ({}): start it, or correct its URL", tls::told(&error));
            return vec![told("database", Err(what))];
        }
    };
    findings.push(told("dead letters", dead_letters(pool, flag).await));
    findings.push(told("outbox", outbox(pool).await));
    findings.push(told("journal", chains(pool, flag).await));
    for invariant in service.invariants {
        let verdict = match operate::violations(pool, invariant).await {
            Ok(0) => Ok("holds".to_owned()),
            Ok(count) => Err(format!(
                "{count} rows break it ({}): no operation does that, so find out who wrote them; the journal has what happened",
                invariant.about
            )),
            Err(error) => unread(&error),
        };
        findings.push(told(invariant.name, verdict));
    }
    findings
}

async fn dead_letters(pool: &PgPool, flag: &str) -> Verdict {
    match operate::backlog(pool, wall_now()).await {
        Ok(backlog) if backlog.inbox_dead + backlog.tasks_dead == 0 => Ok("none".to_owned()),
        Ok(backlog) => Err(format!(
            "{} events, {} tasks: `quenty dead-letters{flag}` shows why; then replay or discard them",
            backlog.inbox_dead, backlog.tasks_dead
        )),
        Err(error) => unread(&error),
    }
}

async fn outbox(pool: &PgPool) -> Verdict {
    match operate::oldest_unsent(pool).await {
        Ok(None) => Ok("empty".to_owned()),
        Ok(Some(since)) if wall_now().duration_since(since).as_secs() < FLOWING_SECONDS => {
            Ok("flowing".to_owned())
        }
        Ok(Some(since)) => {
            Err(format!("an event waits since {since}: start the broker and the service, which sends it"))
        }
        Err(error) => unread(&error),
    }
}

async fn chains(pool: &PgPool, flag: &str) -> Verdict {
    match journal::verify(pool).await {
        Ok(outcome) if outcome.findings.is_empty() => Ok(format!("{} entries, whole", outcome.entries)),
        Ok(outcome) => Err(format!(
            "{} findings: `quenty audit verify{flag}` lists them; restore from a backup and tell security",
            outcome.findings.len()
        )),
        Err(error) => unread(&error),
    }
}

fn unread(error: &dyn std::fmt::Display) -> Verdict {
    Err(format!("cannot be read ({error}): see the log of PostgreSQL, then ask again"))
}
