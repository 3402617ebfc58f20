use serde_json::{Value, json};

use crate::support::{World, colleague, found};

#[tokio::test]
async fn at_fault_everything_goes_back_and_partial_returns_are_exact_to_the_cent() {
    let world = World::new().await;
    // 3 × 33,333.33 and 9,000.00 for sending them: 108,999.99 in all.
    let of = world.delivered(3, "33333.33", None).await;
    let mut refunds = Vec::new();
    for _ in 0..3 {
        let asked = world.request(&of, 1, "defective", json!({})).await;
        let done = world.bring_back(&asked, 1).await;
        refunds.push(done["amounts"]["refund"]["amount"].as_str().unwrap().to_owned());
        let settled = world.refund(&asked).await.expect(200).json();
        assert_eq!(
            (&settled["status"], &settled["settlement"]["outcome"]),
            (&json!("closed"), &json!("refunded"))
        );
    }
    assert_eq!(refunds, ["36333.33", "36333.33", "36333.33"]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_changed_mind_costs_the_fee_and_nobody_gets_the_shipping_back() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "changed_mind", json!({})).await;
    let done = world.bring_back(&asked, 1).await;
    assert_eq!(
        done["amounts"],
        json!({"goods": {"amount": "100000.00", "currency": "COP"}, "shipping": {"amount": "0.00", "currency": "COP"},
            "fee": {"amount": "10000.00", "currency": "COP"}, "way_back": {"amount": "0.00", "currency": "COP"},
            "refund": {"amount": "90000.00", "currency": "COP"}})
    );
}

#[tokio::test]
async fn what_the_inspection_does_not_confirm_is_refunded_as_a_changed_mind_or_not_at_all() {
    let world = World::new().await;
    let of = world.delivered(3, "100000.00", None).await;
    let asked = world.request(&of, 3, "defective", json!({})).await;
    world.receive(&asked, 3).await;
    let units =
        [found(1, "good", "confirmed"), found(2, "good", "not_confirmed"), found(3, "poor", "refused")];
    world.inspect(&asked, &units).await;
    let done = world.process(&asked).await;
    // 100,000 and a third of the shipping, and 90,000.
    assert_eq!(done["amounts"]["refund"]["amount"], "193000.00");
    world.assert_sound().await;
}

#[tokio::test]
async fn whoever_decided_on_the_amount_does_not_pay_it() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({})).await;
    world.bring_back(&asked, 1).await;
    let body = json!({"method": "cash"});
    world.step(&world.clerk, &asked, "refund", &body).await.expect_problem(403, "SAME_PERSON");
    world.step(&world.finance, &asked, "refund", &body).await.expect(200);
    world.step(&world.finance, &asked, "refund", &body).await.expect_problem(409, "ILLEGAL_TRANSITION");
}

#[tokio::test]
async fn without_money_owed_a_return_ends_where_the_goods_do() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "size", json!({})).await;
    world.receive(&asked, 1).await;
    world.inspect(&asked, &[found(1, "poor", "refused")]).await;
    let done = world.process(&asked).await;
    assert_eq!((&done["status"], &done["settlement"]["outcome"]), (&json!("closed"), &json!("disposed")));
    world.assert_sound().await;
}

#[tokio::test]
async fn who_wants_store_credit_gets_that() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"resolution": "store_credit"})).await;
    world.bring_back(&asked, 1).await;
    let settled = world.refund(&asked).await.expect(200).json();
    assert_eq!(settled["settlement"]["method"], "store_credit");
    let page = world.app.get(asked["tracking_path"].as_str().unwrap()).send().await.expect(200).json();
    assert_eq!(page["steps"].as_array().unwrap().last().unwrap()["step"], "credited");
    world.assert_sound().await;
    let kinds: Vec<Value> = world.mails().iter().map(|mail| mail["kind"].clone()).collect();
    assert!(kinds.contains(&json!("return_credited")), "{kinds:?}");
    assert!(!kinds.contains(&json!("return_refunded")), "no money was paid: {kinds:?}");
}

#[tokio::test]
async fn the_end_tells_order_what_came_back() {
    let world = World::new().await;
    let of = world.delivered(3, "100000.00", None).await;
    let completed = async |quantity: u32| {
        let asked = world.request(&of, quantity, "wrong_item", json!({})).await;
        world.bring_back(&asked, quantity).await;
        world.step(&colleague(&world), &asked, "refund", &json!({"method": "original"})).await.expect(200);
        let facts = world.app.facts(crate::support::id_of(&asked)).await;
        let last = facts.last().unwrap();
        assert_eq!(last.kind, "quenty.returns.return.completed.v1");
        assert_eq!(last.data["order_id"], of.order.to_string());
        (last.data["returned"].clone(), last.data["order_returned_whole"].clone())
    };
    assert_eq!(completed(2).await, (json!([{"line": 1, "quantity": 2}]), json!(false)));
    assert_eq!(completed(1).await, (json!([{"line": 1, "quantity": 1}]), json!(true)));
}
