use serde_json::json;

use crate::support::{World, days};

#[tokio::test]
async fn a_policy_has_versions_and_open_returns_keep_theirs() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let initial = world.get("/api/v1/return-policies").await;
    assert_eq!((&initial["version"], &initial["window_days"]), (&json!(0), &json!(30)));
    let before = world.request(&of, 1, "changed_mind", json!({})).await;

    let mut terms = initial.clone();
    for name in ["version", "company_id"] {
        terms.as_object_mut().unwrap().remove(name);
    }
    terms["fees"]["changed_mind"] = json!(2_500);
    terms["window_days"] = json!(10);
    let put = async |version: &str| {
        let call =
            world.app.put("/api/v1/return-policies").token(&world.merchant).header("if-match", version);
        call.json(&terms).send().await
    };
    assert_eq!(put("\"0\"").await.expect(200).json()["version"], 1);
    put("\"0\"").await.expect_problem(412, "VERSION_MISMATCH");

    let after = world.request(&of, 1, "changed_mind", json!({})).await;
    assert_eq!((&before["policy_version"], &after["policy_version"]), (&json!(0), &json!(1)));
    let fee = async |of| world.bring_back(of, 1).await["amounts"]["fee"]["amount"].clone();
    assert_eq!(fee(&before).await, "10000.00");
    assert_eq!(fee(&after).await, "25000.00");
    assert_eq!(world.get("/api/v1/return-policies?version=0").await["window_days"], 30);
    let call = world.app.get("/api/v1/return-policies?version=7").token(&world.merchant);
    call.send().await.expect(404);
}

#[tokio::test]
async fn what_a_policy_does_not_accept_is_refused() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let mut terms = world.get("/api/v1/return-policies").await;
    for name in ["version", "company_id"] {
        terms.as_object_mut().unwrap().remove(name);
    }
    terms["reasons"] = json!(["defective"]);
    let put = async |terms: &serde_json::Value| {
        world.app.put("/api/v1/return-policies").token(&world.merchant).json(terms).send().await
    };
    put(&terms).await.expect(200);
    let wanted = crate::support::wanted(&of, 1, "size", json!({}));
    world.try_request(&wanted).await.expect_problem(422, "REASON_NOT_ACCEPTED");
    terms["expires_after_days"] = json!(0);
    put(&terms).await.expect(422);
    terms["expires_after_days"] = json!(30);
    terms["fees"]["size"] = json!(10_001);
    put(&terms).await.expect(422);
}

#[tokio::test]
async fn the_buyer_pays_for_the_way_back_where_the_policy_says_so() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let mut terms = world.get("/api/v1/return-policies").await;
    for name in ["version", "company_id"] {
        terms.as_object_mut().unwrap().remove(name);
    }
    terms["way_back_paid_by"] = json!("buyer");
    world.app.put("/api/v1/return-policies").token(&world.merchant).json(&terms).send().await.expect(200);
    let by_label = async |reason: &str| {
        let asked = world.request(&of, 1, reason, json!({"way_back": "label"})).await;
        world.label_booked(&asked).await;
        let page = world.app.get(asked["tracking_path"].as_str().unwrap()).send().await.expect(200).json();
        let amounts = world.bring_back(&asked, 1).await["amounts"].clone();
        assert_eq!(page["refund"], amounts["refund"], "{reason}: the page promised what came");
        amounts["way_back"]["amount"].clone()
    };
    assert_eq!(by_label("changed_mind").await, "12000.00");
    assert_eq!(by_label("wrong_item").await, "0.00", "never for what is not the buyer's fault");
    world.app.advance_to(days(1));
    world.assert_sound().await;
}
