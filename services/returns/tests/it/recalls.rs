use quenty_kernel::id::{CompanyId, DispositionId, OrderId, ProductId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{http::Answer, wait::eventually};
use serde_json::{Value, json};

use crate::support::{Delivered, World, days, found};

fn body(product: ProductId) -> Value {
    json!({"product_id": product, "reason": "defective", "resolution": "refund", "way_back": "label", "notes": "It overheats."})
}

async fn recall(world: &World, body: &Value) -> Answer {
    world.post(&world.merchant, "/api/v1/recalls", body).await
}

async fn done(world: &World, recall: &Value) -> Value {
    let path = format!("/api/v1/recalls/{}", recall["id"].as_str().unwrap());
    eventually("the recall is done", || async {
        Some(world.get(&path).await).filter(|recall| recall["status"] == "done")
    })
    .await
}

/// Another order of the same product.
async fn another(world: &World, of: &Delivered, quantity: u32) -> Delivered {
    let more = Delivered { order: OrderId::new(), product: of.product, customer: of.customer };
    world.deliver(&more, quantity, "50000.00", None).await;
    more
}

#[tokio::test]
async fn everybody_who_has_the_product_is_asked_for_what_they_still_have() {
    let world = World::new().await;
    let one = world.delivered(3, "50000.00", None).await;
    let (two, gone) = (another(&world, &one, 1).await, another(&world, &one, 1).await);
    let other = world.delivered(1, "50000.00", None).await;
    for of in [&one, &gone] {
        let back = world.request(of, 1, "size", json!({})).await;
        world.receive(&back, 1).await;
    }
    // Outside of any warranty: a recall is for everybody.
    world.app.advance_to(days(900));

    let begun = recall(&world, &body(one.product)).await.expect(202).json();
    let recall = done(&world, &begun).await;
    assert_eq!((&recall["opened"], &recall["passed_over"]), (&json!(2), &json!(1)));
    let path = format!("/api/v1/returns?recall_id={}", recall["id"].as_str().unwrap());
    let returns = world.get(&path).await["items"].as_array().unwrap().clone();
    let mut seen: Vec<_> = returns
        .iter()
        .map(|of| {
            assert_eq!((&of["status"], &of["approval"]["rule"]), (&json!("approved"), &json!("RECALL")));
            assert_eq!((&of["notes"], &of["booking"]["asked"]), (&json!("It overheats."), &json!("label")));
            (of["order_id"].as_str().unwrap().to_owned(), of["lines"][0]["quantity"].as_u64().unwrap())
        })
        .collect();
    seen.sort();
    let mut wanted = vec![(one.order.to_string(), 2), (two.order.to_string(), 1)];
    wanted.sort();
    assert_eq!(seen, wanted);
    assert!(!seen.iter().any(|(order, _)| *order == other.order.to_string()));
    world.assert_sound().await;
}

#[tokio::test]
async fn what_was_called_back_is_never_used_again() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let mut wanted = body(of.product);
    wanted["way_back"] = json!("drop_off");
    let recall = done(&world, &recall(&world, &wanted).await.expect(202).json()).await;
    let path = format!("/api/v1/returns?recall_id={}", recall["id"].as_str().unwrap());
    let back = world.get(&path).await["items"][0].clone();
    world.receive(&back, 1).await;
    world.inspect(&back, &[found(1, "like_new", "confirmed")]).await;
    for kind in ["resell_as_new", "resell_open_box", "refurbish", "parts", "donate"] {
        let choice =
            json!({"units": [{"line": 1, "unit": 1, "disposition": kind, "reason": "it looks like new"}]});
        let problem = world.step(&world.clerk, &back, "process", &choice).await;
        let problem = problem.expect_problem(422, "DISPOSITION_FORBIDDEN").json();
        assert_eq!(problem["refusal"], "recalled", "{kind}");
    }
    let unit = world.process(&back).await["units"][0]["disposition"].clone();
    assert_eq!(unit["kind"], "recycle");
    let item: DispositionId = unit["disposition_id"].as_str().unwrap().parse().unwrap();
    let told: Vec<String> = world.app.facts(item).await.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(told, ["quenty.returns.item.disposed.v1"], "nothing is on the shelf again");
    world.assert_sound().await;
}

#[tokio::test]
async fn who_obeys_a_recall_gets_all_back_whatever_the_reason_and_the_inspection_say() {
    let world = World::new().await;
    for reason in ["defective", "other"] {
        let of = world.delivered(1, "50000.00", None).await;
        let mut wanted = body(of.product);
        wanted["reason"] = json!(reason);
        wanted["way_back"] = json!("drop_off");
        let recall = done(&world, &recall(&world, &wanted).await.expect(202).json()).await;
        let path = format!("/api/v1/returns?recall_id={}", recall["id"].as_str().unwrap());
        let back = world.get(&path).await["items"][0].clone();
        world.receive(&back, 1).await;
        world.inspect(&back, &[found(1, "good", "not_confirmed")]).await;
        let done = world.process(&back).await;
        for amounts in [&back["expected"], &done["amounts"]] {
            let [fee, refund] = ["fee", "refund"].map(|name| &amounts[name]["amount"]);
            assert_eq!((fee, refund), (&json!("0.00"), &json!("59000.00")), "{reason}: goods and shipping");
        }
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn more_orders_than_one_task_takes_are_recalled_once_each() {
    let world = World::new().await;
    let one = world.delivered(1, "50000.00", None).await;
    for _ in 0..120 {
        another(&world, &one, 1).await;
    }
    let product = body(one.product);
    let (first, second) = tokio::join!(recall(&world, &product), recall(&world, &product));
    let (first, second) =
        (done(&world, &first.expect(202).json()).await, done(&world, &second.expect(202).json()).await);
    let count = |recall: &Value, what: &str| recall[what].as_u64().unwrap();
    assert_eq!(count(&first, "opened") + count(&second, "opened"), 121, "each order has one return");
    assert_eq!(count(&first, "passed_over") + count(&second, "passed_over"), 121);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_policy_that_changes_meanwhile_ends_no_recall() {
    let world = World::new().await;
    let one = world.delivered(1, "50000.00", None).await;
    another(&world, &one, 1).await;
    // No return is opened before the policy is another one.
    let mut held = world.app.app.db().begin().await.unwrap();
    sqlx::query("select from delivered_orders for update").execute(&mut *held).await.unwrap();
    let begun = recall(&world, &body(one.product)).await.expect(202).json();
    let mut terms = world.get("/api/v1/return-policies").await;
    for name in ["version", "company_id"] {
        terms.as_object_mut().unwrap().remove(name);
    }
    terms["reasons"] = json!(["size"]);
    world.app.put("/api/v1/return-policies").token(&world.merchant).json(&terms).send().await.expect(200);
    held.rollback().await.unwrap();
    let done = done(&world, &begun).await;
    assert_eq!((&done["opened"], &done["passed_over"]), (&json!(2), &json!(0)));
    recall(&world, &body(one.product)).await.expect_problem(422, "REASON_NOT_ACCEPTED");
    world.assert_sound().await;
}

#[tokio::test]
async fn an_order_that_the_rules_refuse_is_passed_over() {
    let world = World::new().await;
    let one = world.delivered(1, "50000.00", None).await;
    let other = another(&world, &one, 1).await;
    // Two lines that together are worth more than an amount can say.
    sqlx::query(
        "insert into delivered_lines (order_id, line, product_id, sku, name, quantity, goods, shipping, item, claimed, settled)
         select order_id, 2, product_id, sku, name, quantity, goods, shipping, item, claimed, settled
         from delivered_lines where order_id = $1",
    )
    .bind(one.order.uuid())
    .execute(world.app.app.db())
    .await
    .unwrap();
    sqlx::query("update delivered_lines set goods = 999999999999999 where order_id = $1")
        .bind(one.order.uuid())
        .execute(world.app.app.db())
        .await
        .unwrap();
    let recall = done(&world, &recall(&world, &body(one.product)).await.expect(202).json()).await;
    assert_eq!((&recall["opened"], &recall["passed_over"]), (&json!(1), &json!(1)));
    let path = format!("/api/v1/returns?recall_id={}", recall["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await["items"][0]["order_id"], json!(other.order));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_recall_is_its_companys_and_from_a_day_on() {
    let world = World::new().await;
    let early = world.delivered(1, "50000.00", None).await;
    world.app.advance_to(days(2));
    another(&world, &early, 1).await;
    let mut since = body(early.product);
    since["delivered_since"] = json!(days(1));
    let recall_ = done(&world, &recall(&world, &since).await.expect(202).json()).await;
    assert_eq!((&recall_["opened"], &recall_["passed_over"]), (&json!(1), &json!(0)));

    let stranger = world.app.token_of(UserId::new(), Realm::Company, Some(CompanyId::new()), &["returns:*"]);
    let path = format!("/api/v1/recalls/{}", recall_["id"].as_str().unwrap());
    world.app.get(&path).token(&stranger).send().await.expect_problem(404, "NOT_FOUND");
    let theirs = world.post(&stranger, "/api/v1/recalls", &body(early.product)).await.expect(202).json();
    let path = format!("/api/v1/recalls/{}", theirs["id"].as_str().unwrap());
    let theirs = eventually("it is done", || async {
        let recall = world.app.get(&path).token(&stranger).send().await.expect(200).json();
        (recall["status"] == "done").then_some(recall)
    })
    .await;
    assert_eq!(theirs["opened"], 0, "nothing of another company's buyers");

    let mut wrong = body(early.product);
    wrong["resolution"] = json!("exchange");
    recall(&world, &wrong).await.expect_problem(422, "INVALID_FIELD");
}
