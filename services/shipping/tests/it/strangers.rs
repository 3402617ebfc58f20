use std::collections::BTreeSet;

use quenty_testkit::{TestApp, reads, strangers};

use crate::fixtures::Shop;
use quenty_kernel::id::CompanyId;
use quenty_platform::token::Realm;
use serde_json::json;

#[tokio::test]
async fn every_operation_refuses_strangers_but_public_tracking() {
    let app = TestApp::start(quenty_shipping::service()).await;
    strangers::check(&app, &["track_shipment", "follow_shipment"]).await;
}

#[tokio::test]
async fn another_company_finds_nothing() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let shipment = shop.booked().await;
    let manifest =
        shop.post("/manifests", &json!({"origin": "CO", "date": "2026-01-06"})).await.expect(201).json();
    let manifest = manifest["id"].as_str().unwrap();
    let stranger = shop.app.token(Realm::Company, Some(CompanyId::new()), &["shipments:*", "manifests:*"]);
    for path in [
        format!("/shipments/{shipment}"),
        format!("/shipments/{shipment}?as_of=2026-02-01T00:00:00Z"),
        format!("/shipments/{shipment}/label"),
        format!("/manifests/{manifest}"),
        format!("/manifests/{manifest}/items"),
        format!("/manifests/{manifest}/document"),
    ] {
        shop.app
            .get(&format!("/api/v1{path}"))
            .token(&stranger)
            .send()
            .await
            .expect_problem(404, "NOT_FOUND");
    }
    for (path, body) in [
        (format!("/shipments/{shipment}/book"), json!({})),
        (format!("/shipments/{shipment}/void"), json!({"reason": "mine"})),
        (format!("/shipments/{shipment}/events"), json!({"kind": "scan"})),
        (format!("/manifests/{manifest}/items"), json!({"shipment_id": shipment})),
        (format!("/manifests/{manifest}/submit"), json!({})),
        (format!("/manifests/{manifest}/reject"), json!({"reason": "no"})),
    ] {
        shop.app
            .post(&format!("/api/v1{path}"))
            .token(&stranger)
            .json(&body)
            .send()
            .await
            .expect_problem(404, "NOT_FOUND");
    }
    let list = shop.app.get("/api/v1/shipments").token(&stranger).send().await.expect(200).json();
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn what_may_be_changed_under_a_version_says_which_header_names_it() {
    let app = TestApp::start(quenty_shipping::service()).await;
    let document = app.get("/openapi.json").send().await.expect(200).json();
    assert_eq!(
        strangers::conditional_operations(&document),
        BTreeSet::from(["approve_manifest", "delete_manifest", "reject_manifest", "update_manifest"])
    );
}

#[tokio::test]
async fn staff_leave_a_record_of_what_is_personal() {
    let app = TestApp::start(quenty_shipping::service()).await;
    let others = ["manifests:read", "rates:read", "countries:read", "zones:read"];
    reads::check(&app, &["shipments:read", "shipments:label", "dead_letters:read"], &others).await;
}
