//! Returns: never more back than was delivered, refunds exact and never above what was paid, one disposition per unit, and
//! the services agree on what came back.

use anyhow::Result;
use sqlx::PgPool;

use super::{Report, amounts};

/// What nothing waits for any more.
const ENDED: &str = "('closed', 'cancelled', 'expired', 'rejected')";

pub(super) async fn check(db: &PgPool, report: &mut Report) -> Result<()> {
    check_units(db, report).await?;
    check_refunds(db, report).await?;
    check_ends(db, report).await
}

/// Facts and rows count the same units, none of them twice.
async fn check_units(db: &PgPool, report: &mut Report) -> Result<()> {
    let too_many: Vec<String> = sqlx::query_scalar(
        "select d.order_id::text || ' line ' || d.line from delivered_lines d
         where d.quantity < (select coalesce(sum(x.received), 0) from return_lines x where x.order_id = d.order_id and x.line = d.line)",
    )
    .fetch_all(db)
    .await?;
    for line in too_many {
        report.find(format!("more came back than was delivered: {line}"));
    }
    let differing: Vec<String> = sqlx::query_scalar(
        "with arrived as (
             select stream, sum((a->>'quantity')::bigint) as units from quenty.journal, jsonb_array_elements(data->'arrived') a
             where type = 'quenty.returns.return.received.v1' group by stream
         ), disposed as (
             select stream, sum(jsonb_array_length(data->'units')) as units from quenty.journal
             where type = 'quenty.returns.return.units_disposed.v1' group by stream
         ), told as (
             select data->>'return_id' as stream, count(*) as units from quenty.journal
             where type in ('quenty.returns.item.restocked.v1', 'quenty.returns.item.disposed.v1') group by 1
         ), kept as (
             select r.state->>'id' as stream, count(*) as units from dispositions d join returns r on r.id = d.return_id group by 1
         )
         select stream || ': ' || coalesce(a.units, 0) || ' received, ' || coalesce(d.units, 0) || ' disposed of, ' || coalesce(t.units, 0) || ' told, '
                || coalesce(k.units, 0) || ' kept'
         from disposed d full join told t using (stream) full join kept k using (stream) left join arrived a using (stream)
         where (a.units, t.units, k.units) is distinct from (d.units, d.units, d.units)",
    )
    .fetch_all(db)
    .await?;
    for units in differing {
        report.find(format!("units of return {units}"));
    }
    check_received(db, report).await
}

/// Of each line as much is received as was told to have arrived, also while nothing is disposed of yet.
async fn check_received(db: &PgPool, report: &mut Report) -> Result<()> {
    let differing: Vec<String> = sqlx::query_scalar(
        "with arrived as (
             select stream, (a->>'line')::integer as line, sum((a->>'quantity')::bigint) as units
             from quenty.journal, jsonb_array_elements(data->'arrived') a
             where type = 'quenty.returns.return.received.v1' group by 1, 2
         ), kept as (
             select r.state->>'id' as stream, x.line, x.received as units from return_lines x join returns r on r.id = x.return_id
         )
         select stream || ' line ' || line || ': ' || coalesce(a.units, 0) || ' arrived, ' || coalesce(k.units, 0) || ' are counted'
         from arrived a full join kept k using (stream, line) where coalesce(a.units, 0) <> coalesce(k.units, 0)",
    )
    .fetch_all(db)
    .await?;
    for units in differing {
        report.find(format!("units of return {units}"));
    }
    Ok(())
}

/// An order's refunds are those that its returns decided on, once each, and never above what was paid.
async fn check_refunds(db: &PgPool, report: &mut Report) -> Result<()> {
    let wrong: Vec<String> = sqlx::query_scalar(
        "select o.id::text || ': ' || o.refunded || ' counted, ' || coalesce(t.refunded, 0) || ' told, ' || o.paid || ' paid'
         from delivered_orders o left join (
             select r.order_id, sum((j.data->'amounts'->'refund'->>'amount')::numeric) as refunded
             from quenty.journal j join returns r on r.state->>'id' = j.stream
             where j.type = 'quenty.returns.return.processed.v1' group by r.order_id) t on t.order_id = o.id
         where o.refunded <> coalesce(t.refunded, 0) or o.refunded > o.paid",
    )
    .fetch_all(db)
    .await?;
    for refund in wrong {
        report.find(format!("refunds of order {refund}"));
    }
    let twice: Vec<String> = sqlx::query_scalar(
        "select stream || ' ' || type || ' ' || count(*) from quenty.journal
         where type in ('quenty.returns.return.requested.v1', 'quenty.returns.return.processed.v1', 'quenty.returns.return.refunded.v1',
                        'quenty.returns.return.exchanged.v1', 'quenty.returns.return.completed.v1')
         group by stream, type having count(*) > 1",
    )
    .fetch_all(db)
    .await?;
    for fact in twice {
        report.find(format!("a return has the same fact more than once: {fact}"));
    }
    Ok(())
}

/// A return has ended, waits for a person, or has a deadline that a task waits for.
async fn check_ends(db: &PgPool, report: &mut Report) -> Result<()> {
    let stuck: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "select r.state->>'id' || ' is ' || r.status from returns r
         where r.status not in {ENDED} and r.attention is null
           and not exists (select from quenty.tasks t where t.kind = 'return_deadline' and t.status = 'ready' and t.due_at = r.deadline
                           and t.key = (r.state->>'id') || ':' || r.deadline_number)"
    )))
    .fetch_all(db)
    .await?;
    for what in stuck {
        report.find(format!("return {what} and waits for nothing"));
    }
    Ok(())
}

/// Order has paid back and taken in what Returns told; Pickup collected nothing for a return that never came.
pub(super) async fn check_agreement(
    returns: &PgPool,
    order: &PgPool,
    pickup: &PgPool,
    report: &mut Report,
) -> Result<()> {
    let told = amounts(
        returns,
        // With what the credit paid of a replacement: that went back to the buyer as goods.
        "select c.data->>'order_id' as id,
                trim_scale(sum((c.data->'refund'->>'amount')::numeric
                               + coalesce((p.data->'amounts'->'refund'->>'amount')::numeric
                                              - (e.data->'left_of_credit'->>'amount')::numeric, 0)))::text as amount
         from quenty.journal c
         left join quenty.journal p on p.stream = c.stream and p.type = 'quenty.returns.return.processed.v1'
         left join quenty.journal e on e.stream = c.stream and e.type = 'quenty.returns.return.exchanged.v1'
         where c.type = 'quenty.returns.return.completed.v1' group by 1",
    )
    .await?;
    let counted = amounts(
        order,
        "select stream as id, trim_scale(sum((data->'amount'->>'amount')::numeric))::text as amount from quenty.journal
         where type = 'quenty.order.order.refunded.v1' group by 1",
    )
    .await?;
    for (id, amount) in &told {
        let known = counted.get(id).map_or("0", String::as_str);
        if amount != known {
            report.find(format!("returns paid {amount} back for order {id}, Order counts {known}"));
        }
    }
    let collected: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select return_id from pickups where status = 'completed' and return_id is not null",
    )
    .fetch_all(pickup)
    .await?;
    let never_left: Vec<String> = sqlx::query_scalar(
        "select state->>'id' from returns where id = any($1) and status in ('requested', 'approved', 'pickup_scheduled', 'cancelled', 'expired')",
    )
    .bind(&collected)
    .fetch_all(returns)
    .await?;
    for id in never_left {
        report.find(format!("the goods of return {id} were collected, and Returns does not know"));
    }
    Ok(())
}
