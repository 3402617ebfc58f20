use quenty_contracts::{customer::ErasureRequested, returns::ReturnPickupRequested};
use quenty_kernel::id::{CustomerId, OrderId, PickupId, PrivacyRequestId, ReturnId};
use quenty_testkit::{eventually, mentions::mentions};
use serde_json::json;

use crate::support::World;

const WORDS: [&str; 8] =
    ["Ana Gómez", "ana@example.com", "Calle 85", "110221", "M10 40", "4.6712", "the porter", "her neighbour"];

#[tokio::test]
async fn a_buyer_is_erased_from_the_pickup_at_their_door_once_nobody_comes_any_more() {
    let world = World::new(5).await;
    let (goods, order_id) = (ReturnId::new(), OrderId::new());
    let mut asked: ReturnPickupRequested = serde_json::from_value(json!({
        "return_id": goods, "company_id": world.company, "order_id": order_id, "attempt": 1, "kind": "scheduled",
        "sender": {"name": "Ana Gómez", "email": "ana@example.com",
            "address": {"line1": "Calle 85 # 12-10", "city": "Bogotá", "postal_code": "110221", "country": "CO"}},
        "parcels": [{"weight_grams": 1200}],
    }))
    .unwrap();
    world.app.hear(goods, Some(world.company), 1, &asked).await;
    let path = format!("/api/v1/pickups?return_id={goods}");
    let pickup = world.get(&world.dispatcher, &path).await.expect(200).json()["items"][0].clone();
    let (driver, token) = world.driver().await;
    world.step(&world.dispatcher, &pickup, "assign", &json!({"driver_id": driver["id"]})).await.expect(200);
    world.step(&token, &pickup, "start", &json!({})).await.expect(200);
    let noted = json!({"code": "CLOSED", "detail": "the porter says that she moved"});
    world.step(&token, &pickup, "fail", &noted).await.expect(200);
    world.step(&world.dispatcher, &pickup, "assign", &json!({"driver_id": driver["id"]})).await.expect(200);
    world.step(&token, &pickup, "start", &json!({})).await.expect(200);
    let request_id = PrivacyRequestId::new();
    let erase = ErasureRequested {
        request_id,
        company_id: world.company,
        customer_id: CustomerId::new(),
        round: 1,
        order_ids: vec![order_id],
        return_ids: vec![goods],
    };
    world.app.deliver(&world.app.envelope(request_id, Some(world.company), 1, &erase)).await;
    assert!(world.app.facts(request_id).await.is_empty(), "the driver is on the way");
    let place = json!({"lat": 4.6712, "lng": -74.0533});
    world.step(&token, &pickup, "arrive", &json!({"position": place})).await.expect(200);
    let drawn =
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 80"><path d="M10 40 L190 42"/></svg>"#;
    let handed_over = json!({"parcel_count": 2, "difference": "one is her neighbour's", "handed_over_by": "Ana Gómez", "position": place,
            "signature_svg": drawn});
    world.step(&token, &pickup, "complete", &handed_over).await.expect(200);

    let told = eventually("it goes on by itself", || async { world.app.facts(request_id).await.pop() }).await;
    assert_eq!((told.kind.as_str(), &told.data["records"]), ("quenty.pickup.privacy.erased.v1", &json!(1)));
    assert_eq!(mentions(world.app.app.db(), &WORDS).await, Vec::<String>::new());
    let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap().parse::<PickupId>().unwrap());
    let left = world.get(&world.dispatcher, &path).await.expect(200).json();
    assert_eq!((&left["status"], &left["contact"]["name"]), (&json!("completed"), &json!("erased")));
    let then = format!("{path}?as_of={}", world.app.now());
    assert_eq!(world.get(&world.dispatcher, &then).await.expect(200).json()["contact"], left["contact"]);

    // Rows of before the notes were erased, too.
    let noted = r#"update pickups set proof = jsonb_set(proof, '{difference}', '"one is her neighbour''s"'),
        failures = jsonb_set(failures, '{0,detail}', '"the porter says that she moved"')"#;
    sqlx::query(noted).execute(world.app.app.db()).await.unwrap();
    assert_ne!(mentions(world.app.app.db(), &WORDS).await, Vec::<String>::new());
    let migration = include_str!("../../migrations/0006_erased_notes.sql");
    sqlx::raw_sql(migration).execute(world.app.app.db()).await.unwrap();
    assert_eq!(mentions(world.app.app.db(), &WORDS).await, Vec::<String>::new());
    assert_eq!(world.get(&world.dispatcher, &path).await.expect(200).json(), left);

    asked.attempt = 2;
    world.app.hear(goods, Some(world.company), 2, &asked).await;
    assert_eq!(
        mentions(world.app.app.db(), &WORDS).await,
        Vec::<String>::new(),
        "an older request comes late"
    );
    world.assert_sound().await;
}
