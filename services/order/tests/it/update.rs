use std::collections::BTreeMap;

use futures_util::future::join_all;
use quenty_kernel::id::OrderId;
use quenty_testkit::{TestApp, eventually};
use serde_json::{Value, json};

use crate::{
    merchant::{patiently, warehouse},
    shop::{Road, Shop, consignee, hear_standing, standing, standing_still},
};

fn cop(amount: &str) -> Value {
    json!({"amount": amount, "currency": "COP"})
}

fn lines(lines: &[(&str, u32)]) -> Value {
    lines.iter().map(|(product, quantity)| json!({"product_id": product, "quantity": quantity})).collect()
}

#[tokio::test]
async fn other_lines_that_lie_abroad_need_what_an_order_abroad_needs() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let mut abroad = warehouse("Monterrey");
    abroad["address"] = consignee("MX")["address"].clone();
    let abroad = shop.merchant.post("/api/v1/warehouses", abroad).await.expect(201).json();
    let mug = shop.merchant.product("MUG", json!({"price": cop("30000.00")})).await;
    shop.merchant.receive(&mug, abroad["id"].as_str().unwrap(), 5).await;
    let id = shop.place(json!({"payment_method": "prepaid"})).await;
    let patch = json!({"lines": lines(&[(&mug, 1)])});
    let path = format!("/api/v1/orders/{id}");
    shop.merchant.patch(&path, patch.clone()).await.expect_problem(409, "KYC_REQUIRED");
    assert_eq!((shop.get(id).await["kind"].clone(), shop.stock().await), (json!("standard"), (100, 2, 98)));
    // Nor does one go abroad that waited at home and finds its goods there.
    let abroad = abroad["id"].as_str().unwrap();
    let waits = shop.place(json!({"allow_backorder": true, "lines": lines(&[(&mug, 6)])})).await;
    shop.merchant.receive(&mug, abroad, 2).await;
    shop.held(waits, "KYC_REQUIRED").await;
    // Nor one whose warehouse has moved there since.
    let north = shop.merchant.warehouse("Norte").await;
    let cup = shop.merchant.product("CUP", json!({})).await;
    shop.merchant.receive(&cup, &north, 2).await;
    let moves = shop.place(json!({"payment_method": "prepaid", "lines": lines(&[(&cup, 2)])})).await;
    let there = json!({"address": consignee("MX")["address"]});
    shop.merchant.patch(&format!("/api/v1/warehouses/{north}"), there).await.expect(200);
    let paid = json!({"amount": cop("100000.00")});
    let paid = shop.act(moves, "payments", paid).await.expect(200).json();
    assert_eq!((&paid["kind"], &paid["on_hold"]["code"]), (&json!("international"), &json!("KYC_REQUIRED")));
    assert_eq!(shop.count_facts(moves, "shipment_requested").await, 0);
    let mut verified = standing(shop.merchant.company);
    (verified.version, verified.may_ship_internationally) = (2, true);
    hear_standing(&app, verified).await;
    assert_eq!(shop.merchant.patch(&path, patch).await.expect(200).json()["kind"], "international");
    for id in [waits, moves] {
        eventually("what was held goes on by itself", || async {
            (shop.status(id).await == "confirmed").then_some(())
        })
        .await;
        assert_eq!(shop.get(id).await["kind"], "international");
        shop.assert_sound(id).await;
    }
}

#[tokio::test]
async fn other_lines_exchange_the_stock_and_recompute_the_totals() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let mug = shop.merchant.product("MUG", json!({"price": cop("30000.00")})).await;
    shop.merchant.receive(&mug, &shop.warehouse, 5).await;
    let more = json!({"payment_method": "prepaid", "shipping": cop("8000.00"), "discount": cop("1000.00")});
    let id = shop.place(more).await;
    let path = format!("/api/v1/orders/{id}");
    app.advance_to(app.now() + jiff::SignedDuration::from_hours(1));
    let patch = json!({"lines": lines(&[(&shop.product, 1), (&mug, 3)]), "expected_total": cop("147000.00")});
    let mut wrong = patch.clone();
    wrong["expected_total"] = cop("147000.01");
    shop.merchant.patch(&path, wrong).await.expect_problem(422, "TOTAL_MISMATCH");
    let updated = shop.merchant.patch(&path, patch.clone()).await.expect(200).json();
    assert_eq!(
        (&updated["totals"]["total"], &updated["totals"]["discount"]),
        (&cop("147000.00"), &cop("1000.00"))
    );
    assert_eq!(updated["parcels"][0]["weight_grams"], 800);
    assert_eq!(shop.stock().await, (100, 1, 99));
    assert_eq!(shop.merchant.stock(&mug, &shop.warehouse).await, (5, 3, 2));
    let version = updated["version"].clone();
    assert_eq!(
        shop.merchant.patch(&path, patch.clone()).await.expect(200).json()["version"],
        version,
        "nothing changed"
    );
    // The same lines of a product that weighs and is declared otherwise are other parcels.
    let lighter = json!({"weight_grams": 100, "hs_code": "6912.00"});
    shop.merchant.patch(&format!("/api/v1/products/{mug}"), lighter).await.expect(200);
    let repacked = shop.merchant.patch(&path, patch.clone()).await.expect(200).json();
    assert_eq!(repacked["parcels"][0]["weight_grams"], 500);
    // More than there is changes nothing at all.
    let too_many = json!({"lines": lines(&[(&mug, 6)])});
    shop.merchant.patch(&path, too_many).await.expect_problem(409, "INSUFFICIENT_STOCK");
    shop.merchant.patch(&path, json!({"lines": []})).await.expect_problem(422, "LINES_OUT_OF_RANGE");
    let dollars =
        json!([{"product_id": mug, "quantity": 1, "unit_price": {"amount": "1.00", "currency": "USD"}}]);
    shop.merchant.patch(&path, json!({"lines": dollars})).await.expect_problem(422, "CURRENCY_MISMATCH");
    shop.merchant
        .patch(&path, json!({"expected_total": cop("1.00")}))
        .await
        .expect_problem(422, "LINES_MISSING");
    assert_eq!(shop.merchant.stock(&mug, &shop.warehouse).await, (5, 3, 2));
    let before = format!("{path}?as_of=2026-03-02T12:30:00Z");
    assert_eq!(shop.merchant.get(&before).await.expect(200).json()["totals"]["total"], cop("107000.00"));
    shop.act(id, "payments", json!({"amount": cop("147000.00")})).await.expect(200);
    let asked =
        app.facts(id).await.into_iter().find(|fact| fact.kind.ends_with("shipment_requested.v1")).unwrap();
    assert_eq!(
        (&asked.data["items"][1]["hs_code"], &asked.data["declared_value"]),
        (&json!("691200"), &cop("139000.00"))
    );
    // 89,357.14 do not divide by three: one mug is declared a centavo dearer.
    let items = asked.data["items"].as_array().unwrap().iter();
    let values: Vec<_> =
        items.map(|item| (item["quantity"].as_u64(), item["unit_value"]["amount"].as_str())).collect();
    let each = [(1, "49642.86"), (1, "29785.72"), (2, "29785.71")];
    assert_eq!(values, each.map(|(quantity, value)| (Some(quantity), Some(value))));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn lines_are_fixed_by_the_shipment_and_the_total_by_the_payment() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let path = format!("/api/v1/orders/{id}");
    let one = json!({"lines": lines(&[(&shop.product, 1)])});
    shop.merchant.patch(&path, one.clone()).await.expect_problem(409, "LINES_FIXED");
    assert_eq!(shop.stock().await, (100, 2, 98));
    // A paid order that a person has stopped before anything was asked for.
    let paid = shop.place(json!({"payment_method": "prepaid"})).await;
    shop.act(paid, "hold", json!({"reason": "wait"})).await.expect(200);
    shop.act(paid, "payments", json!({"amount": cop("100000.00")})).await.expect(200);
    let path = format!("/api/v1/orders/{paid}");
    let refused = shop.merchant.patch(&path, one).await.expect_problem(409, "TOTAL_FIXED").json();
    assert_eq!(refused["total"], cop("100000.00"));
    let dear =
        json!({"lines": [{"product_id": shop.product, "quantity": 1, "unit_price": cop("100000.00")}]});
    shop.merchant.patch(&path, dear).await.expect(200);
    assert_eq!(shop.stock().await, (100, 3, 97));
    shop.act(paid, "release", json!({})).await.expect(200);
    assert_eq!(shop.fulfilment(paid).await["step"], "shipment");
    shop.assert_sound(paid).await;
}

#[tokio::test]
async fn an_order_with_nothing_left_to_pay_waits_for_no_payment() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({"payment_method": "prepaid"})).await;
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "PAYMENT_MISSING").await;
    let free = json!({"lines": [{"product_id": shop.product, "quantity": 2, "unit_price": cop("0.00")}]});
    let updated = shop.merchant.patch(&format!("/api/v1/orders/{id}"), free).await.expect(200).json();
    assert_eq!(
        (&updated["status"], &updated["payment_status"], &updated["on_hold"]),
        (&json!("confirmed"), &json!("paid"), &json!(null))
    );
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn the_address_can_change_until_the_driver_has_the_parcels() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let (road, path) = (Road::of(&shop, id), format!("/api/v1/orders/{id}"));
    road.until_processing().await;
    let mut moved = consignee("CO");
    moved["address"]["line1"] = json!("Calle 100 # 8-20");
    let updated =
        shop.merchant.patch(&path, json!({"consignee": moved, "notes": "ring"})).await.expect(200).json();
    assert_eq!((&updated["consignee"], &updated["status"]), (&moved, &json!("processing")));
    moved["email"] = json!("ana..gomez@example.com");
    let unmailable = shop.merchant.patch(&path, json!({"consignee": moved})).await;
    let refused = unmailable.expect_problem(422, "INVALID_BODY").json();
    assert_eq!(refused["errors"][0]["pointer"], "/consignee/email");
    road.completed().await;
    shop.merchant.patch(&path, json!({"notes": "x"})).await.expect_problem(409, "ORDER_NOT_UPDATABLE");
    shop.assert_sound(id).await;
}

async fn last_pickup(app: &TestApp, id: OrderId) -> Value {
    let facts = app.facts(id).await;
    facts.iter().rfind(|fact| fact.kind.ends_with(".pickup_requested.v1")).unwrap().data.clone()
}

#[tokio::test]
async fn a_pickup_that_cannot_be_had_is_wanted_otherwise_and_asked_for_again() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({"pickup": {"kind": "express"}})).await;
    let (road, path) = (Road::of(&shop, id), format!("/api/v1/orders/{id}"));
    road.booked(1).await;
    assert_eq!(last_pickup(&app, id).await["kind"], "express");
    shop.merchant.patch(&path, json!({"pickup": null})).await.expect_problem(409, "PICKUP_FIXED");
    road.pickup_rejected("EXPRESS_UNAVAILABLE", "nobody hurries there").await;
    shop.held(id, "PICKUP_REJECTED").await;
    let slot = json!({"kind": "scheduled", "date": "2100-01-04", "slot": "08:00"});
    let hasty = json!({"pickup": {"kind": "express", "slot": "08:00"}});
    shop.merchant.patch(&path, hasty).await.expect_problem(422, "SLOT_NOT_WANTED");
    let updated = shop.merchant.patch(&path, json!({"pickup": slot})).await.expect(200).json();
    assert_eq!(updated["wanted_pickup"], slot);
    let again = shop.merchant.patch(&path, json!({"pickup": slot})).await.expect(200).json();
    assert_eq!(again["version"], updated["version"], "nothing changed");
    shop.act(id, "retry", json!({})).await.expect(200);
    let asked = last_pickup(&app, id).await;
    assert_eq!((&asked["attempt"], &asked["kind"]), (&json!(2), &json!("scheduled")));
    assert_eq!((&asked["date"], &asked["slot"]), (&json!("2100-01-04"), &json!("08:00")));
    shop.assert_sound(id).await;
    // Before anything is asked for, any slot will do again; with the rest of the order.
    let waits = shop.place(json!({"payment_method": "prepaid", "pickup": slot})).await;
    let path = format!("/api/v1/orders/{waits}");
    let updated =
        shop.merchant.patch(&path, json!({"pickup": null, "notes": "ring"})).await.expect(200).json();
    assert_eq!((&updated["wanted_pickup"], &updated["notes"]), (&json!(null), &json!("ring")));
    shop.assert_sound(waits).await;
}

#[tokio::test]
async fn a_day_that_is_over_is_not_asked_for() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let slot = json!({"kind": "scheduled", "date": "2026-03-03", "slot": "08:00"});
    let id = shop.place(json!({"pickup": slot})).await;
    Road::of(&shop, id).booked(1).await;
    let asked = last_pickup(&app, id).await;
    assert_eq!((&asked["date"], &asked["slot"]), (&json!("2026-03-03"), &json!("08:00")));
    let late = shop.place(json!({"payment_method": "prepaid", "pickup": slot})).await;
    app.advance_to("2026-03-04T12:00:00Z".parse().unwrap());
    shop.held(id, "PICKUP_UNANSWERED").await;
    shop.held(late, "PAYMENT_MISSING").await;
    shop.act(late, "payments", json!({"amount": cop("100000.00")})).await.expect(200);
    Road::of(&shop, late).booked(1).await;
    let asked = last_pickup(&app, late).await;
    assert_eq!(
        (&asked["kind"], &asked["date"], &asked["slot"]),
        (&json!("scheduled"), &json!(null), &json!(null))
    );
    shop.assert_sound(late).await;
}

#[tokio::test]
async fn who_asks_for_less_is_served_and_lets_others_by() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let waiting = |quantity| json!({"allow_backorder": true, "lines": lines(&[(&shop.product, quantity)])});
    let (first, second) = (shop.place(waiting(150)).await, shop.place(waiting(20)).await);
    let patch = async |quantity| {
        let body = json!({"lines": lines(&[(&shop.product, quantity)])});
        shop.merchant.patch(&format!("/api/v1/orders/{first}"), body).await.expect(200).json()
    };
    assert_eq!(patch(120).await["status"], "backordered");
    assert_eq!(patch(80).await["status"], "confirmed");
    eventually("the next in turn is served", || async {
        (shop.status(second).await == "confirmed").then_some(())
    })
    .await;
    assert_eq!(shop.stock().await, (100, 100, 0));
    shop.assert_sound(first).await;
}

#[tokio::test]
async fn sixty_four_editors_never_take_more_than_there_is() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let other = shop.merchant.product("OTHER", json!({})).await;
    shop.merchant.receive(&other, &shop.warehouse, 60).await;
    let mut ids: Vec<OrderId> = Vec::new();
    for _ in 0..8 {
        ids.push(shop.place(json!({"payment_method": "prepaid"})).await);
    }
    let edits = (0_u32..64).map(|edit| {
        let (id, quantity) = (ids[edit as usize % ids.len()], 1 + edit * 7 % 23);
        let (a, b) = if edit % 2 == 0 { (&shop.product, &other) } else { (&other, &shop.product) };
        let body = json!({"lines": lines(&[(a, quantity), (b, 24 - quantity)])});
        let path = format!("/api/v1/orders/{id}");
        let merchant = &shop.merchant;
        async move { patiently(async || merchant.patch(&path, body.clone()).await).await }
    });
    let answers = join_all(edits).await;
    assert!(answers.iter().any(|answer| answer.status() == 200));
    for answer in answers.iter().filter(|answer| answer.status() != 200) {
        answer.clone().expect_problem(409, "INSUFFICIENT_STOCK");
    }
    let mut ordered = BTreeMap::<String, i64>::new();
    for id in &ids {
        for line in shop.get(*id).await["lines"].as_array().unwrap() {
            *ordered.entry(line["product_id"].as_str().unwrap().to_owned()).or_default() +=
                line["quantity"].as_i64().unwrap();
        }
        shop.assert_sound(*id).await;
    }
    for product in [&shop.product, &other] {
        let (on_hand, reserved, available) = shop.merchant.stock(product, &shop.warehouse).await;
        assert_eq!(
            (reserved, available >= 0),
            (ordered.get(product).copied().unwrap_or(0), true),
            "{on_hand}"
        );
    }
}
