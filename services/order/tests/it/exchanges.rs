//! Orders that replace returned goods.

use futures_util::future::join_all;
use quenty_contracts::{
    customer::Standing,
    order::{Exchange, ExchangePlaced},
    returns::{ExchangeLine, LineQuantity, ReturnCompleted, ReturnedValue},
};
use quenty_kernel::{
    currency::Currency,
    id::{OrderId, ProductId, ReturnId},
    money::Money,
};
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, http::Answer, keys::service_token};
use serde_json::{Value, json};

use crate::{
    customers::{hear_blocked, hear_customer},
    merchant::patiently,
    returned::delivered,
    shop::{Road, Shop, hear_standing, standing, standing_still},
};

fn cop(amount: &str) -> Money {
    Money::parse(amount, Currency::COP).unwrap()
}

/// One piece for what the returned goods were worth.
fn exchange(shop: &Shop<'_>, order_id: OrderId, credit: &str) -> Exchange {
    Exchange {
        return_id: ReturnId::new(),
        order_id,
        company_id: shop.merchant.company,
        lines: vec![ExchangeLine { product_id: shop.product.parse().unwrap(), quantity: 1 }],
        returned: vec![],
        credit: cop(credit),
    }
}

async fn ask(app: &TestApp, exchange: &Exchange) -> Answer {
    let token = service_token("returns", &["internal.exchanges:write"]);
    app.post("/internal/exchanges").token(&token).json(exchange).send().await
}

async fn place(app: &TestApp, exchange: &Exchange) -> ExchangePlaced {
    ask(app, exchange).await.expect(200).read()
}

async fn number_of_orders(shop: &Shop<'_>) -> usize {
    let list = shop.merchant.get("/api/v1/orders?limit=100").await.expect(200).json();
    list["items"].as_array().unwrap().len()
}

fn of<'a>(order: &'a Value, fields: &[&str]) -> Vec<&'a Value> {
    fields.iter().map(|field| &order[*field]).collect()
}

#[tokio::test]
async fn the_replacement_goes_to_the_same_consignee_and_is_paid_by_the_credit() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let returned = delivered(&shop).await;
    let wish = exchange(&shop, returned, "60000");
    let placed = place(&app, &wish).await;
    assert_eq!((placed.total, placed.paid), (cop("50000"), cop("50000")), "the credit is more than it costs");
    let (old, new) = (shop.get(returned).await, shop.get(placed.order_id).await);
    assert_eq!(new["consignee"], old["consignee"]);
    assert_eq!(
        of(&new, &["status", "payment_method", "payment_status", "external_reference"]),
        ["confirmed", "prepaid", "paid", &format!("EXCHANGE-{}", wish.return_id)]
    );
    let facts = app.facts(placed.order_id).await;
    let payment = &facts.iter().find(|fact| fact.kind.ends_with("order.paid.v1")).unwrap().data;
    assert_eq!(of(payment, &["reference", "amount"]), [&json!(wish.return_id), &json!(cop("50000"))]);
    assert_eq!(shop.stock().await, (98, 1, 97));
    shop.assert_sound(placed.order_id).await;
}

#[tokio::test]
async fn a_replacement_is_taxed_and_discounted_as_the_returned_goods_were() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let mug = shop.merchant.product("MUG", json!({})).await;
    shop.merchant.receive(&mug, &shop.warehouse, 9).await;
    let (shirt, mug) = (shop.product.as_str(), mug.as_str());
    let ordered = async |more: Value| {
        let id = shop.place(more).await;
        let road = Road::of(&shop, id);
        road.until_in_transit().await;
        road.delivered().await;
        id
    };
    let replaced = async |order: OrderId, product: &str, quantity: u32, credit: &str| {
        let lines = vec![ExchangeLine { product_id: product.parse().unwrap(), quantity }];
        let placed = place(&app, &Exchange { lines, ..exchange(&shop, order, credit) }).await;
        shop.assert_sound(placed.order_id).await;
        (placed.total, placed.paid)
    };
    let taxed = ordered(json!({"tax": cop("19000"), "shipping": cop("8000")})).await;
    for product in [shirt, mug] {
        let same = replaced(taxed, product, 2, "119000").await;
        assert_eq!(same, (cop("119000"), cop("119000")), "of {product} at the same price nothing is left");
    }
    // 100,000 − 20,000 of the line − 10,000 of the order + 19 %.
    let line = json!({"product_id": shop.product, "quantity": 2, "discount": cop("20000")});
    let cheap = json!({"lines": [line], "discount": cop("10000"), "tax": cop("13300")});
    let discounted = ordered(cheap).await;
    let same = replaced(discounted, shirt, 1, "41650").await;
    assert_eq!(same, (cop("41650"), cop("41650")), "like for like");
    let more = replaced(discounted, shirt, 3, "41650").await;
    assert_eq!(more, (cop("178500"), cop("41650")), "nobody has more for the old price");
    let other = replaced(discounted, mug, 1, "41650").await;
    assert_eq!(other, (cop("59500"), cop("41650")), "the discount was of other goods");
    // A hundred pesos off do not divide among three: one piece came to a centavo less than the others.
    let three = json!([{"product_id": shop.product, "quantity": 3}]);
    let uneven = ordered(json!({"lines": three, "discount": cop("100"), "tax": cop("28481")})).await;
    for worth in ["59460.33", "59460.34"] {
        let returned = vec![ReturnedValue { line: 1, quantity: 1, value: cop(worth) }];
        let placed = place(&app, &Exchange { returned, ..exchange(&shop, uneven, worth) }).await;
        assert_eq!((placed.total, placed.paid), (cop(worth), cop(worth)), "like for like to the centavo");
        shop.assert_sound(placed.order_id).await;
    }
}

#[tokio::test]
async fn what_stood_on_two_lines_or_is_wanted_on_two_costs_what_all_of_it_was_worth() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let line = json!({"product_id": shop.product, "quantity": 1});
    let cheaper = json!({"product_id": shop.product, "quantity": 1, "discount": cop("10000.01")});
    let id = shop.place(json!({"lines": [cheaper, line]})).await;
    let road = Road::of(&shop, id);
    road.until_in_transit().await;
    road.delivered().await;
    let value = |line: u32, value: &str| ReturnedValue { line, quantity: 1, value: cop(value) };
    let returned = vec![value(1, "39999.99"), value(2, "50000")];
    let pieces = |quantity: u32| ExchangeLine { product_id: shop.product.parse().unwrap(), quantity };
    for lines in [vec![pieces(2)], vec![pieces(1), pieces(1)]] {
        let returned = returned.clone();
        let placed = place(&app, &Exchange { lines, returned, ..exchange(&shop, id, "89999.99") }).await;
        assert_eq!((placed.total, placed.paid), (cop("89999.99"), cop("89999.99")));
        shop.assert_sound(placed.order_id).await;
    }
}

#[tokio::test]
async fn pieces_of_several_lines_cost_what_was_paid_for_them_and_are_taxed_as_each_was() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let two = |discount: &str, tax: &str| json!({"product_id": shop.product, "quantity": 2, "discount": cop(discount), "tax": cop(tax)});
    let id = shop.place(json!({"lines": [two("50000", "9500"), two("0", "19000")]})).await;
    let road = Road::of(&shop, id);
    road.until_in_transit().await;
    road.delivered().await;
    let path = format!("/api/v1/products/{}", shop.product);
    shop.merchant.patch(&path, json!({"price": cop("75000")})).await.expect(200);
    let value = |line: u32, value: &str| ReturnedValue { line, quantity: 2, value: cop(value) };
    let returned = [value(1, "59500"), value(2, "119000")];
    let pieces = |quantity: u32| ExchangeLine { product_id: shop.product.parse().unwrap(), quantity };
    // All that came back; and fewer, which no single line had.
    for (lines, total, tax) in
        [(vec![pieces(4)], "178500", "28500"), (vec![pieces(2), pieces(1)], "119000", "19000")]
    {
        let returned = returned.to_vec();
        let placed = place(&app, &Exchange { lines, returned, ..exchange(&shop, id, "178500") }).await;
        assert_eq!((placed.total, placed.paid), (cop(total), cop(total)));
        assert_eq!(shop.get(placed.order_id).await["totals"]["tax"], json!(cop(tax)));
        shop.assert_sound(placed.order_id).await;
    }
}

#[tokio::test]
async fn the_same_return_is_served_once_whatever_happened_since() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let wish = exchange(&shop, delivered(&shop).await, "50000");
    let placed = place(&app, &wish).await;
    let company = shop.merchant.company;
    let suspended =
        Standing { version: 2, status: "suspended".to_owned(), may_order: false, ..standing(company) };
    hear_standing(&app, suspended).await;
    shop.merchant.delete(&format!("/api/v1/products/{}", shop.product)).await.expect(204);
    assert_eq!(place(&app, &wish).await, placed);
    assert_eq!(number_of_orders(&shop).await, 2);
    let another = exchange(&shop, wish.order_id, "50000");
    ask(&app, &another).await.expect_problem(409, "COMPANY_NOT_ACTIVE");
}

#[tokio::test]
async fn twenty_requests_for_one_return_at_once_make_one_order() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let wish = exchange(&shop, delivered(&shop).await, "50000");
    let answers = join_all((0..20).map(|_| patiently(async || ask(&app, &wish).await))).await;
    let placed: Vec<ExchangePlaced> = answers.into_iter().map(|answer| answer.expect(200).read()).collect();
    assert!(placed.iter().all(|answer| *answer == placed[0]), "{placed:#?}");
    assert_eq!((number_of_orders(&shop).await, shop.stock().await), (2, (98, 1, 97)));
    shop.assert_sound(placed[0].order_id).await;
}

#[tokio::test]
async fn what_a_short_credit_leaves_is_to_be_paid() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let wish = exchange(&shop, delivered(&shop).await, "30000");
    let placed = place(&app, &wish).await;
    assert_eq!((placed.total, placed.paid), (cop("50000"), cop("30000")));
    let id = placed.order_id;
    let order = shop.get(id).await;
    assert_eq!(
        of(&order, &["status", "payment_status", "paid"]),
        [&json!("pending"), &json!("unpaid"), &json!(cop("30000"))]
    );
    // Whoever paid in part has a price.
    let two = json!({"lines": [{"product_id": shop.product, "quantity": 2}]});
    shop.merchant.patch(&format!("/api/v1/orders/{id}"), two).await.expect_problem(409, "TOTAL_FIXED");
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "PAYMENT_MISSING").await;
    let refused = shop.act(id, "payments", json!({"amount": cop("50000")})).await;
    assert_eq!(refused.expect_problem(422, "AMOUNT_MISMATCH").json()["due"], json!(cop("20000")));
    let paid = shop.act(id, "payments", json!({"amount": cop("20000")})).await.expect(200).json();
    assert_eq!(
        of(&paid, &["status", "payment_status", "paid"]),
        [&json!("confirmed"), &json!("paid"), &json!(cop("50000"))]
    );
    assert_eq!(place(&app, &wish).await, placed, "what the credit paid stays what was answered");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn what_the_credit_paid_goes_back_when_the_replacement_never_arrives() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let wish = exchange(&shop, delivered(&shop).await, "30000");
    let id = place(&app, &wish).await.order_id;
    // Returns pays back nothing beside it, and yet the first order has so much less: nobody has paid 130,000.
    let completed = ReturnCompleted {
        return_id: wish.return_id,
        company_id: wish.company_id,
        order_id: wish.order_id,
        outcome: "exchanged".to_owned(),
        returned: vec![LineQuantity { line: 1, quantity: 1 }],
        refund: cop("0"),
        order_returned_whole: false,
    };
    app.hear(wish.return_id, Some(wish.company_id), 9, &completed).await;
    let returned = shop.get(wish.order_id).await;
    assert_eq!(
        of(&returned, &["status", "payment_status", "refunded"]),
        [&json!("partially_returned"), &json!("partially_refunded"), &json!(cop("30000"))]
    );
    shop.assert_sound(wish.order_id).await;
    shop.act(id, "refunds", json!({})).await.expect_problem(409, "ORDER_NOT_REFUNDABLE");
    shop.cancel(id).await.expect(200);
    let refunded = shop.act(id, "refunds", json!({})).await.expect(200).json();
    assert_eq!(
        of(&refunded, &["status", "payment_status", "paid", "refunded"]),
        [&json!("cancelled"), &json!("refunded"), &json!(cop("30000")), &json!(cop("30000"))]
    );
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn who_is_blocked_by_now_still_gets_what_they_are_owed() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let ana = hear_customer(&app, shop.merchant.company).await;
    let returned = shop.place(json!({"customer_id": ana})).await;
    let road = Road::of(&shop, returned);
    road.until_in_transit().await;
    road.delivered().await;
    hear_blocked(&app, (shop.merchant.company, ana), 2, true).await;
    let placed = place(&app, &exchange(&shop, returned, "50000")).await;
    assert_eq!(shop.get(placed.order_id).await["customer_id"], json!(ana));
    shop.assert_sound(placed.order_id).await;
}

#[tokio::test]
async fn without_a_credit_all_is_to_be_paid() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let placed = place(&app, &exchange(&shop, delivered(&shop).await, "0")).await;
    assert_eq!(placed.paid, cop("0"));
    assert_eq!(shop.count_facts(placed.order_id, "paid").await, 0);
    assert_eq!(shop.status(placed.order_id).await, "pending");
    shop.assert_sound(placed.order_id).await;
}

#[tokio::test]
async fn without_stock_nothing_is_placed_until_there_is_some() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let rare = shop.merchant.product("RARE", json!({})).await;
    let mut wish = exchange(&shop, delivered(&shop).await, "50000");
    wish.lines = vec![ExchangeLine { product_id: rare.parse().unwrap(), quantity: 2 }];
    shop.merchant.receive(&rare, &shop.warehouse, 1).await;
    let refused = ask(&app, &wish).await.expect_problem(409, "INSUFFICIENT_STOCK").json();
    assert_eq!(refused["products"][0]["wanted"], 2);
    assert_eq!(
        (number_of_orders(&shop).await, shop.merchant.stock(&rare, &shop.warehouse).await),
        (1, (1, 0, 1))
    );
    shop.merchant.receive(&rare, &shop.warehouse, 1).await;
    let placed = place(&app, &wish).await;
    assert_eq!((placed.total, placed.paid), (cop("100000"), cop("50000")));
    shop.assert_sound(placed.order_id).await;
}

#[tokio::test]
async fn what_cannot_be_exchanged_is_said() {
    let app = TestApp::start(quenty_order::service()).await;
    let (shop, other) = (Shop::open(&app).await, Shop::open(&app).await);
    let good = exchange(&shop, delivered(&shop).await, "50000");
    let line = |product_id, quantity| vec![ExchangeLine { product_id, quantity }];
    let product: ProductId = shop.product.parse().unwrap();
    let dollars = Money::parse("50", Currency::USD).unwrap();
    for (bad, status, code) in [
        (Exchange { order_id: OrderId::new(), ..good.clone() }, 404, "NOT_FOUND"),
        (Exchange { company_id: other.merchant.company, ..good.clone() }, 404, "NOT_FOUND"),
        (Exchange { lines: line(ProductId::new(), 1), ..good.clone() }, 422, "UNKNOWN_PRODUCT"),
        (Exchange { lines: line(other.product.parse().unwrap(), 1), ..good.clone() }, 422, "UNKNOWN_PRODUCT"),
        (Exchange { lines: line(product, 0), ..good.clone() }, 422, "INVALID_QUANTITY"),
        (Exchange { lines: vec![], ..good.clone() }, 422, "LINES_OUT_OF_RANGE"),
        (Exchange { credit: dollars, ..good.clone() }, 422, "CURRENCY_MISMATCH"),
        (Exchange { credit: cop("-1"), ..good.clone() }, 422, "NEGATIVE_AMOUNT"),
    ] {
        ask(&app, &bad).await.expect_problem(status, code);
    }
    assert_eq!((number_of_orders(&shop).await, number_of_orders(&other).await), (1, 0));
    place(&app, &good).await;
    app.assert_sound().await;
}

#[tokio::test]
async fn no_person_places_an_exchange() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let wish = exchange(&shop, delivered(&shop).await, "50000");
    for (permission, code) in [("*", "NOT_PERMITTED"), ("internal.exchanges:write", "SERVICES_ONLY")] {
        let person = app.token(Realm::Staff, None, &[permission]);
        let refused = app.post("/internal/exchanges").token(&person).json(&wish).send().await;
        refused.expect_problem(403, code);
    }
    assert_eq!(number_of_orders(&shop).await, 1);
}
