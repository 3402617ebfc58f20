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
        "select r.id, r.status from reservations r
         left join lateral (
             select coalesce(sum(reserved_delta), 0) as set_aside, coalesce(sum(on_hand_delta), 0) as moved
             from stock_movements where reservation_id = r.id) m on true
         where (r.status = 'active') <> (m.set_aside > 0) or m.set_aside < 0 or (r.status = 'issued' and m.moved >= 0)
            or (r.status in ('active', 'released', 'returned') and m.moved <> 0)",
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
    check_orders(db, report).await?;
    check_restocked(db, report).await
}

/// What an order holds is what its status says, and nothing is held for nobody.
async fn check_orders(db: &PgPool, report: &mut Report) -> Result<()> {
    let differing = sqlx::query(
        "select coalesce(o.id, r.order_id) as id, coalesce(o.status, 'served by another') as status, coalesce(r.status, 'none') as reservation
         from orders o full join reservations r on r.id = o.reservation_id
         where coalesce(r.status, 'none') <> all (case
             when o.id is null then '{released}'::text[]
             when o.status = 'backordered' then '{none}'
             when o.status = 'cancelled' then '{released,none}'
             when o.status = 'returned_to_sender' then '{returned}'
             when o.status in ('pending', 'confirmed', 'processing', 'cancelling') then '{active}'
             when o.status = 'exception' and o.picked_up_at is null then '{active}'
             else '{issued}' end)",
    )
    .fetch_all(db)
    .await?;
    for row in differing {
        report.find(format!(
            "order {}, {}: its reservation is {}",
            row.get::<Uuid, _>("id"),
            row.get::<String, _>("status"),
            row.get::<String, _>("reservation")
        ));
    }
    Ok(())
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
