use quenty_contracts::pickup::PickupAbandoned;
use quenty_testkit::wait::eventually;
use serde_json::{Value, json};

use crate::{
    deadlines,
    support::{World, days, found},
    way_back::{given_back, rejected, rescheduled, voided},
};

#[tokio::test]
async fn the_buyer_follows_it_without_logging_in_and_sees_no_person_and_no_place() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"notes": "knock twice"})).await;
    let path = asked["tracking_path"].as_str().unwrap();
    world.receive(&asked, 1).await;
    let page = world.app.get(path).send().await.expect(200);
    let shown = page.json();
    assert_eq!(shown["status"], "received");
    let steps: Vec<&Value> = shown["steps"].as_array().unwrap().iter().map(|step| &step["step"]).collect();
    assert_eq!(steps, ["requested", "approved", "received"]);
    for secret in
        ["Ana", "Calle", "knock", "example.com", &of.order.to_string(), asked["id"].as_str().unwrap()]
    {
        assert!(!page.text().contains(secret), "the page shows {secret}");
    }
    let wrong = format!("{}0", &path[..path.len() - 1]);
    let other = if wrong == path { format!("{}1", &path[..path.len() - 1]) } else { wrong };
    world.app.get(&other).send().await.expect(404);
    let own = world.get(&format!("/api/v1/returns/{}/tracking", asked["id"].as_str().unwrap())).await;
    assert_eq!(own["tracking_path"], path);
}

#[tokio::test]
async fn the_page_promises_no_money_that_does_not_come() {
    let world = World::new().await;
    let of = world.delivered(5, "100000.00", None).await;
    let shown = async |asked: &Value| {
        let page = world.app.get(asked["tracking_path"].as_str().unwrap()).send().await.expect(200).json();
        (page["status"].as_str().unwrap().to_owned(), page["refund"].clone())
    };
    let ask = async || world.request(&of, 1, "size", json!({})).await;

    let kept = ask().await;
    let (status, expected) = shown(&kept).await;
    assert_eq!((status.as_str(), expected["currency"].as_str()), ("approved", Some("COP")));
    world.step(&world.merchant, &kept, "cancel", &json!({"reason": "kept"})).await.expect(200);
    assert_eq!(shown(&kept).await, ("cancelled".to_owned(), Value::Null));

    let doubted = world.request(&of, 1, "other", json!({})).await;
    world.step(&world.finance, &doubted, "reject", &json!({"reason": "used"})).await.expect(200);
    assert_eq!(shown(&doubted).await, ("rejected".to_owned(), Value::Null));

    let worn = ask().await;
    world.receive(&worn, 1).await;
    world.inspect(&worn, &[found(1, "poor", "refused")]).await;
    world.process(&worn).await;
    assert_eq!(shown(&worn).await, ("closed".to_owned(), Value::Null));

    let paid = world.request(&of, 1, "wrong_item", json!({})).await;
    let decided = world.bring_back(&paid, 1).await["amounts"]["refund"].clone();
    assert_eq!(shown(&paid).await, ("processed".to_owned(), decided.clone()));
    world.refund(&paid).await.expect(200);
    assert_eq!(shown(&paid).await, ("closed".to_owned(), decided));

    let late = ask().await;
    world.app.advance_to(days(30));
    deadlines::status(&world, &late, "expired").await;
    assert_eq!(shown(&late).await, ("expired".to_owned(), Value::Null));
    world.assert_sound().await;
}

#[tokio::test]
async fn the_buyer_is_told_of_each_step_in_their_language() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"language": "pt-BR"})).await;
    world.bring_back(&asked, 1).await;
    world.refund(&asked).await.expect(200);
    eventually("five mails are written", || async { (world.mails().len() == 5).then_some(()) }).await;
    assert_eq!(
        world.mailed(),
        ["return_approved", "return_inspected", "return_received", "return_refunded", "return_requested"]
    );
    for mail in world.mails() {
        assert_eq!(
            (&mail["to"], &mail["subject"]),
            (&json!("ana@example.com"), &json!("Sua devolução · Tienda Luz"))
        );
        assert!(mail["text"].as_str().unwrap().contains(asked["tracking_path"].as_str().unwrap()));
    }
    // The token opens the page: it is in the mail, and in no fact.
    let token = asked["tracking_path"].as_str().unwrap().rsplit('/').next().unwrap();
    let told: i64 =
        sqlx::query_scalar("select count(*) from quenty.journal where data::text like '%' || $1 || '%'")
            .bind(token)
            .fetch_one(world.app.app.db())
            .await
            .unwrap();
    assert_eq!(told, 0);
}

#[tokio::test]
async fn a_buyer_whose_address_no_mailer_takes_is_not_written_to() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let change =
        r#"update delivered_orders set consignee = jsonb_set(consignee, '{email}', '".ana@example.com"')"#;
    sqlx::query(change).execute(world.app.app.db()).await.unwrap();
    let asked = world.request(&of, 1, "wrong_item", json!({})).await;
    assert_eq!(asked["buyer"]["email"], ".ana@example.com");
    world.bring_back(&asked, 1).await;
    world.assert_sound().await;
    assert_eq!(world.mails(), Vec::<Value>::new());
}

#[tokio::test]
async fn the_buyer_sees_and_is_told_the_time_that_the_driver_was_moved_to() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    world.app.hear(pickup, Some(world.company), 2, &rescheduled(pickup, &asked, "2026-05-07")).await;
    let shown = world.app.get(asked["tracking_path"].as_str().unwrap()).send().await.expect(200).json();
    assert_eq!(
        (&shown["pickup_window_start"], &shown["pickup_window_end"]),
        (&json!("2026-05-07T15:00:00Z"), &json!("2026-05-07T17:00:00Z"))
    );
    let steps: Vec<&Value> = shown["steps"].as_array().unwrap().iter().map(|step| &step["step"]).collect();
    assert_eq!(steps, ["requested", "approved", "pickup_scheduled", "pickup_rescheduled"]);
    assert_eq!(shown["status"], "pickup_scheduled");
    eventually("the buyer is told", || async {
        world.mails().iter().any(|mail| mail["kind"] == "return_pickup_rescheduled").then_some(())
    })
    .await;
    world.assert_sound().await;
}

#[tokio::test]
async fn the_buyer_is_told_that_what_was_promised_does_not_come() {
    let world = World::new().await;
    let of = world.delivered(4, "100000.00", None).await;
    let ask = async |way_back: &str| world.request(&of, 1, "wrong_item", json!({"way_back": way_back})).await;
    let last_step = async |asked: &Value| {
        let page = world.app.get(asked["tracking_path"].as_str().unwrap()).send().await.expect(200).json();
        page["steps"].as_array().unwrap().last().unwrap()["step"].clone()
    };
    let driven = ask("pickup").await;
    let pickup = world.pickup_booked(&driven).await;
    let abandoned: PickupAbandoned = serde_json::from_value(
        json!({"pickup_id": pickup, "return_id": driven["id"], "reason": "attempt 3 failed too"}),
    )
    .unwrap();
    world.app.hear(pickup, Some(world.company), 2, &abandoned).await;
    assert_eq!(last_step(&driven).await, "pickup_called_off");

    let labelled = ask("label").await;
    let shipment = world.label_booked(&labelled).await;
    world.app.hear(shipment, Some(world.company), 2, &voided(shipment, &labelled)).await;
    assert_eq!(last_step(&labelled).await, "label_voided");

    let sent = ask("label").await;
    let shipment = world.label_booked(&sent).await;
    world.app.hear(shipment, Some(world.company), 2, &given_back(shipment, &sent)).await;
    assert_eq!(last_step(&sent).await, "given_back");

    let refused = ask("pickup").await;
    let answer = rejected(&world, &refused, 1, "NO_SERVICE_AREA");
    world.app.hear(answer.pickup_id, Some(world.company), 1, &answer).await;
    assert_eq!(last_step(&refused).await, "approved", "nobody was promised");

    world.assert_sound().await;
    let mailed = world.mailed();
    for kind in ["return_given_back", "return_label_voided", "return_pickup_called_off"] {
        assert_eq!(mailed.iter().filter(|mailed| *mailed == kind).count(), 1, "{kind}");
    }
}

#[tokio::test]
async fn analytics_count_what_came_back_and_why() {
    let world = World::new().await;
    let of = world.delivered(4, "100000.00", None).await;
    let first = world.request(&of, 1, "size", json!({})).await;
    world.request(&of, 1, "defective", json!({})).await;
    let kept = world.request(&of, 2, "changed_mind", json!({})).await;
    world.step(&world.merchant, &kept, "cancel", &json!({"reason": "kept"})).await.expect(200);
    world.bring_back(&first, 1).await;
    world.refund(&first).await.expect(200);
    let told = world.get("/api/v1/returns/analytics?from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z").await;
    let product = &told["by_product"][0];
    assert_eq!(
        (&product["delivered_units"], &product["returned_units"], &product["rate_bps"]),
        (&json!(4), &json!(2), &json!(5000))
    );
    let region = &told["by_region"][0];
    assert_eq!((&region["country"], &region["region"]), (&json!("CO"), &json!("Cundinamarca")));
    let reasons: Vec<&Value> = told["by_reason"].as_array().unwrap().iter().map(|of| &of["reason"]).collect();
    assert_eq!(reasons, ["defective", "size"]);
    assert_eq!(told["cycle_times"]["to_settled_hours"], 0.0);
    let call = world.app.get("/api/v1/returns/analytics?from=2026-06-01T00:00:00Z&to=2026-05-01T00:00:00Z");
    call.token(&world.merchant).send().await.expect_problem(422, "INVALID_QUERY");
}
