use quenty_contracts::{
    customer::Standing,
    order::{OrderCancelled, OrderUpdated},
    pickup::PickupCompleted,
    returns::{ReturnLabelRequested, ReturnWayBackCancelRequested},
};
use quenty_kernel::{
    currency::Currency,
    id::{OrderId, PickupId, ReturnId, ShipmentId},
    money::Money,
};
use quenty_platform::{journal::Entry, operate};
use quenty_testkit::eventually;
use serde_json::{Value, json};

use crate::fixtures::{Shop, customer, customer_that_says, delivered, item, party, standing};

impl Shop {
    pub fn way_back(&self, goods: ReturnId, buyer_country: &str) -> ReturnLabelRequested {
        let read = |value: Value| serde_json::from_value(value).unwrap();
        ReturnLabelRequested {
            return_id: goods,
            company_id: self.company,
            order_id: OrderId::new(),
            attempt: 1,
            sender: read(party(buyer_country)),
            consignee: read(party("CO")),
            parcels: serde_json::from_value(json!([{"weight_grams": 1200}])).unwrap(),
            items: serde_json::from_value(json!([item()])).unwrap(),
            declared_value: Money::parse("50000", Currency::COP).unwrap(),
        }
    }

    pub fn give_up(&self, goods: ReturnId) -> ReturnWayBackCancelRequested {
        ReturnWayBackCancelRequested {
            return_id: goods,
            company_id: self.company,
            attempt: 1,
            way_back: "label".to_owned(),
            pickup_id: None,
            shipment_id: None,
            reason: "the buyer keeps it".to_owned(),
        }
    }

    pub async fn asks(&self, goods: ReturnId, version: i64, request: &ReturnLabelRequested) {
        self.app.hear(goods, Some(self.company), version, request).await;
    }

    pub async fn gives_up(&self, goods: ReturnId, version: i64, wish: &ReturnWayBackCancelRequested) {
        self.app.hear(goods, Some(self.company), version, wish).await;
    }

    pub async fn shipments_for(&self, goods: ReturnId) -> Vec<Value> {
        let list = self.get(&format!("/shipments?return_id={goods}")).await.expect(200).json();
        list["items"].as_array().unwrap().clone()
    }

    /// The newest shipment of a return.
    pub async fn shipment_for(&self, goods: ReturnId) -> Value {
        self.shipments_for(goods).await.remove(0)
    }

    pub async fn until(&self, goods: ReturnId, wanted: &str) -> Value {
        eventually(wanted, || async {
            let shipment = self.shipment_for(goods).await;
            (shipment["status"] == wanted).then_some(shipment)
        })
        .await
    }

    pub async fn facts_of(&self, shipment: &Value) -> Vec<Entry> {
        self.app.facts(shipment["id"].as_str().unwrap().parse::<ShipmentId>().unwrap()).await
    }

    pub async fn kinds_of(&self, shipment: &Value) -> Vec<String> {
        let facts = self.facts_of(shipment).await;
        facts.iter().map(|fact| fact.kind.split('.').nth(3).unwrap().to_owned()).collect()
    }

    /// Every published fact of the shipment says that it is the return's, and no order's.
    pub async fn assert_told_of(&self, shipment: &Value, goods: ReturnId) {
        for fact in self.facts_of(shipment).await {
            let private = fact.kind.contains(".booking_started.") || fact.kind.contains(".scanned.");
            let told = (fact.data.get("return_id"), fact.data.get("order_id"));
            assert!(private || told == (Some(&json!(goods)), Some(&Value::Null)), "{}: {told:?}", fact.kind);
        }
    }

    pub async fn assert_sound(&self) {
        self.app.assert_sound().await;
        for invariant in self.app.app.service().invariants {
            let violations = operate::violations(self.app.app.db(), invariant).await.unwrap();
            assert_eq!(violations, 0, "{}", invariant.about);
        }
    }
}

#[tokio::test]
async fn a_return_gets_its_label_and_is_followed_to_the_warehouse() {
    let shop = Shop::open().await;
    let goods = ReturnId::new();
    let request = shop.way_back(goods, "CO");
    shop.asks(goods, 3, &request).await;
    // The same request again, as another event, is the same shipment, and told once more.
    shop.asks(goods, 4, &request).await;
    assert_eq!(shop.shipments_for(goods).await.len(), 1);
    let shipment = shop.shipment_for(goods).await;
    assert_eq!(
        (&shipment["status"], &shipment["carrier"], &shipment["service"], &shipment["incoterm"]),
        (&json!("booked"), &json!("QTY"), &json!("standard"), &Value::Null)
    );
    assert_eq!((&shipment["return_id"], &shipment["order_id"]), (&json!(goods), &Value::Null));
    let facts = shop.facts_of(&shipment).await;
    let booked = &facts[2];
    assert_eq!(
        (booked.kind.as_str(), &booked.data["attempt"]),
        ("quenty.shipping.shipment.booked.v1", &json!(1))
    );

    let id = shipment["id"].as_str().unwrap();
    shop.get(&format!("/shipments/{id}/label")).await.expect(200);
    shop.scan(id, &json!({"kind": "scan"})).await.expect(200);
    shop.scan(id, &json!({"kind": "departed"})).await.expect(200);
    shop.scan(id, &delivered()).await.expect(200);
    let number = shipment["tracking_number"].as_str().unwrap();
    let tracked = shop.app.get(&format!("/api/v1/tracking/{number}")).send().await.expect(200).json();
    assert_eq!(tracked["status"], "delivered");
    assert_eq!(
        shop.kinds_of(&shipment).await,
        [
            "created",
            "booking_started",
            "booked",
            "booked",
            "picked_up",
            "departed",
            "out_for_delivery",
            "delivered"
        ]
    );
    shop.assert_told_of(&shipment, goods).await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn the_merchants_name_stands_with_its_own_address_on_either_label() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let goods = ReturnId::new();
    shop.asks(goods, 3, &shop.way_back(goods, "CO")).await;
    let back = shop.shipment_for(goods).await["id"].as_str().unwrap().to_owned();
    for (id, is_from_merchant) in [(shop.booked().await, true), (back, false)] {
        let label = shop.get(&format!("/shipments/{id}/label")).await.expect(200).text();
        let (from, to) = label.split_once("DESTINATARIO").unwrap();
        // The beginning of the trade name; what is not ASCII is written in hexadecimal.
        let named = [from, to].map(|part| part.contains("416C6D6163"));
        assert_eq!(named, [is_from_merchant, !is_from_merchant]);
    }
}

#[tokio::test]
async fn whatever_happens_on_the_way_back_is_told_of_the_return() {
    let shop = Shop::open_with(vec![("customer_url", customer(false, true).await)]).await;
    let goods = ReturnId::new();
    shop.asks(goods, 3, &shop.way_back(goods, "MX")).await;
    let shipment = shop.until(goods, "booked").await;
    let id = shipment["id"].as_str().unwrap();
    for kind in
        ["customs_hold", "customs_released", "delivery_failed", "departed", "undeliverable", "returned"]
    {
        shop.scan(id, &json!({"kind": kind, "detail": "seen"})).await.expect(200);
    }
    let told = shop.kinds_of(&shipment).await;
    for kind in [
        "held_by_customs",
        "released_by_customs",
        "out_for_delivery",
        "exception_raised",
        "exception_resolved",
        "undeliverable",
        "returned",
    ] {
        assert!(told.iter().any(|told| told == kind), "{kind} is not among {told:?}");
    }
    shop.assert_told_of(&shipment, goods).await;

    let lost = ReturnId::new();
    shop.asks(lost, 3, &shop.way_back(lost, "CO")).await;
    let shipment = shop.shipment_for(lost).await;
    let id = shipment["id"].as_str().unwrap();
    for kind in ["departed", "lost"] {
        shop.scan(id, &json!({"kind": kind, "detail": "nobody knows"})).await.expect(200);
    }
    assert_eq!(shop.kinds_of(&shipment).await.last().unwrap(), "lost");
    shop.assert_told_of(&shipment, lost).await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_return_that_breaks_a_rule_is_rejected_and_its_next_attempt_is_another_request() {
    let shop = Shop::open().await;
    let goods = ReturnId::new();
    let mut heavy = shop.way_back(goods, "CO");
    heavy.parcels = serde_json::from_value(json!([{"weight_grams": 70_001}])).unwrap();
    shop.asks(goods, 3, &heavy).await;
    let shipment = shop.shipment_for(goods).await;
    assert_eq!(
        (&shipment["status"], &shipment["ended_code"]),
        (&json!("rejected"), &json!("WEIGHT_ABOVE_LIMIT"))
    );
    assert_eq!(shop.kinds_of(&shipment).await, ["created", "booking_started", "rejected"]);
    assert_eq!(shop.facts_of(&shipment).await[2].data["attempt"], 1);
    shop.assert_told_of(&shipment, goods).await;

    let lighter = ReturnLabelRequested { attempt: 2, ..shop.way_back(goods, "CO") };
    shop.asks(goods, 4, &lighter).await;
    assert_eq!(shop.shipment_for(goods).await["status"], "booked");
    assert_eq!(shop.shipments_for(goods).await.len(), 2);
    shop.assert_sound().await;
}

#[tokio::test]
async fn across_a_border_a_return_needs_a_company_in_good_standing_and_no_identity_check() {
    // Known here, and not verified: it may not send abroad, but its goods come home.
    let shop = Shop::open().await;
    shop.told(1, false).await;
    let goods = ReturnId::new();
    shop.asks(goods, 3, &shop.way_back(goods, "MX")).await;
    let shipment = shop.shipment_for(goods).await;
    assert_eq!(
        (&shipment["status"], &shipment["service"], &shipment["incoterm"], &shipment["international"]),
        (&json!("booked"), &json!("standard"), &json!("DAP"), &json!(true))
    );
    shop.assert_sound().await;

    // Not known here: Customer is asked, and what it says decides.
    for (active, status) in [(true, "booked"), (false, "rejected")] {
        let says = move |company| Some(Standing { may_order: active, ..standing(company, 9, false) });
        let shop = Shop::open_with(vec![("customer_url", customer_that_says(says).await)]).await;
        let goods = ReturnId::new();
        shop.asks(goods, 3, &shop.way_back(goods, "MX")).await;
        let shipment = shop.until(goods, status).await;
        assert_eq!(shipment["ended_code"], if active { Value::Null } else { json!("COMPANY_NOT_ACTIVE") });
        shop.assert_told_of(&shipment, goods).await;
        shop.assert_sound().await;
    }
}

#[tokio::test]
async fn what_happens_to_the_order_and_its_pickups_leaves_the_way_back_alone() {
    let shop = Shop::open().await;
    let goods = ReturnId::new();
    let request = shop.way_back(goods, "CO");
    let order = request.order_id;
    shop.asks(goods, 3, &request).await;
    let zero = Money::zero(Currency::COP);
    let updated = OrderUpdated {
        order_id: order,
        consignee: serde_json::from_value(party("MX")).unwrap(),
        lines: Vec::new(),
        totals: quenty_contracts::order::OrderTotals {
            subtotal: zero,
            discount: zero,
            shipping: zero,
            tax: zero,
            total: zero,
        },
        notes: None,
    };
    shop.app.hear(order, Some(shop.company), 8, &updated).await;
    let cancelled = OrderCancelled { order_id: order, shipment_id: None, reason: "too late".to_owned() };
    shop.app.hear(order, Some(shop.company), 9, &cancelled).await;
    for (order_id, return_id) in [(Some(order), None), (None, Some(goods))] {
        let pickup_id = PickupId::new();
        let completed = PickupCompleted {
            pickup_id,
            company_id: shop.company,
            order_id,
            return_id,
            at: shop.app.now(),
            parcel_count: 1,
            weight_grams: None,
            handed_over_by: None,
            position: None,
            parcels_booked: Some(1),
            difference: None,
        };
        shop.app.hear(pickup_id, Some(shop.company), 1, &completed).await;
    }
    let shipment = shop.shipment_for(goods).await;
    assert_eq!(shipment["status"], "booked");
    assert_eq!(shipment["consignee"]["address"]["country"], "CO");
    // An order's shipment is not among the return's.
    let later = OrderId::new();
    shop.app.hear(later, Some(shop.company), 3, &shop.requested(later, "CO")).await;
    assert_eq!(shop.shipment_of(later).await["return_id"], Value::Null);
    assert_eq!(shop.shipments_for(goods).await.len(), 1);
    shop.assert_sound().await;
}
