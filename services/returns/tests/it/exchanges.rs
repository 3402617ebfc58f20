//! An exchange is ordered at Order, which these tests play; the two together are in `tests/journeys`.

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{MethodRouter, post},
};
use quenty_contracts::order::{Exchange, ExchangePlaced};
use quenty_kernel::{
    Failure,
    id::{OrderId, ProductId},
};
use quenty_testkit::{neighbour::serve, wait::eventually};
use serde_json::{Value, json};

use crate::{
    deadlines::{attention, status},
    support::{Delivered, World, cop, days, wanted},
};

/// An Order that says this, and a payment provider that nobody reaches.
async fn beside(order: MethodRouter) -> World {
    let url = serve(Router::new().route("/internal/exchanges", order)).await;
    let nowhere = "http://127.0.0.1:9".to_owned();
    World::with(vec![("order_url", url), ("payout_url", nowhere), ("payout_token", "hush".to_owned())]).await
}

/// For other goods, because of the size.
async fn exchange(world: &World, of: &Delivered) -> Value {
    let exchange = json!([{"product_id": ProductId::new(), "quantity": 1}]);
    let change = json!({"kind": "exchange", "resolution": "exchange", "exchange": exchange});
    world.try_request(&wanted(of, 1, "size", change)).await.expect(201).json()
}

#[tokio::test]
async fn while_a_replacement_is_being_ordered_nobody_pays_or_orders_it_again() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = exchange(&world, &of).await;
    let done = world.bring_back(&asked, 1).await;
    assert_eq!(done["amounts"]["refund"]["amount"], "100000.00", "other goods instead cost no fee");
    assert_eq!(done["status"], "processed");
    world.refund(&asked).await.expect_problem(409, "OTHER_RESOLUTION");
    let again = async || world.step(&world.merchant, &asked, "exchange", &json!({})).await;
    again().await.expect_problem(409, "ILLEGAL_TRANSITION");
    // Order is away: the task tries again until it is there.
    eventually("the replacement is asked for", || async {
        let tasks: i64 = sqlx::query_scalar(
            "select count(*) from quenty.tasks where kind = 'place_exchange' and attempts > 0",
        )
        .fetch_one(world.app.app.db())
        .await
        .unwrap();
        (tasks > 0).then_some(())
    })
    .await;
    assert_eq!(world.read(&asked).await["status"], "processed");
    world.app.advance_to(days(5));
    attention(&world, &asked, "SETTLEMENT_OVERDUE").await;
    again().await.expect(200);
    again().await.expect_problem(409, "ILLEGAL_TRANSITION");
}

#[tokio::test]
async fn what_was_free_is_replaced_by_hand_and_nobody_is_told_otherwise() {
    let world = beside(post(async || StatusCode::SERVICE_UNAVAILABLE)).await;
    let asked = exchange(&world, &world.delivered(1, "0.00", None).await).await;
    let done = world.bring_back(&asked, 1).await;
    assert_eq!(
        (&done["status"], &done["amounts"]["refund"], &done["attention"]["code"]),
        (&json!("processed"), &json!(cop("0.00")), &json!("FREE_EXCHANGE"))
    );
    let orders: i64 = sqlx::query_scalar("select count(*) from quenty.tasks where kind = 'place_exchange'")
        .fetch_one(world.app.app.db())
        .await
        .unwrap();
    assert_eq!(orders, 0, "nobody would pay for it");
    let again = world.step(&world.merchant, &asked, "exchange", &json!({})).await;
    again.expect_problem(409, "ILLEGAL_TRANSITION");
    let closed = world.step(&world.finance, &asked, "refund", &json!({"method": "original"})).await;
    let closed = closed.expect(200).json();
    assert_eq!((&closed["status"], &closed["settlement"]["outcome"]), (&json!("closed"), &json!("disposed")));
    world.assert_sound().await;
    let kinds: Vec<Value> = world.mails().iter().map(|mail| mail["kind"].clone()).collect();
    assert!(kinds.contains(&json!("return_disposed")), "{kinds:?}");
    assert!(!kinds.contains(&json!("return_exchanged")), "nothing was ordered: {kinds:?}");
}

#[tokio::test]
async fn what_cannot_be_replaced_is_paid_back() {
    let short =
        async || quenty_platform::Error::from(Failure::conflict("INSUFFICIENT_STOCK", "there is none"));
    let world = beside(post(short)).await;
    let asked = exchange(&world, &world.delivered(1, "100000.00", None).await).await;
    world.bring_back(&asked, 1).await;
    attention(&world, &asked, "EXCHANGE_FAILED").await;
    let closed = world.refund(&asked).await.expect(200).json();
    assert_eq!((&closed["status"], &closed["settlement"]["outcome"]), (&json!("closed"), &json!("refunded")));
    world.assert_sound().await;
}

#[tokio::test]
async fn the_buyer_s_page_shows_what_a_replacement_leaves_to_be_paid_back() {
    // What came back is told with its worth; something else is ordered.
    let placed = async |Json(asked): Json<Exchange>| {
        let [returned] = asked.returned[..] else { panic!("one line came back: {asked:?}") };
        assert_eq!((returned.line, returned.quantity, returned.value), (1, 1, cop("100000.00")));
        let total = cop("60000.00");
        Json(ExchangePlaced { order_id: OrderId::new(), total, paid: total })
    };
    let world = beside(post(placed)).await;
    let asked = exchange(&world, &world.delivered(1, "100000.00", None).await).await;
    let shown = async || {
        let page = world.app.get(asked["tracking_path"].as_str().unwrap()).send().await.expect(200).json();
        page["refund"].clone()
    };
    assert_eq!(shown().await, json!(null), "other goods come, and nobody knows yet for how much");
    world.bring_back(&asked, 1).await;
    status(&world, &asked, "exchanged").await;
    assert_eq!(shown().await, json!(cop("40000.00")), "still to be paid");
    world.refund(&asked).await.expect(200);
    assert_eq!(shown().await, json!(cop("40000.00")), "paid");
    world.assert_sound().await;
}
