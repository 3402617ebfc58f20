//! The checker itself: after a story that it calls sound, it finds each defect that is planted.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    harness::{Cast, Person, Up, counter::Counter},
    operators::owner_url,
};

/// A defect: where it is planted, how, and what the checker has to say about it.
type Defect = (&'static str, &'static str, &'static str);

/// Of the journals. An entry that is planted twice breaks a chain, too: the chains come first.
const OF_THE_JOURNALS: [Defect; 5] = [
    (
        "shipping",
        r#"update quenty.journal set data = data || '{"carrier": "XYZ"}' where type = 'quenty.shipping.shipment.booked.v1'"#,
        "was changed",
    ),
    (
        "order",
        r#"update quenty.journal_personal p set data = p.data || '{"notes": "leave it there"}' from quenty.journal j
           where j.id = p.event_id and j.type = 'quenty.order.order.placed.v1'"#,
        "the personal data of ORD-",
    ),
    (
        "customer",
        "delete from quenty.journal j where stream like 'COMP-%'
             and stream_version = (select max(stream_version) from quenty.journal where stream = j.stream)",
        "does not end where its head says",
    ),
    (
        "order",
        "delete from quenty.journal where stream like 'ORD-%' and type = 'quenty.order.order.confirmed.v1'",
        "has a gap before version",
    ),
    (
        "pickup",
        "insert into quenty.journal (id, stream, stream_version, type, data, personal_digest, actor, company_id, correlation_id,
             causation_id, traceparent, occurred_at, recorded_at, prev_hash, hash)
         select gen_random_uuid(), stream, stream_version + 1000, type, data, personal_digest, actor, company_id, correlation_id,
             causation_id, traceparent, occurred_at, recorded_at, prev_hash, hash
         from quenty.journal where type = 'quenty.pickup.pickup.scheduled.v1' limit 1",
        "was applied 2 times: quenty.pickup.pickup.scheduled.v1",
    ),
];

/// Of what was delivered and of what it led to.
const OF_THEIR_EFFECTS: [Defect; 10] = [
    (
        "order",
        "update quenty.inbox set updated_at = now() where type = 'quenty.shipping.shipment.picked_up.v1'",
        "was applied before the one before it",
    ),
    (
        "pickup",
        "delete from quenty.inbox where type = 'quenty.order.order.pickup_requested.v1'",
        "facts of order never reached pickup",
    ),
    ("order", "update stock_items set on_hand = on_hand + 1", "the ledger says"),
    (
        "order",
        "insert into reservations (id, company_id, order_id, warehouse_id, status, created_at, updated_at)
         select gen_random_uuid(), company_id, order_id, warehouse_id, 'active', created_at, updated_at from reservations limit 1",
        "is active but its movements say otherwise",
    ),
    (
        "order",
        "update orders set reservation_id = (select reservation_id from orders where status = 'processing') where status = 'delivered'",
        ", delivered: its reservation is active",
    ),
    (
        "order",
        "update orders set reservation_id = null where status = 'processing'",
        "rows break reserved_is_what_orders_hold",
    ),
    (
        "pickup",
        "update pickups set order_id = (select order_id from pickups where status = 'completed') where status = 'scheduled'",
        "is delivered but a driver came or comes for it",
    ),
    (
        "order",
        "update orders set status = 'in_transit' where status = 'delivered'",
        "but its facts lead to delivered",
    ),
    // A deadline that was before is none.
    (
        "order",
        "update quenty.tasks set key = split_part(key, ':', 1) || ':0' where kind = 'order_deadline' and status = 'ready'",
        "is stuck in processing: no deadline, no reason to hold",
    ),
    ("order", "delete from backorders", "waits for stock in no queue"),
];

/// Of what the other services keep.
const OF_THE_OTHERS: [Defect; 9] = [
    ("pickup", "update slots set taken = taken + 1", "rows break slots_count_pickups"),
    ("pickup", "update pickups set status = 'failed' where status = 'scheduled'", r#"stands at ("failed""#),
    (
        "pickup",
        "update pickups set local_date = local_date + 1 where status = 'completed'",
        r#"stands at ("completed""#,
    ),
    (
        "shipping",
        "update shipments set cash_collected = true where cash_amount is not null and status = 'booked'",
        "Shipping collected",
    ),
    (
        "shipping",
        "update shipments set status = 'in_transit' where status = 'delivered'",
        r#"stands at ("in_transit""#,
    ),
    ("returns", "update return_lines set received = 0", "1 arrived, 0 are counted"),
    (
        "returns",
        "update returns set status = 'received' where status = 'processed'",
        r#"stands at ("received and processed""#,
    ),
    (
        "returns",
        "delete from quenty.journal where type = 'quenty.returns.return.units_disposed.v1'",
        "received, 0 disposed of",
    ),
    ("customer", "update customers set blocked = not blocked", r#"stands at ("known", "Eva"#),
];

#[tokio::test]
async fn the_checker_finds_what_is_lost_doubled_changed_removed_overtaken_or_stuck() {
    let up = Up::ephemeral(&[]).await;
    let Cast { merchant, fleet, .. } = Cast::enter(&up.stage).await;
    let order = merchant.place(&merchant.order()).await;
    merchant.pay(&order).await;
    merchant.until_status(&order, "processing").await;
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    fleet.deliver(&shipment).await;
    let done = merchant.until_status(&order, "delivered").await;
    assert_eq!(done["payment_status"], json!("paid"));
    let counter = Counter::new(&merchant, &fleet, &Person::administrator(&up.stage).await);
    let sent_back = counter.request(&Counter::wanted(&order, "drop_off")).await;
    counter.process(&sent_back).await;
    let under_way = merchant.place(&merchant.cash_order()).await;
    merchant.until_status(&under_way, "processing").await;
    let mut too_many = merchant.order();
    too_many["lines"][0]["quantity"] = json!(1_000);
    too_many["allow_backorder"] = json!(true);
    assert_eq!(merchant.place(&too_many).await["status"], "backordered");
    merchant
        .client
        .post("/api/v1/customers", &json!({"kind": "individual", "name": "Eva"}))
        .await
        .expect(201);
    up.stage.assert_sound().await;

    let mut known = Vec::new();
    let defects = OF_THE_JOURNALS.into_iter().chain(OF_THEIR_EFFECTS).chain(OF_THE_OTHERS);
    for (service, planted, told) in defects {
        let mut owner = PgConnection::connect(&owner_url(&up, service)).await.expect("the owner may connect");
        let outcome =
            sqlx::query(AssertSqlSafe(planted)).execute(&mut owner).await.expect("the owner may do anything");
        assert!(outcome.rows_affected() > 0, "nothing was planted by {planted}");
        let is_told = |finding: &String| finding.contains(told);
        assert!(!known.iter().any(is_told), "{told:?} is told before it is planted: {known:#?}");
        known = up.stage.check().await.findings;
        assert!(known.iter().any(is_told), "{planted}\nshould be told as {told:?}: {known:#?}");
    }
    up.stop().await;
}
