use futures_util::future::join_all;
use quenty_testkit::http::Answer;
use serde_json::json;

use crate::support::{World, found, wanted};

/// How many have won, and how many were refused with this code.
fn outcome(answers: &[Answer], status: u16, refused: &str) -> (usize, usize) {
    let won = answers.iter().filter(|answer| answer.status() == status).count();
    let lost = answers.iter().filter(|answer| answer.status() == 409 && answer.code() == refused).count();
    (won, lost)
}

#[tokio::test]
async fn of_twenty_returns_of_the_last_unit_one_wins() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let body = wanted(&of, 1, "size", json!({}));
    let answers = join_all((0..20).map(|_| world.try_request(&body))).await;
    assert_eq!(outcome(&answers, 201, "NOT_SO_MANY_LEFT"), (1, 19));
    world.assert_sound().await;
}

#[tokio::test]
async fn of_two_inspections_at_once_one_counts() {
    let world = World::new().await;
    let of = world.delivered(5, "50000.00", None).await;
    for _ in 0..5 {
        let asked = world.request(&of, 1, "wrong_item", json!({})).await;
        world.receive(&asked, 1).await;
        let body = |claim| json!({"units": [found(1, "good", claim)]});
        let (yes, no) = (body("confirmed"), body("refused"));
        let both = tokio::join!(
            world.step(&world.clerk, &asked, "inspection", &yes),
            world.step(&world.second, &asked, "inspection", &no)
        );
        let statuses = [both.0.status(), both.1.status()];
        assert!(statuses == [200, 409] || statuses == [409, 200], "{statuses:?}");
        world.process(&asked).await;
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn processed_twice_at_once_each_unit_still_has_one_disposition() {
    let world = World::new().await;
    let of = world.delivered(2, "50000.00", None).await;
    let asked = world.request(&of, 2, "wrong_item", json!({})).await;
    world.receive(&asked, 2).await;
    world.inspect(&asked, &[found(1, "good", "confirmed"), found(2, "good", "confirmed")]).await;
    let none = json!({});
    let answers = join_all((0..8).map(|_| world.step(&world.clerk, &asked, "process", &none))).await;
    assert_eq!(outcome(&answers, 200, "ILLEGAL_TRANSITION"), (1, 7));
    let payments = join_all((0..8).map(|_| world.refund(&asked))).await;
    assert_eq!(outcome(&payments, 200, "ILLEGAL_TRANSITION"), (1, 7));
    world.assert_sound().await;
}

#[tokio::test]
async fn returns_of_one_order_at_once_never_pay_back_more_than_was_paid() {
    let world = World::new().await;
    let of = world.delivered(6, "50000.00", None).await;
    let mut returns = Vec::new();
    for _ in 0..6 {
        let asked = world.request(&of, 1, "wrong_item", json!({})).await;
        world.receive(&asked, 1).await;
        world.inspect(&asked, &[found(1, "good", "confirmed")]).await;
        returns.push(asked);
    }
    join_all(returns.iter().map(|asked| world.process(asked))).await;
    let refunded: rust_decimal::Decimal = sqlx::query_scalar("select refunded from delivered_orders")
        .fetch_one(world.app.app.db())
        .await
        .unwrap();
    assert_eq!(refunded.to_string(), "309000.0000", "all of it, to the cent");
    world.assert_sound().await;
}
