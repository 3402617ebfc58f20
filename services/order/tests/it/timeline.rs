use quenty_contracts::pickup::PickupFailed;
use quenty_testkit::TestApp;
use serde_json::json;

use crate::shop::{Road, Shop};

#[tokio::test]
async fn a_vain_visit_that_is_told_late_stands_where_it_happened() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    road.pickup(PickupFailed {
        pickup_id: road.pickup,
        order_id: Some(id),
        return_id: None,
        attempt_number: 1,
        code: "CLOSED".to_owned(),
        detail: None,
        position: None,
        at: Some("2026-05-05T14:50:00Z".parse().unwrap()),
    })
    .await;
    let timeline =
        shop.merchant.get(&format!("/api/v1/orders/{id}/timeline?limit=100")).await.expect(200).json();
    let failed = timeline["items"].as_array().unwrap().iter().find(|line| line["code"] == "pickup_failed");
    assert_eq!(failed.unwrap()["at"], "2026-05-05T14:50:00Z");
    shop.assert_sound(id).await;
}
