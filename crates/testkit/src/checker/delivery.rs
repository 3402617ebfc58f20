//! Delivery: nothing lost between a journal and an inbox, nothing applied twice, nothing left over.

use std::collections::HashSet;

use anyhow::Result;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::Report;

/// Every published fact of a type that a service hears stands in that service's inbox, done.
pub(super) async fn check_losses(
    publisher: &str,
    journal: &PgPool,
    listener: &str,
    inbox: &PgPool,
    types: &[String],
    report: &mut Report,
) -> Result<()> {
    let published: Vec<Uuid> = sqlx::query_scalar("select id from quenty.journal where type = any($1)")
        .bind(types)
        .fetch_all(journal)
        .await?;
    if published.is_empty() {
        return Ok(());
    }
    let taken: HashSet<Uuid> = sqlx::query_scalar("select event_id from quenty.inbox where status = 'done'")
        .fetch_all(inbox)
        .await?
        .into_iter()
        .collect();
    report.deliveries += published.len() as u64;
    let lost: Vec<&Uuid> = published.iter().filter(|id| !taken.contains(id)).collect();
    if !lost.is_empty() {
        report.find(format!(
            "{} facts of {publisher} never reached {listener}, such as {}",
            lost.len(),
            lost[0]
        ));
    }
    Ok(())
}

/// One event causes each kind of fact of one stream once: a second one means that its reaction ran twice.
pub(super) async fn check_doubles(service: &str, db: &PgPool, report: &mut Report) -> Result<()> {
    let doubles = sqlx::query(
        "select causation_id, stream, type, count(*) as times from quenty.journal
         where causation_id is not null group by causation_id, stream, type having count(*) > 1",
    )
    .fetch_all(db)
    .await?;
    for row in doubles {
        report.find(format!(
            "{service}: event {} was applied {} times: {} of {}",
            row.get::<Uuid, _>("causation_id"),
            row.get::<i64, _>("times"),
            row.get::<String, _>("type"),
            row.get::<String, _>("stream")
        ));
    }
    Ok(())
}

/// The facts of one stream took effect in the order of their versions.
pub(super) async fn check_order(service: &str, db: &PgPool, report: &mut Report) -> Result<()> {
    // Transaction ids are given out at the first write, which follows the stream's lock: within a stream they grow in the
    // order in which its events were applied. The wall clock may be set back meanwhile.
    let overtaken = sqlx::query(
        "select publisher, stream, stream_version, updated_at, updated_before from (
           select publisher, stream, stream_version, updated_at, xmin::text::bigint as applied,
                  lag(xmin::text::bigint) over in_order as applied_before, lag(updated_at) over in_order as updated_before
           from quenty.inbox where status = 'done' window in_order as (partition by publisher, stream order by stream_version)) as deliveries
         where applied_before > applied",
    )
    .fetch_all(db)
    .await?;
    for row in overtaken {
        report.find(format!(
            "{service}: version {} of {} from {} was applied before the one before it, at {} and {}",
            row.get::<i64, _>("stream_version"),
            row.get::<String, _>("stream"),
            row.get::<String, _>("publisher"),
            row.get::<jiff_sqlx::Timestamp, _>("updated_at").to_jiff(),
            row.get::<jiff_sqlx::Timestamp, _>("updated_before").to_jiff()
        ));
    }
    Ok(())
}

/// At rest, nothing waits to be sent, to be tried again, or for an operator.
pub(super) async fn check_leftovers(service: &str, db: &PgPool, report: &mut Report) -> Result<()> {
    let unsent: i64 = sqlx::query_scalar("select count(*) from quenty.outbox").fetch_one(db).await?;
    if unsent > 0 {
        report.find(format!("{service}: {unsent} facts were never sent"));
    }
    let held = sqlx::query("select status, type, error, count(*) as times from quenty.inbox where status in ('waiting', 'dead', 'unheard') group by 1, 2, 3").fetch_all(db).await?;
    for row in held {
        let error: Option<String> = row.get("error");
        report.find(format!(
            "{service}: {} × {} is {}: {}",
            row.get::<i64, _>("times"),
            row.get::<String, _>("type"),
            row.get::<String, _>("status"),
            error.unwrap_or_default()
        ));
    }
    let tasks = sqlx::query("select kind, status, error, count(*) as times from quenty.tasks where status in ('running', 'dead') or (status = 'ready' and due_at is null) group by 1, 2, 3").fetch_all(db).await?;
    for row in tasks {
        let error: Option<String> = row.get("error");
        report.find(format!(
            "{service}: {} × task {} is {}: {}",
            row.get::<i64, _>("times"),
            row.get::<String, _>("kind"),
            row.get::<String, _>("status"),
            error.unwrap_or_default()
        ));
    }
    Ok(())
}
