//! Orders: each stands where its facts lead, ended or with a live deadline, its money is what its facts tell, and the
//! services agree on it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff_sqlx::Timestamp;
use quenty_kernel::id::OrderId;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::{Report, amounts};

/// Where each fact of the published language leaves an order; facts that move nothing are not listed.
const LEADS_TO: [(&str, &str); 15] = [
    ("placed", "pending"),
    ("backordered", "backordered"),
    ("allocated", "pending"),
    ("confirmed", "confirmed"),
    ("processing_started", "processing"),
    ("cancel_requested", "cancelling"),
    ("cancelled", "cancelled"),
    ("cancel_refused", "processing"),
    ("picked_up", "picked_up"),
    ("departed", "in_transit"),
    ("exception_raised", "exception"),
    ("delivered", "delivered"),
    ("undeliverable", "undeliverable"),
    ("lost", "lost"),
    ("returned_to_sender", "returned_to_sender"),
];

/// Statuses in which an order's story is over.
const ENDED: [&str; 6] =
    ["delivered", "cancelled", "lost", "returned_to_sender", "returned", "partially_returned"];

/// What can happen to an order once at most, whatever was repeated on the way.
const ONCE: [&str; 7] =
    ["placed", "confirmed", "picked_up", "delivered", "cancelled", "lost", "returned_to_sender"];

struct Row {
    status: String,
    on_hold: bool,
    /// Whether it stands in a queue for stock.
    is_queued: bool,
    /// Its deadline's number and moment.
    deadline: Option<(i32, jiff::Timestamp)>,
    /// What was paid, and paid back of it.
    money: (String, String),
}

pub(super) async fn check(db: &PgPool, report: &mut Report) -> Result<()> {
    let orders: BTreeMap<String, Row> =
        sqlx::query(
            "select o.id, o.status, o.hold_code is not null as on_hold, trim_scale(o.paid)::text as paid, trim_scale(o.refunded)::text as refunded,
                    exists (select from backorders b where b.order_id = o.id) as is_queued, f.deadline, f.deadline_number
             from orders o left join fulfilments f on f.order_id = o.id",
        )
        .fetch_all(db)
        .await?
        .into_iter()
        .map(|row| {
            let deadline: Option<Timestamp> = row.get("deadline");
            (
                OrderId::from_uuid(row.get("id")).to_string(),
                Row {
                    status: row.get("status"),
                    on_hold: row.get("on_hold"),
                    is_queued: row.get("is_queued"),
                    deadline: deadline.map(|at| (row.get("deadline_number"), at.to_jiff())),
                    money: (row.get("paid"), row.get("refunded")),
                },
            )
        })
        .collect();
    report.orders = orders.len() as u64;
    for order in orders.values() {
        *report.orders_by_status.entry(order.status.clone()).or_default() += 1;
    }
    check_facts(db, &orders, report).await?;
    check_money(db, &orders, report).await?;
    check_deadlines(db, &orders, report).await
}

/// An order stands where its last moving fact leads, and what happens once happened once.
async fn check_facts(db: &PgPool, orders: &BTreeMap<String, Row>, report: &mut Report) -> Result<()> {
    // Where only the pickup is given back, the order goes on.
    let facts = sqlx::query(
        "select stream, split_part(type, '.', 4) as fact, data->>'status' as status from quenty.journal
         where stream like 'ORD-%' and data->>'pickup_only' is distinct from 'true' order by stream, stream_version",
    )
    .fetch_all(db)
    .await?;
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let mut times: BTreeMap<(String, String), u32> = BTreeMap::new();
    for row in facts {
        let (stream, fact): (String, String) = (row.get("stream"), row.get("fact"));
        // A driver who is promised after the cancellation is called off once more.
        if fact == "cancel_requested" && told.get(&stream).is_some_and(|status| status == "cancelled") {
            continue;
        }
        // Other goods, or the same from another place, leave an order where it stands.
        if fact == "allocated" && told.get(&stream).is_none_or(|status| status != "backordered") {
            continue;
        }
        *times.entry((stream.clone(), fact.clone())).or_default() += 1;
        let named: Option<String> = row.get("status");
        let leads = LEADS_TO.iter().find(|(name, _)| *name == fact).map(|(_, status)| (*status).to_owned());
        if let Some(status) =
            if matches!(fact.as_str(), "exception_resolved" | "returned") { named } else { leads }
        {
            told.insert(stream, status);
        }
    }
    for ((stream, fact), count) in times {
        if count > 1 && ONCE.contains(&fact.as_str()) {
            report.find(format!("order {stream} was {fact} {count} times"));
        }
    }
    for (id, order) in orders {
        match told.get(id) {
            None => report.find(format!("order {id} has a row but no fact")),
            Some(status) if *status != order.status => {
                report.find(format!("order {id} stands in {} but its facts lead to {status}", order.status))
            }
            Some(_) => {}
        }
    }
    for id in told.keys().filter(|id| !orders.contains_key(*id)) {
        report.find(format!("order {id} has facts but no row"));
    }
    Ok(())
}

/// What was paid and paid back is the sum of the payments and refunds that were told.
async fn check_money(db: &PgPool, orders: &BTreeMap<String, Row>, report: &mut Report) -> Result<()> {
    let told: BTreeMap<String, (String, String)> = sqlx::query(
        "select stream, trim_scale(coalesce(sum(amount) filter (where fact = 'paid'), 0))::text as paid,
                trim_scale(coalesce(sum(amount) filter (where fact = 'refunded'), 0))::text as refunded
         from (select stream, split_part(type, '.', 4) as fact, (data->'amount'->>'amount')::numeric as amount
               from quenty.journal where stream like 'ORD-%') as facts
         group by stream",
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(|row| (row.get("stream"), (row.get("paid"), row.get("refunded"))))
    .collect();
    for (id, order) in orders {
        let Some(money) = told.get(id).filter(|money| **money != order.money) else { continue };
        let (paid, refunded) = &order.money;
        report.find(format!(
            "order {id} has {paid} paid and {refunded} paid back, its facts tell {} and {}",
            money.0, money.1
        ));
    }
    Ok(())
}

/// A saga has ended, waits for stock or a person, or has a deadline for which its own task waits. At rest none of these
/// tasks is due.
async fn check_deadlines(db: &PgPool, orders: &BTreeMap<String, Row>, report: &mut Report) -> Result<()> {
    let waiting: BTreeMap<String, jiff::Timestamp> = sqlx::query(
        "select key, due_at from quenty.tasks where kind = 'order_deadline' and status = 'ready' and due_at is not null",
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(|row| (row.get("key"), row.get::<Timestamp, _>("due_at").to_jiff()))
    .collect();
    for (id, order) in orders {
        let waits_for_stock = order.status == "backordered";
        if waits_for_stock && !order.is_queued {
            report.find(format!("order {id} waits for stock in no queue"));
        }
        let over = ENDED.contains(&order.status.as_str()) || order.on_hold || waits_for_stock;
        let alive =
            order.deadline.is_some_and(|(number, at)| waiting.get(&format!("{id}:{number}")) == Some(&at));
        if !over && !alive {
            report.find(format!("order {id} is stuck in {}: no deadline, no reason to hold", order.status));
        }
    }
    Ok(())
}

/// Order, Pickup and Shipping tell the same story.
pub(super) async fn check_agreement(
    order: &PgPool,
    pickup: &PgPool,
    shipping: &PgPool,
    report: &mut Report,
) -> Result<()> {
    let orders: BTreeMap<Uuid, String> = sqlx::query("select id, status from orders")
        .fetch_all(order)
        .await?
        .into_iter()
        .map(|row| (row.get("id"), row.get("status")))
        .collect();
    let pickups = sqlx::query("select order_id, count(*) filter (where status = 'completed') as completed, count(*) filter (where status in ('scheduled', 'assigned', 'in_progress', 'failed')) as live, count(*) filter (where status in ('scheduled', 'assigned')) as coming from pickups where order_id is not null group by order_id").fetch_all(pickup).await?;
    for row in pickups {
        let id: Uuid = row.get("order_id");
        let (completed, live, coming): (i64, i64, i64) =
            (row.get("completed"), row.get("live"), row.get("coming"));
        let status = orders.get(&id).map_or("unknown", String::as_str);
        if completed + live > 1 {
            report.find(format!("order {id} has {completed} completed and {live} live pickups"));
        }
        // Who is at the door already goes on: Pickup has refused to call them off.
        let in_vain = ENDED.contains(&status) && coming > 0;
        if in_vain || status == "cancelled" && completed + live > 0 || status == "unknown" {
            report.find(format!("order {id} is {status} but a driver came or comes for it"));
        }
    }
    let shipments = sqlx::query("select order_id, count(*) filter (where status not in ('voided', 'rejected')) as live, count(*) filter (where status = 'delivered') as delivered from shipments where order_id is not null group by order_id").fetch_all(shipping).await?;
    let mut delivered: BTreeMap<Uuid, i64> = BTreeMap::new();
    for row in shipments {
        let id: Uuid = row.get("order_id");
        let live: i64 = row.get("live");
        delivered.insert(id, row.get("delivered"));
        let status = orders.get(&id).map_or("unknown", String::as_str);
        if live > 1 {
            report.find(format!("order {id} has {live} live shipments"));
        }
        if status == "cancelled" && live > 0 || status == "unknown" {
            report.find(format!("order {id} is {status} but has a live shipment"));
        }
    }
    for (id, status) in &orders {
        let count = delivered.get(id).copied().unwrap_or(0);
        // What came back from the consignee was delivered before.
        let arrived = matches!(status.as_str(), "delivered" | "partially_returned" | "returned");
        if arrived != (count == 1) {
            report.find(format!("order {id} is {status}, and Shipping delivered it {count} times"));
        }
    }
    Ok(())
}

/// What was collected at the door is what Order counts as paid in cash, whatever became of the order. That the rows are what
/// their facts tell is seen in each.
pub(super) async fn check_cash(order: &PgPool, shipping: &PgPool, report: &mut Report) -> Result<()> {
    let collected = amounts(
        shipping,
        "select order_id::text as id, trim_scale(sum(cash_amount))::text as amount from shipments
         where cash_collected and order_id is not null group by 1",
    )
    .await?;
    let counted = amounts(
        order,
        "select id::text as id, trim_scale(paid)::text as amount from orders where payment_method = 'cash_on_delivery' and paid <> 0",
    )
    .await?;
    let ids: BTreeSet<&String> = collected.keys().chain(counted.keys()).collect();
    for id in ids {
        let (cash, paid) = (collected.get(id), counted.get(id));
        if cash != paid {
            report.find(format!(
                "Shipping collected {} for order {id}, Order counts {}",
                cash.map_or("nothing", String::as_str),
                paid.map_or("nothing", String::as_str)
            ));
        }
    }
    Ok(())
}
