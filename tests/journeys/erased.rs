//! A buyer has all erased that is held about them, while a return is under way: it waits, goes on by itself, and leaves no word
//! of them in any database; told on both buses, among the stories of returns, and under fire among those of kills.

use quenty_platform::journal;
use quenty_testkit::mentions::mentions;
use serde_json::{Value, json};

use crate::harness::{Cast, Merchant, Person, Stage, counter::Counter, merchant::id, services};

const WORDS: [&str; 5] = ["Eva Prado", "eva.prado@example.com", "573009998877", "43A # 99-50", "Calle 109"];

/// An order of Eva's, who is a customer.
pub async fn place_for_eva(merchant: &Merchant, mut order: Value) -> Value {
    let street =
        json!({"line1": "Carrera 43A # 99-50", "city": "Medellín", "state": "Antioquia", "country": "CO"});
    let eva = json!({"kind": "individual", "name": "Eva Prado", "email": "eva.prado@example.com", "phone": "+573009998877",
        "addresses": [{"address": street}]});
    let eva = merchant.client.post("/api/v1/customers", &eva).await.expect(201).json();
    order["customer_id"] = eva["id"].clone();
    order["notes"] = json!("Eva Prado, timbre 3");
    order["consignee"] = json!({"name": "Eva Prado", "phone": "+573009998877", "email": "eva.prado@example.com", "address": street});
    merchant.place(&order).await
}

/// Has the buyer of an order erased; the path of the request.
pub async fn ask_to_erase(merchant: &Merchant, order: &Value) -> String {
    let body = json!({"kind": "erase", "customer_id": order["customer_id"]});
    let asked = merchant.client.post("/api/v1/privacy-requests", &body).await.expect(202).json();
    format!("/api/v1/privacy-requests/{}", id(&asked))
}

/// Waits until the request is completed, and finds no word of Eva in any database, and every chain whole.
pub async fn assert_nothing_is_left(stage: &Stage, merchant: &Merchant, path: &str) -> Value {
    let is_done = |of: &Value| (of["status"] == "completed").then(|| of.clone());
    let done = merchant.client.wait_for(path, "the request is completed", is_done).await;
    stage.settle().await;
    for service in services() {
        let db = stage.pool(service.name);
        assert_eq!(mentions(&db, &WORDS).await, Vec::<String>::new(), "{}", service.name);
        let audit = journal::verify(&db).await.expect("a journal");
        assert!(audit.findings.is_empty(), "{}: {:#?}", service.name, audit.findings);
    }
    done
}

pub async fn nothing_is_left_of_the_buyer(stage: &Stage, cast: Cast) {
    let Cast { merchant, fleet, .. } = &cast;
    let order = place_for_eva(merchant, merchant.order()).await;
    for (verb, body) in [("hold", json!({"reason": "Eva Prado wants to wait"})), ("release", json!({}))] {
        let path = format!("/api/v1/orders/{}/{verb}", id(&order));
        merchant.client.post(&path, &body).await.expect(200);
    }
    merchant.pay(&order).await;
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    fleet.deliver(&shipment).await;
    merchant.until_status(&order, "delivered").await;
    let admin = Person::administrator(stage).await;
    let counter = Counter::new(merchant, fleet, &admin);
    let mut wanted = Counter::wanted(&order, "pickup");
    wanted["buyer"]["name"] = json!("Eva Prado");
    wanted["buyer"]["phone"] = json!("+573009998877");
    wanted["buyer"]["address"]["line1"] = json!("Calle 109 # 7-31");
    let back = counter.request(&wanted).await;

    let path = ask_to_erase(merchant, &order).await;
    let waits = "the request waits for the return";
    merchant
        .client
        .wait_for(&path, waits, |of| (of["waits_for_returns"] == json!([back["id"]])).then_some(()))
        .await;
    counter.collect(&back).await;
    assert_eq!(
        merchant.client.get(&path).await.expect(200).json()["status"],
        "waiting",
        "the driver must know whom"
    );
    counter.settle(&back).await;
    let done = assert_nothing_is_left(stage, merchant, &path).await;
    for service in ["order", "pickup", "returns", "shipping"] {
        assert_ne!(done["erased"][service]["facts"], 0, "{service}: {done:#}");
    }
    let kept = merchant.client.get(&format!("/api/v1/orders/{}", id(&order))).await.expect(200).json();
    assert_eq!((&kept["consignee"]["name"], &kept["totals"]), (&json!("erased"), &order["totals"]));
    assert_eq!(kept["consignee"]["address"]["state"], "Antioquia");
    let history = format!("/api/v1/orders/{}/events", id(&order));
    let told = merchant.client.get(&history).await.expect(200).json();
    assert_eq!(told["items"][0]["data"]["consignee"]["name"], "erased", "its history can be read");
}
