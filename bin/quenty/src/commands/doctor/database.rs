//! What one service's database shows: migrations, dead letters, what waits and is late, the invariants, the journal.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::clock::wall_now;
use quenty_platform::{
    Service, db, journal,
    operate::{self, Backlog},
    tls,
};
use sqlx::PgPool;

use super::{Finding, Verdict, finding};

/// An event that waits for longer does not flow.
const FLOWING_SECONDS: i64 = 60;
/// For one in an inbox: a reaction was tried again four times by then.
const TAKEN_IN_SECONDS: i64 = 300;
/// A try of a task ends after ten minutes, unless the process was told otherwise.
const TASKS_LATE_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// What there is to know of all databases.
pub(super) struct Asked<'a> {
    /// To add to the commands that are told.
    pub flag: &'a str,
    pub business_now: Timestamp,
    /// Whether they are those of a platform's folder.
    pub in_folder: bool,
    /// Whether every chain is walked, which takes as long as the platform is old.
    pub journal: bool,
}

/// Never stops at the first finding, unless nothing else can be read.
pub(super) async fn examine(service: &Service, pool: &PgPool, asked: &Asked<'_>) -> Vec<Finding> {
    let told = |check, outcome: Verdict| finding(service.name, check, outcome);
    let mut findings = match db::is_migrated(pool, service.migrations).await {
        Ok(true) => vec![told("migrations", Ok("up to date".to_owned()))],
        Ok(false) => {
            // What a platform keeps in a folder it migrates itself, when it starts.
            let what = if asked.in_folder {
                "behind this binary: start the platform again with it"
            } else {
                "behind this binary: run `quenty migrate`"
            };
            return vec![told("migrations", Err(what.to_owned()))];
        }
        Err(error) => {
            let what = format!("cannot be reached ({}): start it, or correct its URL", tls::told(&error));
            return vec![told("database", Err(what))];
        }
    };
    let Asked { flag, business_now, journal, .. } = asked;
    match operate::backlog(pool, *business_now).await {
        Ok(backlog) => {
            findings.push(told("dead letters", dead_letters(&backlog, flag)));
            findings.push(told("waiting events", waiting(pool, &backlog).await));
        }
        Err(error) => findings.push(told("dead letters", unread(&error))),
    }
    findings.push(told("tasks", tasks(pool, *business_now).await));
    findings.push(told("outbox", outbox(pool).await));
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
    if *journal {
        findings.push(told("journal", chains(pool, flag).await));
    }
    findings
}

fn dead_letters(backlog: &Backlog, flag: &str) -> Verdict {
    match backlog {
        Backlog { inbox_dead: 0, tasks_dead: 0, .. } => Ok("none".to_owned()),
        Backlog { inbox_dead, tasks_dead, .. } => Err(format!(
            "{inbox_dead} events, {tasks_dead} tasks: `quenty dead-letters{flag}` shows why; then replay or discard them"
        )),
    }
}

/// What waits behind a dead letter is that one's matter. How long something has waited says nothing before it was tried:
/// what is replayed may be old.
async fn waiting(pool: &PgPool, backlog: &Backlog) -> Verdict {
    let count = backlog.inbox_waiting;
    if count == 0 {
        return Ok("none".to_owned());
    }
    match operate::oldest_failing(pool).await {
        Ok(None) => Ok(format!("{count} wait, not tried yet")),
        Ok(Some(since)) if wall_now().duration_since(since).as_secs() >= TAKEN_IN_SECONDS => Err(format!(
            "{count}, the oldest that failed since {since}: start the service; if it runs, its log says which reaction fails and why"
        )),
        Ok(Some(_)) => Ok(format!("{count}, since a moment ago")),
        Err(error) => unread(&error),
    }
}

async fn tasks(pool: &PgPool, business_now: Timestamp) -> Verdict {
    let late = operate::late_tasks(pool, wall_now() - TASKS_LATE_AFTER, business_now - TASKS_LATE_AFTER);
    match late.await {
        Ok(0) => Ok("on time".to_owned()),
        Ok(count) => Err(format!(
            "{count} are late or do not end: start the service; if it runs, its log says what keeps it"
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
            "{} findings: `quenty audit verify{flag}` lists them; keep everything as it is, and tell who is responsible for security",
            outcome.findings.len()
        )),
        Err(error) => unread(&error),
    }
}

fn unread(error: &dyn std::fmt::Display) -> Verdict {
    Err(format!("cannot be read ({error}): see the log of PostgreSQL, then ask again"))
}
