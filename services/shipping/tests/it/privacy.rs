use std::sync::Mutex;

use quenty_contracts::customer::ErasureRequested;
use quenty_kernel::id::{CustomerId, OrderId, PrivacyRequestId, ReturnId, ShipmentId};
use quenty_testkit::{eventually, mentions::mentions};
use serde_json::json;

use crate::fixtures::{Shop, customer_who_knows, delivered, draft, hasty, merged};

const WORDS: [&str; 3] = ["Eva Prado", "Calle 85", "Luis"];

#[tokio::test]
async fn a_buyer_is_erased_from_both_ways_and_the_merchant_stays() {
    let customer_id = CustomerId::new();
    let shop = Shop::open_with(vec![("customer_url", customer_who_knows(customer_id).await)]).await;
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

#[tokio::test]
async fn an_erasure_waits_for_what_was_sent_by_hand_and_goes_on_by_itself() {
    let customer_id = CustomerId::new();
    let shop = Shop::open_with(vec![("customer_url", customer_who_knows(customer_id).await)]).await;
    shop.told(1, true).await;
    let buyer = json!({"name": "Eva Prado", "phone": "+573009998877",
        "address": {"line1": "Calle 85 # 12-10", "city": "Bogotá", "country": "CO"}});
    let to_eva = json!({"customer_id": customer_id, "consignee": buyer});
    let (first, second) = (shop.booked_as(&to_eva).await, shop.booked_as(&to_eva).await);
    let erase = erasure_of(&shop, customer_id);
    let request_id = erase.request_id;
    shop.app.hear(request_id, Some(shop.company), 1, &erase).await;
    shop.app.hear(request_id, Some(shop.company), 2, &ErasureRequested { round: 2, ..erase }).await;
    let reason = json!({"reason": "sent twice"});
    shop.post(&format!("/shipments/{first}/void"), &reason).await.expect(200);
    shop.app.at_rest().await;
    assert!(shop.app.facts(request_id).await.is_empty(), "the other one is on its way");
    shop.scan(&second, &delivered()).await.expect(200);
    let told = eventually("it goes on by itself", || async { shop.app.facts(request_id).await.pop() }).await;
    assert_eq!((&told.data["records"], &told.data["round"]), (&json!(2), &json!(2)));
    assert_eq!(mentions(shop.app.app.db(), &WORDS).await, Vec::<String>::new());
    shop.assert_sound().await;
}

fn erasure_of(shop: &Shop, customer_id: CustomerId) -> ErasureRequested {
    ErasureRequested {
        request_id: PrivacyRequestId::new(),
        company_id: shop.company,
        customer_id,
        round: 1,
        order_ids: vec![],
        return_ids: vec![],
    }
}

#[tokio::test]
async fn an_erasure_that_nothing_starts_goes_on_and_two_processes_tell_it_once() {
    let customer_id = CustomerId::new();
    let mut service = hasty();
    service.jobs.extend(service.jobs.clone());
    let shop = Shop::open_as(service, vec![("customer_url", customer_who_knows(customer_id).await)]).await;
    shop.told(1, true).await;
    let sent = shop.booked_as(&json!({"customer_id": customer_id})).await;
    shop.scan(&sent, &delivered()).await.expect(200);
    shop.app.at_rest().await;

    let db = shop.app.app.db();
    let count = async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(db).await.unwrap();
    let mut meanwhile = db.begin().await.unwrap();
    sqlx::query("select id from shipments for update").fetch_all(&mut *meanwhile).await.unwrap();
    // As a version that does not go on by itself has left it.
    let erase = erasure_of(&shop, customer_id);
    sqlx::query("insert into pending_erasures (request_id, asked, asked_at) values ($1, $2, '2026-01-05')")
        .bind(erase.request_id.uuid())
        .bind(serde_json::to_value(&erase).unwrap())
        .execute(db)
        .await
        .unwrap();
    eventually("both have found it", || async {
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        (count(waiting).await == 2).then_some(())
    })
    .await;
    meanwhile.rollback().await.unwrap();
    eventually("it goes on", || async { shop.app.facts(erase.request_id).await.pop() }).await;
    eventually("both have ended", || async {
        let running = "select count(*) from pg_stat_activity where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()";
        (count(running).await == 0).then_some(())
    })
    .await;
    let facts = shop.app.facts(erase.request_id).await;
    let told = facts.iter().filter(|fact| fact.kind == "quenty.shipping.privacy.erased.v1");
    assert_eq!(told.count(), 1, "{facts:?}");
    shop.assert_sound().await;
}

#[tokio::test]
async fn operators_are_told_for_which_shipments_an_erasure_has_waited_for_a_week() {
    let logs = tempfile::NamedTempFile::new().unwrap();
    // For the whole process: those of other tests are in it, too.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(Mutex::new(logs.reopen().unwrap()))
        .init();
    let customer_id = CustomerId::new();
    let shop = Shop::open_with(vec![("customer_url", customer_who_knows(customer_id).await)]).await;
    shop.told(1, true).await;
    let sent = shop.booked_as(&json!({"customer_id": customer_id})).await;
    let erase = erasure_of(&shop, customer_id);
    let request = erase.request_id.to_string();
    shop.app.hear(erase.request_id, Some(shop.company), 1, &erase).await;
    let told = || {
        let logs = std::fs::read_to_string(logs.path()).unwrap();
        logs.lines().any(|line| line.contains(&request) && line.contains(&sent))
    };
    shop.app.advance_to("2026-01-12T11:59:59Z".parse().unwrap());
    shop.app.at_rest().await;
    assert!(!told(), "it waits, and that is all right");
    shop.app.advance_to("2026-01-12T12:00:00Z".parse().unwrap());
    eventually("it is told", || async { told().then_some(()) }).await;
    shop.post(&format!("/shipments/{sent}/void"), &json!({"reason": "nobody comes"})).await.expect(200);
    eventually("it goes on by itself", || async { shop.app.facts(erase.request_id).await.pop() }).await;
    shop.assert_sound().await;
}
