//! What an order hears of the goods that its consignee sends back.

use quenty_contracts::{
    returns::{
        LineQuantity, RefundAmounts, ReturnApproved, ReturnCompleted, ReturnExchanged, ReturnPickedUp,
        ReturnReceived, ReturnRefunded, ReturnRequested, ReturnedLine,
    },
    shipping::CashCollected,
};
use quenty_kernel::{
    Actor, Event,
    currency::Currency,
    id::{CompanyId, OrderId, ReturnId},
    money::Money,
};
use quenty_testkit::{TestApp, TestOptions, eventually};
use serde_json::{Value, json};

use crate::shop::{Road, Shop};

fn cop(amount: &str) -> Money {
    Money::parse(amount, Currency::COP).unwrap()
}

/// A paid order for two pieces, 100,000 in all, with the consignee.
pub async fn delivered(shop: &Shop<'_>) -> OrderId {
    let id = paid(shop).await;
    let road = Road::of(shop, id);
    road.until_in_transit().await;
    road.delivered().await;
    id
}

async fn paid(shop: &Shop<'_>) -> OrderId {
    let id = shop.place(json!({"payment_method": "prepaid", "external_reference": "WEB-7"})).await;
    shop.act(id, "payments", json!({"amount": cop("100000")})).await.expect(200);
    id
}

/// Returns, as an order hears it of one return.
struct Returning<'a> {
    app: &'a TestApp,
    company: CompanyId,
    order: OrderId,
    id: ReturnId,
}

impl<'a> Returning<'a> {
    fn of(shop: &Shop<'a>, order: OrderId) -> Self {
        Self { app: shop.merchant.app, company: shop.merchant.company, order, id: ReturnId::new() }
    }

    async fn tell<E: Event>(&self, version: i64, event: E) {
        self.app.hear(self.id, Some(self.company), version, &event).await;
    }

    async fn completed(&self, pieces: u32, whole: bool, refund: &str) {
        self.tell(99, self.completion(pieces, whole, refund)).await;
    }

    /// What cannot be true yet; why.
    async fn waits(&self, pieces: u32, whole: bool, refund: &str) -> String {
        let completion = self.completion(pieces, whole, refund);
        let envelope = self.app.envelope(self.id, Some(self.company), 99, &completion);
        let (status, error) = self.app.deliver(&envelope).await;
        assert_eq!(status, "waiting");
        error.unwrap()
    }

    fn completion(&self, pieces: u32, whole: bool, refund: &str) -> ReturnCompleted {
        ReturnCompleted {
            return_id: self.id,
            company_id: self.company,
            order_id: self.order,
            outcome: "refunded".to_owned(),
            returned: vec![LineQuantity { line: 1, quantity: pieces }],
            refund: cop(refund),
            order_returned_whole: whole,
        }
    }

    /// The first fact of a return for one piece.
    fn requested(&self, shop: &Shop<'_>, consignee: &Value, sender: &Value) -> ReturnRequested {
        let zero = cop("0");
        ReturnRequested {
            return_id: self.id,
            company_id: self.company,
            order_id: self.order,
            customer_id: None,
            kind: "return".to_owned(),
            resolution: "refund".to_owned(),
            way_back: "pickup".to_owned(),
            lines: vec![ReturnedLine {
                line: 1,
                product_id: shop.product.parse().unwrap(),
                sku: "CAM-1".to_owned(),
                name: "Camiseta".to_owned(),
                quantity: 1,
                reason: "wrong_item".to_owned(),
            }],
            exchange: vec![],
            buyer: serde_json::from_value(consignee.clone()).unwrap(),
            destination: serde_json::from_value(sender.clone()).unwrap(),
            warehouse_id: shop.warehouse.parse().unwrap(),
            policy_version: 1,
            expected: RefundAmounts {
                goods: cop("50000"),
                shipping: zero,
                fee: zero,
                way_back: zero,
                refund: cop("50000"),
            },
            language: "es-CO".to_owned(),
            packaging_intact: true,
            accessories_complete: true,
            pickup_date: None,
            pickup_slot: None,
            notes: Some("the wrong colour".to_owned()),
            requested_by: Actor::System,
        }
    }
}

fn states(order: &Value) -> (&str, &str, &str) {
    let text = |field: &str| order[field].as_str().unwrap();
    (text("status"), text("payment_status"), order["refunded"]["amount"].as_str().unwrap())
}

#[tokio::test]
async fn what_comes_back_in_parts_is_returned_and_refunded_in_the_end() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = delivered(&shop).await;
    let first = Returning::of(&shop, id);
    first.completed(1, false, "40000").await;
    assert_eq!(states(&shop.get(id).await), ("partially_returned", "partially_refunded", "40000.00"));
    let before = app.now();
    // Nothing was owed for this one.
    Returning::of(&shop, id).completed(1, false, "0").await;
    assert_eq!(states(&shop.get(id).await), ("partially_returned", "partially_refunded", "40000.00"));
    Returning::of(&shop, id).completed(1, true, "60000").await;
    let order = shop.get(id).await;
    assert_eq!(states(&order), ("returned", "refunded", "100000.00"));
    assert_eq!(order["paid"], json!(cop("100000")));
    let facts = shop.facts(id).await;
    assert!(facts.join(" ").ends_with("delivered refunded returned returned refunded returned"), "{facts:?}");
    let told = app.facts(id).await;
    let last = told.last().unwrap();
    assert_eq!(
        (&last.data["status"], last.kind.as_str()),
        (&json!("returned"), "quenty.order.order.returned.v1")
    );
    let past = shop.merchant.get(&format!("/api/v1/orders/{id}?as_of={before}")).await.expect(200).json();
    assert_eq!(states(&past), ("partially_returned", "partially_refunded", "40000.00"));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_completed_return_waits_for_the_news_of_the_delivery() {
    let settings = vec![("retry_pause_ms", "50".to_owned())];
    let options = TestOptions { settings, ..TestOptions::default() };
    let app = TestApp::start_with(quenty_order::service(), options).await;
    let shop = Shop::open(&app).await;
    let id = paid(&shop).await;
    let road = Road::of(&shop, id);
    road.until_in_transit().await;
    Returning::of(&shop, id).waits(2, true, "100000").await;
    let order = shop.get(id).await;
    assert_eq!(states(&order), ("in_transit", "paid", "0.00"));
    road.delivered().await;
    eventually("it is tried again", || async { (shop.status(id).await == "returned").then_some(()) }).await;
    assert_eq!(states(&shop.get(id).await), ("returned", "refunded", "100000.00"));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn what_staff_said_before_stays_and_the_money_is_noted() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = delivered(&shop).await;
    shop.set_status(id, "returned").await.expect(200);
    Returning::of(&shop, id).completed(1, false, "25000").await;
    assert_eq!(states(&shop.get(id).await), ("returned", "partially_refunded", "25000.00"));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_claim_that_ends_without_goods_leaves_the_order_delivered() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = delivered(&shop).await;
    Returning::of(&shop, id).completed(0, false, "10000").await;
    assert_eq!(states(&shop.get(id).await), ("delivered", "partially_refunded", "10000.00"));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn no_more_is_paid_back_than_was_paid() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = delivered(&shop).await;
    Returning::of(&shop, id).completed(1, false, "60000").await;
    let error = Returning::of(&shop, id).waits(1, true, "40000.01").await;
    assert_eq!(states(&shop.get(id).await), ("partially_returned", "partially_refunded", "60000.00"));
    assert!(error.contains("60000.00 COP of it is paid back"), "{error}");
}

#[tokio::test]
async fn a_delivered_order_tells_whoever_takes_it_back_what_they_need() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let facts = app.facts(delivered(&shop).await).await;
    let told = |what: &str| &facts.iter().find(|fact| fact.kind.ends_with(what)).unwrap().data;
    let (placed, arrived) = (told("order.placed.v1"), told("order.delivered.v1"));
    assert_eq!(arrived["paid"], json!(cop("100000")));
    for field in ["consignee", "sender", "items", "warehouse_id", "external_reference"] {
        assert!(!placed[field].is_null() && arrived[field] == placed[field], "{field}: {arrived:#}");
    }
    assert_eq!(
        (&arrived["items"][0]["quantity"], &arrived["items"][0]["unit_weight_grams"]),
        (&json!(2), &json!(200))
    );
}

#[tokio::test]
async fn of_cash_on_delivery_what_was_collected_is_paid() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    for cash_comes_first in [true, false] {
        let id = shop.place(json!({})).await;
        let road = Road::of(&shop, id);
        road.until_in_transit().await;
        let cash = CashCollected {
            shipment_id: road.shipment,
            company_id: road.company,
            order_id: Some(id),
            return_id: None,
            amount: cop("100000"),
            at: app.now(),
        };
        if cash_comes_first {
            road.shipping(cash).await;
            road.delivered().await;
        } else {
            road.delivered().await;
            road.shipping(cash).await;
        }
        let facts = app.facts(id).await;
        let arrived = facts.iter().find(|fact| fact.kind.ends_with("order.delivered.v1")).unwrap();
        let expected = if cash_comes_first { "100000" } else { "0" };
        assert_eq!(arrived.data["paid"], json!(cop(expected)));
        assert_eq!(shop.get(id).await["paid"], json!(cop("100000")));
        shop.assert_sound(id).await;
    }
}

#[tokio::test]
async fn the_timeline_follows_a_return() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = delivered(&shop).await;
    let order = shop.get(id).await;
    let road = Returning::of(&shop, id);
    let (return_id, company_id, order_id, at) = (road.id, road.company, id, app.now());
    let (rule, detail) = ("WRONG_ITEM".to_owned(), "another item was sent".to_owned());
    let arrived = vec![LineQuantity { line: 1, quantity: 1 }];
    road.tell(1, road.requested(&shop, &order["consignee"], &order["sender"])).await;
    road.tell(2, ReturnApproved { return_id, company_id, order_id, rule, detail, expires_at: at }).await;
    road.tell(3, ReturnPickedUp { return_id, company_id, order_id, at }).await;
    road.tell(
        4,
        ReturnReceived {
            return_id,
            company_id,
            order_id,
            arrived,
            complete: false,
            warehouse_id: shop.warehouse.parse().unwrap(),
            received_by: Actor::System,
        },
    )
    .await;
    let (amount, method) = (cop("50000"), "store_credit".to_owned());
    road.tell(5, ReturnRefunded { return_id, company_id, order_id, amount, method, reference: None }).await;
    let exchange = json!({"return_id": return_id, "company_id": company_id, "order_id": order_id,
        "exchange_order_id": OrderId::new(), "total": amount, "left_of_credit": cop("0")});
    road.tell(6, serde_json::from_value::<ReturnExchanged>(exchange).unwrap()).await;
    let version = shop.get(id).await["version"].clone();
    assert_eq!(version, order["version"], "news for the timeline changes no order");
    road.completed(1, false, "50000").await;
    let timeline =
        shop.merchant.get(&format!("/api/v1/orders/{id}/timeline?limit=100")).await.expect(200).json();
    let lines = timeline["items"].as_array().unwrap().iter().filter(|line| line["source"] == "returns");
    let texts: Vec<_> =
        lines.map(|line| (line["code"].as_str().unwrap(), line["text"].as_str().unwrap())).collect();
    assert_eq!(texts.len(), 7, "{texts:#?}");
    for expected in [
        ("return_requested", "Return of 1 piece asked for: wrong item"),
        ("return_approved", "Return approved: another item was sent"),
        ("return_picked_up", "The goods are on their way back"),
        ("return_received", "Back in the warehouse: 1 piece, the rest is not there yet"),
        ("return_refunded", "50000.00 COP paid back as store credit"),
        ("return_completed", "Return closed: refunded"),
    ] {
        assert!(texts.contains(&expected), "{expected:?} in {texts:#?}");
    }
    assert!(
        !timeline.to_string().contains("the wrong colour"),
        "what the buyer notes is not the order's to tell"
    );
    shop.assert_sound(id).await;
}
