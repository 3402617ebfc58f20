use quenty_kernel::id::ManifestId;
use quenty_platform::token::Realm;
use serde_json::{Value, json};

use crate::fixtures::{Shop, delivered};

impl Shop {
    async fn manifest(&self) -> String {
        self.post("/manifests", &json!({"origin": "CO", "date": "2026-01-06"})).await.expect(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn add(&self, manifest: &str, shipment: &str) -> quenty_testkit::http::Answer {
        self.post(&format!("/manifests/{manifest}/items"), &json!({"shipment_id": shipment})).await
    }

    async fn approve(&self, manifest: &str) -> quenty_testkit::http::Answer {
        let colleague = self.app.token(Realm::Company, Some(self.company), &["manifests:approve"]);
        self.app.post(&format!("/api/v1/manifests/{manifest}/approve")).token(&colleague).send().await
    }

    async fn shown(&self, manifest: &str) -> Value {
        self.get(&format!("/manifests/{manifest}")).await.expect(200).json()
    }
}

fn totals(manifest: &Value) -> (u64, u64) {
    (manifest["shipment_count"].as_u64().unwrap(), manifest["weight_grams"].as_u64().unwrap())
}

#[tokio::test]
async fn a_manifest_goes_from_draft_to_delivered() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let (manifest, first, second) = (shop.manifest().await, shop.booked().await, shop.booked().await);
    shop.act(&format!("/manifests/{manifest}/submit")).await.expect_problem(409, "MANIFEST_EMPTY");
    for shipment in [&first, &second] {
        shop.add(&manifest, shipment).await.expect(200);
    }
    assert_eq!(totals(&shop.shown(&manifest).await), (2, 2400));
    let items = shop.get(&format!("/manifests/{manifest}/items?limit=1")).await.expect(200).json();
    assert_eq!(items["items"].as_array().unwrap().len(), 1);
    assert!(items["next_cursor"].is_string());

    shop.act(&format!("/manifests/{manifest}/submit")).await.expect(200);
    shop.act(&format!("/manifests/{manifest}/approve")).await.expect_problem(403, "FOUR_EYES");
    shop.approve(&manifest).await.expect(200);
    shop.add(&manifest, &first).await.expect_problem(409, "MANIFEST_CLOSED");
    shop.act(&format!("/manifests/{manifest}/ship")).await.expect_problem(409, "SHIPMENTS_NOT_COLLECTED");
    for shipment in [&first, &second] {
        shop.scan(shipment, &json!({"kind": "scan"})).await.expect(200);
    }
    assert_eq!(
        shop.act(&format!("/manifests/{manifest}/ship")).await.expect(200).json()["status"],
        "shipped"
    );

    let document = shop.get(&format!("/manifests/{manifest}/document")).await.expect(200);
    assert!(document.body.starts_with(b"%PDF-"));
    assert_eq!(document.header("content-type"), Some("application/pdf"));

    let (delivery, loss) = (delivered(), json!({"kind": "lost"}));
    let (one, other) = tokio::join!(shop.scan(&first, &delivery), shop.scan(&second, &loss));
    one.expect(200);
    other.expect(200);
    let done = shop.shown(&manifest).await;
    assert_eq!(done["status"], "delivered", "all its shipments have ended");
    let folded = shop.get(&format!("/manifests/{manifest}?as_of=2026-01-05T12:00:00Z")).await.expect(200);
    assert_eq!(folded.json(), done, "the journal folds back to the row");
    assert_eq!(folded.header("etag"), None, "there is no If-Match for the past");
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn an_approved_manifest_leaves_without_what_is_not_collected() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let (manifest, collected, missing) = (shop.manifest().await, shop.booked().await, shop.booked().await);
    for shipment in [&collected, &missing] {
        shop.add(&manifest, shipment).await.expect(200);
    }
    shop.act(&format!("/manifests/{manifest}/submit")).await.expect(200);
    shop.approve(&manifest).await.expect(200);
    shop.scan(&collected, &json!({"kind": "scan"})).await.expect(200);
    let remove = |shipment: &str| {
        let path = format!("/api/v1/manifests/{manifest}/items/{shipment}");
        shop.app.delete(&path).token(&shop.token).send()
    };
    remove(&collected).await.expect_problem(409, "MANIFEST_CLOSED");
    remove(&missing).await.expect(204);
    let shipped = shop.act(&format!("/manifests/{manifest}/ship")).await.expect(200).json();
    assert_eq!((&shipped["status"], totals(&shipped)), (&json!("shipped"), (1, 1200)));
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn an_approved_manifest_is_cancelled_once_it_is_empty() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let (manifest, shipment) = (shop.manifest().await, shop.booked().await);
    shop.add(&manifest, &shipment).await.expect(200);
    shop.act(&format!("/manifests/{manifest}/submit")).await.expect(200);
    shop.approve(&manifest).await.expect(200);
    let cancel = || shop.app.delete(&format!("/api/v1/manifests/{manifest}")).token(&shop.token).send();
    cancel().await.expect_problem(409, "MANIFEST_NOT_EMPTY");
    shop.post(&format!("/shipments/{shipment}/void"), &json!({"reason": "not needed"})).await.expect(200);
    cancel().await.expect(204);
    assert_eq!(shop.shown(&manifest).await["status"], "cancelled");
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn a_shipment_travels_on_one_manifest_even_when_two_take_it_at_once() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    for _ in 0..10 {
        let (one, other, shipment) = (shop.manifest().await, shop.manifest().await, shop.booked().await);
        let (first, second) = tokio::join!(shop.add(&one, &shipment), shop.add(&other, &shipment));
        let mut statuses = [first.status(), second.status()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", first.text(), second.text());
        let counted = totals(&shop.shown(&one).await).0 + totals(&shop.shown(&other).await).0;
        assert_eq!(counted, 1);
    }
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn voiding_takes_a_shipment_off_its_manifest() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let (manifest, kept, voided) = (shop.manifest().await, shop.booked().await, shop.booked().await);
    for shipment in [&kept, &voided] {
        shop.add(&manifest, shipment).await.expect(200);
    }
    shop.act(&format!("/manifests/{manifest}/submit")).await.expect(200);
    shop.post(&format!("/shipments/{voided}/void"), &json!({"reason": "not needed"})).await.expect(200);
    assert_eq!(totals(&shop.shown(&manifest).await), (1, 1200));
    shop.add(&shop.manifest().await, &voided).await.expect_problem(422, "NOT_FOR_THIS_MANIFEST");
}

#[tokio::test]
async fn a_rejected_manifest_is_changed_and_submitted_again() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let (manifest, shipment) = (shop.manifest().await, shop.booked().await);
    shop.add(&manifest, &shipment).await.expect(200);
    shop.act(&format!("/manifests/{manifest}/submit")).await.expect(200);
    let rejected = shop
        .post(&format!("/manifests/{manifest}/reject"), &json!({"reason": "wrong day"}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&rejected["status"], &rejected["rejected_reason"]),
        (&json!("rejected"), &json!("wrong day"))
    );

    let patch = |version: i64| {
        let path = format!("/api/v1/manifests/{manifest}");
        let call = shop.app.patch(&path).token(&shop.token).header("if-match", &format!("\"{version}\""));
        call.json(&json!({"date": "2026-01-07", "reference": "vuelo 9"})).send()
    };
    patch(1).await.expect_problem(412, "VERSION_MISMATCH");
    let changed = patch(rejected["version"].as_i64().unwrap()).await.expect(200).json();
    assert_eq!(
        (&changed["status"], &changed["date"], &changed["reference"]),
        (&json!("draft"), &json!("2026-01-07"), &json!("vuelo 9"))
    );
    shop.act(&format!("/manifests/{manifest}/submit")).await.expect(200);
}

#[tokio::test]
async fn a_manifest_that_changed_since_it_was_seen_is_neither_approved_nor_rejected() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let (manifest, shipment) = (shop.manifest().await, shop.booked().await);
    shop.add(&manifest, &shipment).await.expect(200);
    let submitted = shop.act(&format!("/manifests/{manifest}/submit")).await.expect(200);
    let seen = submitted.header("etag").unwrap();
    shop.post(&format!("/manifests/{manifest}/reject"), &json!({"reason": "wrong day"})).await.expect(200);
    let path = format!("/api/v1/manifests/{manifest}");
    let other_day = json!({"date": "2026-01-07"});
    shop.app.patch(&path).token(&shop.token).json(&other_day).send().await.expect(200);
    let now = shop.act(&format!("/manifests/{manifest}/submit")).await.expect(200);

    let colleague =
        shop.app.token(Realm::Company, Some(shop.company), &["manifests:approve", "manifests:reject"]);
    let decide = |verb: &str, etag: &str| {
        let call = shop.app.post(&format!("{path}/{verb}")).token(&colleague).header("if-match", etag);
        let body = if verb == "reject" { json!({"reason": "wrong day"}) } else { json!({}) };
        call.json(&body).send()
    };
    for verb in ["approve", "reject"] {
        decide(verb, seen).await.expect_problem(412, "VERSION_MISMATCH");
    }
    assert_eq!(shop.shown(&manifest).await["status"], "submitted");
    let approved = decide("approve", now.header("etag").unwrap()).await.expect(200).json();
    assert_eq!(approved["status"], "approved");
}

#[tokio::test]
async fn a_cancelled_manifest_sets_its_shipments_free() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let (manifest, other, shipment) = (shop.manifest().await, shop.manifest().await, shop.booked().await);
    shop.add(&manifest, &shipment).await.expect(200);
    shop.app.delete(&format!("/api/v1/manifests/{manifest}")).token(&shop.token).send().await.expect(204);
    assert_eq!(totals(&shop.shown(&manifest).await), (0, 0));
    shop.add(&other, &shipment).await.expect(200);
    let path = format!("/api/v1/manifests/{other}/items/{shipment}");
    shop.app.delete(&path).token(&shop.token).send().await.expect(204);
    shop.app.delete(&path).token(&shop.token).send().await.expect_problem(404, "NOT_FOUND");
    assert_eq!(totals(&shop.shown(&other).await), (0, 0));
}

#[tokio::test]
async fn only_what_belongs_on_a_manifest_gets_on_it() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let draft = shop.post("/shipments", &crate::fixtures::draft()).await.expect(201).json();
    let mexican = shop
        .booked_as(
            &json!({"sender": crate::fixtures::party("MX"), "consignee": crate::fixtures::party("MX")}),
        )
        .await;
    let manifest = shop.manifest().await;
    for shipment in [draft["id"].as_str().unwrap(), &mexican] {
        shop.add(&manifest, shipment).await.expect_problem(422, "NOT_FOR_THIS_MANIFEST");
    }
    shop.post("/manifests", &json!({"origin": "CO", "date": "2026-01-06", "carrier": "DHL"}))
        .await
        .expect_problem(422, "UNKNOWN_CARRIER");
    shop.post("/manifests", &json!({"origin": "CO", "date": "2026-02-30"}))
        .await
        .expect_problem(422, "INVALID_BODY");
}

#[tokio::test]
async fn the_database_refuses_totals_that_are_not_those_of_the_shipments() {
    let shop = Shop::open().await;
    let manifest: ManifestId = shop.manifest().await.parse().unwrap();
    let mut tx = shop.app.app.db().begin().await.unwrap();
    let wrong = sqlx::query("update manifests set shipment_count = 1 where id = $1")
        .bind(manifest.uuid())
        .execute(&mut *tx)
        .await;
    assert!(wrong.is_ok(), "totals are checked when the transaction commits");
    let error = tx.commit().await.unwrap_err();
    assert!(error.to_string().contains("differ from its shipments"), "{error}");
}
