//! Stock: what lies on the shelf is the sum of the ledger, and what is set aside belongs to live reservations.

use anyhow::Result;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::Report;

pub(super) async fn check(db: &PgPool, report: &mut Report) -> Result<()> {
    let count: i64 = sqlx::query_scalar("select count(*) from stock_items").fetch_one(db).await?;
    report.stock_items = count.unsigned_abs();
    let differing = sqlx::query(
        "select i.id, i.on_hand, i.reserved, coalesce(sum(m.on_hand_delta), 0)::bigint as moved, coalesce(sum(m.reserved_delta), 0)::bigint as set_aside
         from stock_items i left join stock_movements m on m.stock_item_id = i.id
         group by i.id having i.on_hand <> coalesce(sum(m.on_hand_delta), 0) or i.reserved <> coalesce(sum(m.reserved_delta), 0)
            or i.reserved < 0 or i.on_hand < i.reserved",
    )
    .fetch_all(db)
    .await?;
    for row in differing {
        report.find(format!(
            "stock item {}: on hand {} and reserved {}, the ledger says {} and {}",
            row.get::<Uuid, _>("id"),
            row.get::<i64, _>("on_hand"),
            row.get::<i64, _>("reserved"),
            row.get::<i64, _>("moved"),
            row.get::<i64, _>("set_aside")
        ));
    }
    // A reservation's movements sum to what its status says: all of it set aside, or nothing.
    let reservations = sqlx::query(
        "select r.id, r.status from reservations r join stock_movements m on m.reservation_id = r.id
         group by r.id, r.status
         having (r.status = 'active') <> (sum(m.reserved_delta) > 0) or sum(m.reserved_delta) < 0
             or (r.status = 'issued' and sum(m.on_hand_delta) >= 0) or (r.status in ('active', 'released', 'returned') and sum(m.on_hand_delta) <> 0)",
    )
    .fetch_all(db)
    .await?;
    for row in reservations {
        report.find(format!(
            "reservation {} is {} but its movements say otherwise",
            row.get::<Uuid, _>("id"),
            row.get::<String, _>("status")
        ));
    }
    let twice = sqlx::query_scalar::<_, Uuid>("select reservation_id from stock_movements where kind = 'issue' and reservation_id is not null group by reservation_id, stock_item_id having count(*) > 1").fetch_all(db).await?;
    for id in twice {
        report.find(format!("reservation {id} was issued twice"));
    }
    check_restocked(db, report).await
}

/// Each returned piece that can be sold again is taken in by one movement.
async fn check_restocked(db: &PgPool, report: &mut Report) -> Result<()> {
    let row = sqlx::query(
        "select (select count(*) from quenty.inbox where type = 'quenty.returns.item.restocked.v1' and status = 'done') as told,
                (select count(*) from stock_movements where kind = 'return' and reservation_id is null) as taken_in",
    )
    .fetch_one(db)
    .await?;
    let (told, taken_in): (i64, i64) = (row.get("told"), row.get("taken_in"));
    if told != taken_in {
        report.find(format!("{told} returned pieces were to be restocked, the ledger holds {taken_in}"));
    }
    Ok(())
}
