use quenty_contracts::{
    customer::{ErasureRequested, PrivacyRequested},
    returns::{ReturnCancelled, ReturnDisputed, ReturnExpired, ReturnRejected},
    shipping::ShipmentExceptionRaised,
};
use quenty_kernel::{
    Event,
    id::{CustomerId, OrderId, PrivacyRequestId, ReturnId, new_uuid},
};
use quenty_testkit::{TestApp, eventually, mentions::mentions};
use serde_json::{Value, json};

use crate::{
    customers::{app_beside, hear_customer},
    shop::{Road, Shop, consignee},
};

const WORDS: [&str; 4] = ["Luz Prado", "luz@example.com", "573009998877", "Carrera 15"];

fn luz() -> Value {
    let mut luz = consignee("CO");
    luz["name"] = json!("Luz Prado");
    luz["email"] = json!("luz@example.com");
    luz["phone"] = json!("+573009998877");
    luz["address"]["line1"] = json!("Carrera 15 # 93-60");
    luz["address"]["state"] = json!("Cundinamarca");
    luz
}

struct Asked<'a> {
    shop: &'a Shop<'a>,
    request: PrivacyRequestId,
    customer: CustomerId,
    version: std::cell::Cell<i64>,
}

impl<'a> Asked<'a> {
    /// Customer tells that somebody wants the customer erased.
    async fn for_(shop: &'a Shop<'a>, customer: CustomerId) -> Self {
        let asked = Self { shop, request: PrivacyRequestId::new(), customer, version: 0.into() };
        let (request_id, company_id) = (asked.request, shop.merchant.company);
        asked
            .hear(PrivacyRequested {
                request_id,
                company_id,
                customer_id: customer,
                kind: "erase".to_owned(),
            })
            .await;
        asked
    }

    async fn hear<E: Event>(&self, event: E) {
        self.version.set(self.version.get() + 1);
        let (app, company) = (self.shop.merchant.app, self.shop.merchant.company);
        // While something about the person is on its way, this waits.
        app.deliver(&app.envelope(self.request, Some(company), self.version.get(), &event)).await;
    }

    async fn erase(&self, orders: &[OrderId]) {
        self.hear(ErasureRequested {
            request_id: self.request,
            company_id: self.shop.merchant.company,
            customer_id: self.customer,
            round: 7,
            order_ids: orders.to_vec(),
            return_ids: vec![],
        })
        .await;
    }

    /// What Order told about the request, by kind.
    async fn told(&self) -> Vec<(String, Value)> {
        let facts = self.shop.merchant.app.facts(self.request).await;
        let short = |kind: &str| kind.trim_start_matches("quenty.").trim_end_matches(".v1").to_owned();
        facts.into_iter().map(|fact| (short(&fact.kind), fact.data)).collect()
    }
}

#[tokio::test]
async fn a_person_is_erased_from_rows_history_and_answers_once_no_order_is_under_way() {
    let app = app_beside(vec![]).await;
    let shop = Shop::open(&app).await;
    let customer = hear_customer(&app, shop.merchant.company).await;
    let body =
        shop.order(json!({"customer_id": customer, "consignee": luz(), "notes": "Luz Prado, timbre 3"}));
    let placed = app.post("/api/v1/orders").token(&shop.merchant.token).idempotency_key("luz").json(&body);
    let id: OrderId = placed.send().await.expect(201).json()["id"].as_str().unwrap().parse().unwrap();
    let other = shop.place(json!({})).await;
    app.at_rest().await;
    let asked = Asked::for_(&shop, customer).await;
    assert_eq!(asked.told().await[0].1["under_way"], json!([id]));

    asked.erase(&[id]).await;
    assert_eq!(asked.told().await.last().unwrap().1["under_way"], json!([id]), "it is waited for once more");
    assert_eq!(shop.get(id).await["consignee"]["name"], "Luz Prado", "nobody erases what is under way");
    // What people write of it is written of her, too.
    let road = Road::of(&shop, id);
    road.shipping(ShipmentExceptionRaised {
        shipment_id: road.shipment,
        order_id: Some(id),
        return_id: None,
        at: app.now(),
        code: "DELIVERY_FAILED".to_owned(),
        detail: "Luz Prado was not at home".to_owned(),
    })
    .await;
    for (verb, reason) in
        [("hold", "Luz Prado does not answer"), ("cancel", "Luz Prado, Carrera 15, is gone")]
    {
        shop.act(id, verb, json!({"reason": reason})).await.expect(200);
    }
    let (kind, found) = asked.told().await.pop().unwrap();
    assert_eq!(
        (kind.as_str(), &found["under_way"]),
        ("order.privacy.found", &json!([])),
        "it goes on by itself"
    );
    app.at_rest().await;
    asked.erase(&[]).await;
    let (kind, found) = asked.told().await.pop().unwrap();
    assert_eq!(
        (kind.as_str(), &found["order_ids"]),
        ("order.privacy.found", &json!([id])),
        "others were not told of the order"
    );
    app.at_rest().await;
    let before = app.now();

    asked.erase(&[id]).await;
    let told = asked.told().await;
    let (kind, erased) = told.last().unwrap();
    assert_eq!(
        (kind.as_str(), &erased["records"], &erased["round"]),
        ("order.privacy.erased", &json!(1), &json!(7))
    );
    assert!(erased["facts"].as_u64().is_some_and(|facts| facts >= 2), "{erased}");
    assert_eq!(mentions(app.app.db(), &WORDS).await, Vec::<String>::new());
    let order = shop.get(id).await;
    let left = json!({"line1": "erased", "city": "erased", "state": "Cundinamarca", "country": "CO"});
    assert_eq!((&order["consignee"]["name"], &order["consignee"]["address"]), (&json!("erased"), &left));
    let then = shop.merchant.get(&format!("/api/v1/orders/{id}?as_of={before}")).await.expect(200).json();
    assert_eq!((&then["status"], &then["consignee"]["name"]), (&json!("cancelled"), &json!("erased")));
    assert_eq!(then["total"], order["total"], "goods and money stay");
    assert_eq!(shop.get(other).await["consignee"]["name"], "Ana Gómez", "nobody else is touched");
    let repeated = app.post("/api/v1/orders").token(&shop.merchant.token).idempotency_key("luz").json(&body);
    repeated.send().await.expect_problem(422, "UNKNOWN_CUSTOMER");

    asked.erase(&[id]).await;
    let (kind, again) = asked.told().await.pop().unwrap();
    assert_eq!(
        (kind.as_str(), &again["records"], &again["facts"]),
        ("order.privacy.erased", &json!(0), &json!(0))
    );
    shop.assert_sound(id).await;
}

/// News of the order that nobody has taken in.
async fn plant_news(app: &TestApp, order: OrderId, status: &str, kind: &str) {
    sqlx::query(
        "insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, error, next_at, envelope, received_at, updated_at)
         values ($1, 'shipping', $4, 'SHIP-1', 9, $3, 'why', now() + interval '10 minutes',
                 jsonb_build_object('data', jsonb_build_object('order_id', $2::text, 'received_by', 'Luz Prado')), now(), now())",
    )
    .bind(new_uuid())
    .bind(order.to_string())
    .bind(status)
    .bind(kind)
    .execute(app.app.db())
    .await
    .unwrap();
}

#[tokio::test]
async fn news_that_only_another_version_hears_keep_nobody_from_being_erased() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let customer = hear_customer(&app, shop.merchant.company).await;
    let id = shop.place(json!({"customer_id": customer, "consignee": luz()})).await;
    shop.cancel(id).await.expect(200);
    app.at_rest().await;
    let asked = Asked::for_(&shop, customer).await;
    plant_news(&app, id, "unheard", "quenty.shipping.shipment.weighed.v1").await;
    asked.erase(&[id]).await;
    eventually("it is erased", || async {
        asked.told().await.pop().filter(|(kind, _)| kind == "order.privacy.erased")
    })
    .await;
    assert_eq!(mentions(app.app.db(), &WORDS).await, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_erased_while_news_of_the_person_wait_and_then_it_goes_on_by_itself() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    for status in ["waiting", "dead"] {
        erased_when_the_news_are_gone(&app, &shop, status).await;
    }
}

async fn erased_when_the_news_are_gone(app: &TestApp, shop: &Shop<'_>, status: &str) {
    let customer = hear_customer(app, shop.merchant.company).await;
    let id = shop.place(json!({"customer_id": customer, "consignee": luz()})).await;
    shop.cancel(id).await.expect(200);
    app.at_rest().await;
    let asked = Asked::for_(shop, customer).await;
    plant_news(app, id, status, "quenty.shipping.shipment.delivered.v1").await;

    asked.erase(&[id]).await;
    assert_eq!(asked.told().await.pop().unwrap().0, "order.privacy.found");
    assert_eq!(shop.get(id).await["consignee"]["name"], "Luz Prado", "all or nothing");
    sqlx::query("delete from quenty.inbox where stream = 'SHIP-1'").execute(app.app.db()).await.unwrap();
    eventually("it goes on by itself", || async {
        asked.told().await.pop().filter(|(kind, _)| kind == "order.privacy.erased")
    })
    .await;
    assert_eq!(mentions(app.app.db(), &WORDS).await, Vec::<String>::new());
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_request_about_nobody_is_answered_at_once() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let asked = Asked::for_(&shop, CustomerId::new()).await;
    let nothing = json!([]);
    assert_eq!(asked.told().await[0].1["order_ids"], nothing);
    asked.erase(&[]).await;
    assert_eq!(asked.told().await.pop().unwrap().0, "order.privacy.erased");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_return_that_comes_to_nothing_is_in_the_orders_timeline() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let (company_id, order_id, return_id) = (shop.merchant.company, id, ReturnId::new());
    let reason = "the window ended".to_owned();
    app.hear(return_id, Some(company_id), 1, &ReturnRejected { return_id, company_id, order_id, reason })
        .await;
    let (of, reason) = ("rejection".to_owned(), "it was here in time".to_owned());
    let disputed = ReturnDisputed { return_id, company_id, order_id, of, reason };
    app.hear(return_id, Some(company_id), 2, &disputed).await;
    let reason = "the buyer keeps it".to_owned();
    let cancelled = ReturnCancelled { return_id, company_id, order_id, reason };
    app.hear(return_id, Some(company_id), 3, &cancelled).await;
    app.hear(return_id, Some(company_id), 4, &ReturnExpired { return_id, company_id, order_id }).await;
    let timeline =
        shop.merchant.get(&format!("/api/v1/orders/{id}/timeline?limit=100")).await.expect(200).json();
    let lines: Vec<&str> =
        timeline["items"].as_array().unwrap().iter().filter_map(|line| line["text"].as_str()).collect();
    for expected in [
        "Return refused: the window ended",
        "The buyer objects: it was here in time",
        "Return cancelled: the buyer keeps it",
        "Return expired: the goods did not come in time",
    ] {
        assert!(lines.contains(&expected), "{lines:?}");
    }
}

#[tokio::test]
async fn an_order_that_is_being_placed_is_waited_for() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let customer = hear_customer(&app, shop.merchant.company).await;
    let asked = Asked::for_(&shop, customer).await;
    let body = shop.order(json!({"customer_id": customer, "consignee": luz()}));
    let mut stock = app.app.db().begin().await.unwrap();
    sqlx::query("lock table stock_levels, stock_items in exclusive mode").execute(&mut *stock).await.unwrap();
    let waits = |what: &'static str, kind: &'static str| {
        let (db, waits) =
            (app.app.db(), "select exists (select from pg_locks where not granted and locktype = $1)");
        eventually(what, move || async move {
            let waits: bool = sqlx::query_scalar(waits).bind(kind).fetch_one(db).await.unwrap();
            waits.then_some(())
        })
    };
    let placing = app.post("/api/v1/orders").token(&shop.merchant.token).json(&body).send();
    let (placed, ()) = tokio::join!(placing, async {
        waits("the order waits for its stock", "relation").await;
        tokio::join!(asked.erase(&[]), async {
            waits("the erasure waits for the order", "advisory").await;
            stock.rollback().await.unwrap();
        });
    });
    let id = placed.expect(201).json()["id"].clone();
    let (kind, found) = asked.told().await.pop().unwrap();
    assert_eq!((kind.as_str(), &found["under_way"]), ("order.privacy.found", &json!([id])));
}
