use std::sync::{Arc, atomic::AtomicBool};

use quenty_contracts::returns::{ReturnLabelRequested, ReturnWayBackCancelRequested};
use quenty_kernel::id::{ReturnId, ShipmentId};
use serde_json::{Value, json};

use crate::fixtures::{Shop, customer_while, delivered};

#[tokio::test]
async fn a_label_that_waits_for_customer_can_be_given_up() {
    let away = Arc::new(AtomicBool::new(false));
    let shop = Shop::open_with(vec![("customer_url", customer_while(true, away).await)]).await;
    let goods = ReturnId::new();
    shop.asks(goods, 3, &shop.way_back(goods, "MX")).await;
    shop.until(goods, "booking").await;
    shop.gives_up(goods, 4, &shop.give_up(goods)).await;
    let shipment = shop.shipment_for(goods).await;
    assert_eq!(shop.kinds_of(&shipment).await, ["created", "booking_started", "voided"]);
}

#[tokio::test]
async fn a_label_that_is_given_up_is_voided_and_answered() {
    let shop = Shop::open().await;
    let goods = ReturnId::new();
    shop.asks(goods, 3, &shop.way_back(goods, "CO")).await;
    // A driver that is called off is Pickup's business.
    let driver = ReturnWayBackCancelRequested { way_back: "pickup".to_owned(), ..shop.give_up(goods) };
    shop.gives_up(goods, 4, &driver).await;
    assert_eq!(shop.shipment_for(goods).await["status"], "booked");

    shop.gives_up(goods, 5, &shop.give_up(goods)).await;
    let shipment = shop.shipment_for(goods).await;
    assert_eq!(
        (&shipment["status"], &shipment["ended_reason"]),
        (&json!("voided"), &json!("the buyer keeps it"))
    );
    let id = shipment["id"].as_str().unwrap();
    shop.get(&format!("/shipments/{id}/label")).await.expect_problem(409, "SHIPMENT_NOT_BOOKED");
    shop.scan(id, &json!({"kind": "scan"})).await.expect_problem(409, "SHIPMENT_NOT_BOOKED");
    // Asked again, it is answered again, and nothing moves.
    shop.gives_up(
        goods,
        6,
        &ReturnWayBackCancelRequested { reason: "again".to_owned(), ..shop.give_up(goods) },
    )
    .await;
    assert_eq!(shop.kinds_of(&shipment).await[3..], ["voided", "voided"]);
    assert_eq!(shop.shipment_for(goods).await["ended_reason"], "the buyer keeps it");
    shop.assert_told_of(&shipment, goods).await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_rejected_request_that_is_given_up_is_answered_and_stays_rejected() {
    let shop = Shop::open().await;
    let goods = ReturnId::new();
    let mut unprintable = shop.way_back(goods, "CO");
    unprintable.sender.name = "Иван".parse().unwrap();
    shop.asks(goods, 3, &unprintable).await;
    shop.gives_up(goods, 4, &shop.give_up(goods)).await;
    let shipment = shop.shipment_for(goods).await;
    assert_eq!((&shipment["status"], &shipment["ended_code"]), (&json!("rejected"), &json!("UNPRINTABLE")));
    assert_eq!(shop.kinds_of(&shipment).await[2..], ["rejected", "voided"]);
    let id = shipment["id"].as_str().unwrap();
    let folded = shop.get(&format!("/shipments/{id}?as_of={}", shop.app.now())).await.expect(200).json();
    assert_eq!(folded["status"], "rejected", "the journal tells the same");
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_was_scanned_before_it_was_given_up_travels_on_and_nothing_more_is_told() {
    let shop = Shop::open().await;
    let goods = ReturnId::new();
    shop.asks(goods, 3, &shop.way_back(goods, "CO")).await;
    let shipment = shop.shipment_for(goods).await;
    let id = shipment["id"].as_str().unwrap();
    shop.scan(id, &json!({"kind": "scan"})).await.expect(200);
    shop.gives_up(goods, 4, &shop.give_up(goods)).await;
    assert_eq!(shop.kinds_of(&shipment).await.last().unwrap(), "picked_up");
    shop.scan(id, &delivered()).await.expect(200);
    shop.gives_up(goods, 5, &shop.give_up(goods)).await;
    assert_eq!(shop.kinds_of(&shipment).await.last().unwrap(), "delivered");
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_was_given_up_before_it_was_asked_for_is_answered_and_books_nothing_later() {
    let shop = Shop::open().await;
    let (goods, heard) = (ReturnId::new(), ShipmentId::new());
    let wish = ReturnWayBackCancelRequested { shipment_id: Some(heard), ..shop.give_up(goods) };
    shop.gives_up(goods, 4, &wish).await;
    let answer = shop.app.facts(heard).await.remove(0);
    assert_eq!(answer.kind, "quenty.shipping.shipment.voided.v1");
    assert_eq!((&answer.data["return_id"], &answer.data["order_id"]), (&json!(goods), &Value::Null));
    shop.asks(goods, 3, &shop.way_back(goods, "CO")).await;
    assert!(shop.shipments_for(goods).await.is_empty());
    // The next attempt is another request.
    shop.asks(goods, 5, &ReturnLabelRequested { attempt: 2, ..shop.way_back(goods, "CO") }).await;
    assert_eq!(shop.shipment_for(goods).await["status"], "booked");
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_a_return_gives_up_while_its_parcel_is_scanned_exactly_one_wins() {
    let shop = Shop::open().await;
    for _ in 0..20 {
        let goods = ReturnId::new();
        shop.asks(goods, 3, &shop.way_back(goods, "CO")).await;
        let shipment = shop.shipment_for(goods).await;
        let (wish, scan) = (shop.give_up(goods), json!({"kind": "scan"}));
        let id = shipment["id"].as_str().unwrap();
        let (_, scanned) = tokio::join!(shop.gives_up(goods, 4, &wish), shop.scan(id, &scan));
        let (told, after) = (shop.kinds_of(&shipment).await, shop.shipment_for(goods).await);
        let (status, last) = (after["status"].as_str().unwrap(), &told[3..]);
        if scanned.status() == 200 {
            assert_eq!((status, last), ("picked_up", &["picked_up".to_owned()][..]));
        } else {
            assert_eq!((scanned.status(), status, last), (409, "voided", &["voided".to_owned()][..]));
        }
    }
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_shipment_of_a_return_is_voided_with_the_return_only() {
    let shop = Shop::open().await;
    let goods = ReturnId::new();
    shop.asks(goods, 3, &shop.way_back(goods, "CO")).await;
    let shipment = shop.shipment_for(goods).await;
    shop.post(&format!("/shipments/{}/void", shipment["id"].as_str().unwrap()), &json!({"reason": "mine"}))
        .await
        .expect_problem(409, "SHIPMENT_OF_A_RETURN");
    assert_eq!(shop.shipment_for(goods).await["status"], "booked");
}
