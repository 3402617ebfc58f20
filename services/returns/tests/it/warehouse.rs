use serde_json::json;

use crate::support::{World, found};

#[tokio::test]
async fn goods_come_in_parts_and_no_more_than_were_asked_for() {
    let world = World::new().await;
    let of = world.delivered(3, "50000.00", None).await;
    let asked = world.request(&of, 3, "wrong_item", json!({})).await;
    let some = world.receive(&asked, 2).await;
    assert_eq!((&some["status"], some["units"].as_array().unwrap().len()), (&json!("received"), 2));
    let two = json!({"lines": [{"line": 1, "quantity": 2}]});
    let problem =
        world.step(&world.clerk, &asked, "receive", &two).await.expect_problem(409, "NOT_SO_MANY_LEFT");
    assert_eq!(problem.json()["left"], 1);
    let units = [found(1, "good", "confirmed"), found(2, "good", "confirmed")];
    assert_eq!(world.inspect(&asked, &units).await["status"], "inspected");
    // The rest comes after all, and is inspected too.
    assert_eq!(world.receive(&asked, 1).await["status"], "received");
    world.step(&world.clerk, &asked, "process", &json!({})).await.expect_problem(409, "ILLEGAL_TRANSITION");
    assert_eq!(world.inspect(&asked, &[found(3, "good", "confirmed")]).await["status"], "inspected");
    assert_eq!(world.process(&asked).await["amounts"]["refund"]["amount"], "159000.00");
    world.assert_sound().await;
}

#[tokio::test]
async fn what_never_comes_stays_with_the_buyer_and_can_come_back_later() {
    let world = World::new().await;
    let of = world.delivered(2, "50000.00", None).await;
    let asked = world.request(&of, 2, "wrong_item", json!({})).await;
    let done = world.bring_back(&asked, 1).await;
    assert_eq!(done["amounts"]["refund"]["amount"], "54500.00", "for one of two");
    world.refund(&asked).await.expect(200);
    let other = world.request(&of, 1, "wrong_item", json!({})).await;
    world.bring_back(&other, 1).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn an_inspection_names_each_unit_once_and_is_no_work_for_who_asked() {
    let world = World::new().await;
    let of = world.delivered(2, "50000.00", None).await;
    let asked = world.request(&of, 2, "wrong_item", json!({})).await;
    world.receive(&asked, 2).await;
    let one = found(1, "good", "confirmed");
    let twice = json!({"units": [one, one]});
    world.step(&world.clerk, &asked, "inspection", &twice).await.expect_problem(422, "NO_SUCH_UNIT");
    let third = json!({"units": [found(3, "good", "confirmed")]});
    world.step(&world.clerk, &asked, "inspection", &third).await.expect_problem(422, "NO_SUCH_UNIT");
    let body = json!({"units": [one]});
    world.step(&world.merchant, &asked, "inspection", &body).await.expect_problem(403, "SAME_PERSON");
    let half = world.step(&world.clerk, &asked, "inspection", &body).await.expect(200).json();
    assert_eq!(half["status"], "received", "the other unit is still to be looked at");
    world.step(&world.clerk, &asked, "inspection", &body).await.expect_problem(409, "INSPECTED_ALREADY");
}

#[tokio::test]
async fn a_disputed_inspection_is_done_again_by_somebody_else_and_counts_instead() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "defective", json!({})).await;
    world.receive(&asked, 1).await;
    world.inspect(&asked, &[found(1, "poor", "refused")]).await;
    let disputed = world
        .step(&world.merchant, &asked, "dispute", &json!({"reason": "it came so"}))
        .await
        .expect(200)
        .json();
    assert_eq!((&disputed["status"], &disputed["dispute"]["of"]), (&json!("disputed"), &json!("inspection")));
    world.step(&world.finance, &asked, "approve", &json!({})).await.expect_problem(409, "ILLEGAL_TRANSITION");
    let again = json!({"units": [found(1, "poor", "confirmed")]});
    world.step(&world.clerk, &asked, "inspection", &again).await.expect_problem(403, "SAME_PERSON");
    let second = world.step(&world.second, &asked, "inspection", &again).await.expect(200).json();
    assert_eq!(second["status"], "inspected");
    assert_eq!(second["units"][0]["earlier_inspections"][0]["claim"], "refused");
    let done = world.process(&asked).await;
    assert_eq!(done["amounts"]["refund"]["amount"], "59000.00");
    world.assert_sound().await;
}
