use quenty_contracts::customer::ErasureRequested;
use quenty_kernel::id::{CustomerId, OrderId, PrivacyRequestId, ReturnId, ShipmentId};
use quenty_testkit::{eventually, mentions::mentions};
use serde_json::json;

use crate::fixtures::{Shop, delivered, draft, merged};

const WORDS: [&str; 3] = ["Eva Prado", "Calle 85", "Luis"];

#[tokio::test]
async fn a_buyer_is_erased_from_both_ways_and_the_merchant_stays() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let buyer = json!({"name": "Eva Prado", "phone": "+573009998877",
        "address": {"line1": "Calle 85 # 12-10", "city": "Bogotá", "state": "Cundinamarca", "country": "CO"}});
    let (order, cancelled, goods) = (OrderId::new(), OrderId::new(), ReturnId::new());
    let mut there = shop.requested(order, "CO");
    there.consignee = serde_json::from_value(buyer.clone()).unwrap();
    shop.app.hear(order, Some(shop.company), 1, &there).await;
    let mut back = shop.way_back(goods, "CO");
    back.sender = serde_json::from_value(buyer.clone()).unwrap();
    shop.asks(goods, 1, &back).await;
    let shipment = eventually("it is booked", || async {
        Some(shop.shipment_of(order).await).filter(|shipment| shipment["status"] == "booked")
    })
    .await;
    shop.until(goods, "booked").await;
    let customer_id = CustomerId::new();
    let to_eva = json!({"customer_id": customer_id, "consignee": buyer});
    let by_hand = shop.booked_as(&to_eva).await;
    let unsent = shop.post("/shipments", &merged(&draft(), &to_eva)).await.expect(201).json();
    assert_eq!(unsent["customer_id"], json!(customer_id));

    let request_id = PrivacyRequestId::new();
    let erase = ErasureRequested {
        request_id,
        company_id: shop.company,
        customer_id,
        round: 1,
        order_ids: vec![order, cancelled],
        return_ids: vec![goods],
    };
    shop.app.deliver(&shop.app.envelope(request_id, Some(shop.company), 1, &erase)).await;
    assert!(shop.app.facts(request_id).await.is_empty(), "parcels are on their way");
    shop.gives_up(goods, 2, &shop.give_up(goods)).await;
    shop.until(goods, "voided").await;
    let id = shipment["id"].as_str().unwrap();
    for kind in ["scan", "departed", "out_for_delivery"] {
        shop.scan(id, &json!({"kind": kind, "place": "Bogotá", "detail": "Eva Prado, timbre 3"}))
            .await
            .expect(200);
    }
    shop.scan(&by_hand, &delivered()).await.expect(200);
    shop.scan(id, &delivered()).await.expect(200);

    let told = eventually("it goes on by itself", || async { shop.app.facts(request_id).await.pop() }).await;
    assert_eq!((told.kind.as_str(), &told.data["records"]), ("quenty.shipping.privacy.erased.v1", &json!(4)));
    assert_eq!(mentions(shop.app.app.db(), &WORDS).await, Vec::<String>::new());
    let path = format!("/shipments/{}", id.parse::<ShipmentId>().unwrap());
    let left = shop.get(&path).await.expect(200).json();
    assert_eq!((&left["consignee"]["name"], &left["sender"]), (&json!("erased"), &shipment["sender"]));
    let then = shop.get(&format!("{path}?as_of={}", shop.app.now())).await.expect(200).json();
    assert_eq!((&then["consignee"], &then["received_by"]), (&left["consignee"], &serde_json::Value::Null));
    assert_eq!(shop.shipment_for(goods).await["sender"]["name"], "erased");
    let unsent = shop.get(&format!("/shipments/{}", unsent["id"].as_str().unwrap())).await.expect(200).json();
    assert_eq!(
        (&unsent["status"], &unsent["consignee"]["name"]),
        (&json!("voided"), &json!("erased")),
        "nobody books it to a door that is not known"
    );
    let again = merged(&draft(), &json!({"customer_id": customer_id}));
    shop.post("/shipments", &again).await.expect_problem(422, "UNKNOWN_CUSTOMER");

    there.order_id = cancelled;
    shop.app.hear(cancelled, Some(shop.company), 1, &there).await;
    back.attempt = 2;
    shop.asks(goods, 3, &back).await;
    shop.app.at_rest().await;
    assert_eq!(mentions(shop.app.app.db(), &WORDS).await, Vec::<String>::new(), "older requests come late");

    let late = json!({"kind": "scan", "place": "Bogotá", "detail": "Eva Prado, timbre 3"});
    shop.scan(id, &late).await.expect(200);
    assert_eq!(
        mentions(shop.app.app.db(), &WORDS).await,
        Vec::<String>::new(),
        "people note something later"
    );
    let noted =
        "update tracking_events set detail = 'Eva Prado', place = 'Calle 85' where kind = 'out_for_delivery'";
    sqlx::query(noted).execute(shop.app.app.db()).await.unwrap();
    shop.app.hear(request_id, Some(shop.company), 2, &ErasureRequested { round: 2, ..erase }).await;
    assert_eq!(
        mentions(shop.app.app.db(), &WORDS).await,
        Vec::<String>::new(),
        "another round erases that, too"
    );
    shop.assert_sound().await;
}
