use quenty_contracts::customer::{CustomerUpdated, ErasureRequested, PrivacyRequested};
use quenty_kernel::{
    Event,
    id::{OrderId, PrivacyRequestId, ReturnId},
};
use quenty_testkit::mentions::mentions;
use serde_json::{Value, json};

use crate::support::{Delivered, World, id_of, wanted};

const WORDS: [&str; 3] = ["Ana Gómez", "ana@example.com", "Calle 93"];

impl World {
    async fn about<E: Event>(&self, request: PrivacyRequestId, version: i64, event: E) {
        self.app.hear(request, Some(self.company), version, &event).await;
    }

    async fn ask_to_erase(&self, request: PrivacyRequestId, of: &Delivered) {
        let (request_id, company_id, customer_id) = (request, self.company, of.customer);
        let kind = "erase".to_owned();
        self.about(request, 1, PrivacyRequested { request_id, company_id, customer_id, kind }).await;
    }

    async fn erase(&self, request_id: PrivacyRequestId, version: i64, of: &Delivered, returns: &[ReturnId]) {
        let (company_id, customer_id) = (self.company, of.customer);
        let (order_ids, return_ids) = (vec![of.order], returns.to_vec());
        let asked = ErasureRequested { request_id, company_id, customer_id, round: 1, order_ids, return_ids };
        self.about(request_id, version, asked).await;
    }

    async fn last_told(&self, request: PrivacyRequestId) -> (String, Value) {
        let fact = self.app.facts(request).await.pop().expect("a fact");
        (fact.kind, fact.data)
    }
}

#[tokio::test]
async fn a_buyer_is_erased_once_no_return_is_under_way() {
    let world = World::new().await;
    let of = world.delivered(2, "50000.00", None).await;
    let updated: CustomerUpdated = serde_json::from_value(json!({
        "customer_id": of.customer, "company_id": world.company, "name": "Ana Gómez", "email": "ana@example.com",
        "addresses": [], "language": "es", "blocked": false,
    }))
    .unwrap();
    world.app.hear(of.customer, Some(world.company), 1, &updated).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"notes": "Ana Gómez"})).await;
    let page = asked["tracking_path"].as_str().unwrap();
    let request = PrivacyRequestId::new();
    world.ask_to_erase(request, &of).await;
    assert_eq!(world.last_told(request).await.1["under_way"], json!([asked["id"]]));

    world.bring_back(&asked, 1).await;
    assert_eq!(world.last_told(request).await.1["under_way"], json!([asked["id"]]));
    let refunded = world.refund(&asked).await.expect(200).json();
    let (kind, told) = world.last_told(request).await;
    assert_eq!((kind.as_str(), &told["under_way"]), ("quenty.returns.privacy.found.v1", &json!([])));
    world.app.at_rest().await;

    world.erase(request, 2, &of, &[id_of(&asked)]).await;
    let (kind, told) = world.last_told(request).await;
    assert_eq!((kind.as_str(), &told["records"]), ("quenty.returns.privacy.erased.v1", &json!(2)));
    assert_eq!(mentions(world.app.app.db(), &WORDS).await, Vec::<String>::new());
    let left = world.read(&asked).await;
    assert_eq!(
        (&left["buyer"]["name"], &left["buyer"]["address"]["country"]),
        (&json!("erased"), &json!("CO"))
    );
    assert!(left["settlement"].is_object() && left["settlement"] == refunded["settlement"], "{left}");
    world.app.get(page).send().await.expect_problem(404, "NOT_FOUND");
    let path = format!("/api/v1/returns/{}?as_of={}", asked["id"].as_str().unwrap(), world.app.now());
    assert_eq!(world.get(&path).await["buyer"]["name"], "erased", "its history can be read");

    // A late word of another delivery brings nobody back.
    let late = Delivered { order: OrderId::new(), product: of.product, customer: of.customer };
    world.deliver(&late, 1, "50000.00", None).await;
    world.app.hear(of.customer, Some(world.company), 2, &updated).await;
    assert_eq!(mentions(world.app.app.db(), &WORDS).await, Vec::<String>::new());
    world.try_request(&wanted(&of, 1, "defective", json!({}))).await.expect_problem(409, "BUYER_ERASED");
    let buyer = json!({"name": "Eva", "address": {"line1": "Calle 1", "city": "Cali", "country": "CO"}});
    let named = world.request(&of, 1, "defective", json!({"buyer": buyer})).await;
    assert_eq!(named["buyer"]["name"], "Eva", "a guarantee is kept");
    world.assert_sound().await;
}

#[tokio::test]
async fn who_was_refused_is_erased_and_objects_no_more() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "other", json!({})).await;
    let request = PrivacyRequestId::new();
    world.ask_to_erase(request, &of).await;
    world.step(&world.merchant, &asked, "reject", &json!({"reason": "used"})).await.expect(200);
    assert_eq!(world.last_told(request).await.1["under_way"], json!([]));
    let objects = world.step(&world.merchant, &asked, "dispute", &json!({"reason": "unused"})).await;
    objects.expect_problem(409, "ERASURE_UNDER_WAY");
    world.app.at_rest().await;
    world.erase(request, 2, &of, &[]).await;
    let (kind, told) = world.last_told(request).await;
    assert_eq!(kind, "quenty.returns.privacy.found.v1", "others were not told of the return");
    assert_eq!(told["return_ids"], json!([asked["id"]]));
    world.app.at_rest().await;
    world.erase(request, 3, &of, &[id_of(&asked)]).await;
    let objects = world.step(&world.merchant, &asked, "dispute", &json!({"reason": "unused"})).await;
    objects.expect_problem(409, "BUYER_ERASED");
    world.assert_sound().await;
}
