//! The checker itself: after a story that it calls sound, it finds each defect that is planted.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    harness::{Cast, Up},
    operators::owner_url,
};

/// A defect: where it is planted, how, and what the checker has to say about it.
const DEFECTS: [(&str, &str, &str); 5] = [
    (
        "pickup",
        "delete from quenty.inbox where type = 'quenty.order.order.pickup_requested.v1'",
        "facts of order never reached pickup",
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
    (
        "order",
        "delete from quenty.journal where stream like 'ORD-%' and type = 'quenty.order.order.confirmed.v1'",
        "has a gap before version",
    ),
    ("order", "update stock_items set on_hand = on_hand + 1", "the ledger says"),
    ("order", "update orders set status = 'in_transit' where status = 'delivered'", "but its facts lead to delivered"),
];

#[tokio::test]
async fn the_checker_finds_a_loss_a_double_a_gap_and_what_does_not_add_up() {
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
    up.stage.assert_sound().await;

    for (service, planted, told) in DEFECTS {
        let mut owner = PgConnection::connect(&owner_url(&up, service)).await.expect("the owner may connect");
        let outcome =
            sqlx::query(AssertSqlSafe(planted)).execute(&mut owner).await.expect("the owner may do anything");
        assert!(outcome.rows_affected() > 0, "nothing was planted by {planted}");
        let findings = up.stage.check().await.findings;
        assert!(
            findings.iter().any(|finding| finding.contains(told)),
            "{planted}\nshould be told as {told:?}: {findings:#?}"
        );
    }
    up.stop().await;
}
