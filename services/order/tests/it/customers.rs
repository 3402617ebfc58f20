use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use quenty_contracts::customer::{CustomerCreated, CustomerUpdated};
use quenty_kernel::{
    Failure,
    id::{CompanyId, CustomerId},
};
use quenty_platform::Error;
use quenty_testkit::{TestApp, TestOptions, neighbour::serve};
use serde_json::{Value, json};

use crate::{
    import_file::{counts, file, import, merchant, options, row},
    shop::Shop,
};

/// An Order beside a Customer that knows these customers, whose companies do not matter.
pub async fn app_beside(known: Vec<CustomerId>) -> TestApp {
    let answer =
        get(async move |Path((_, id)): Path<(CompanyId, CustomerId)>| -> Result<Json<Value>, Error> {
            if known.contains(&id) {
                Ok(Json(json!({"customer_id": id})))
            } else {
                Err(Failure::not_found("customer").into())
            }
        });
    let url = serve(Router::new().route("/internal/companies/{company}/customers/{id}", answer)).await;
    let options = TestOptions { settings: vec![("customer_url", url)], ..TestOptions::default() };
    TestApp::start_with(quenty_order::service(), options).await
}

pub async fn hear_customer(app: &TestApp, company_id: CompanyId) -> CustomerId {
    let customer_id = CustomerId::new();
    let created = CustomerCreated {
        customer_id,
        company_id,
        kind: "individual".to_owned(),
        name: "Ana".parse().unwrap(),
        email: None,
        phone: None,
        document_country: None,
        document_type: None,
        document_number: None,
        addresses: vec![],
        language: None,
        blocked: false,
        external_key: None,
    };
    app.hear(customer_id, Some(company_id), 1, &created).await;
    customer_id
}

/// The company sells to the customer no more, or again.
pub async fn hear_blocked(
    app: &TestApp,
    (company_id, customer_id): (CompanyId, CustomerId),
    version: i64,
    blocked: bool,
) {
    let updated = CustomerUpdated {
        customer_id,
        company_id,
        name: "Ana".parse().unwrap(),
        email: None,
        phone: None,
        document_country: None,
        document_type: None,
        document_number: None,
        addresses: vec![],
        language: None,
        blocked,
    };
    app.hear(customer_id, Some(company_id), version, &updated).await;
}

#[tokio::test]
async fn an_order_names_a_customer_of_its_own_company_or_none() {
    let app = app_beside(vec![]).await;
    let (shop, other) = (Shop::open(&app).await, Shop::open(&app).await);
    let own = hear_customer(&app, shop.merchant.company).await;
    let foreign = hear_customer(&app, other.merchant.company).await;
    for customer in [CustomerId::new(), foreign] {
        let refused = shop.try_place(json!({"customer_id": customer})).await;
        assert_eq!(
            refused.expect_problem(422, "UNKNOWN_CUSTOMER").json()["errors"][0]["pointer"],
            "/customer_id"
        );
    }
    let id = shop.place(json!({"customer_id": own})).await;
    assert_eq!(shop.get(id).await["customer_id"], json!(own));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn who_was_created_a_moment_ago_is_asked_for_and_waited_for_while_customer_is_away() {
    let ana = CustomerId::new();
    let app = app_beside(vec![ana]).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({"customer_id": ana})).await;
    assert_eq!(shop.get(id).await["customer_id"], json!(ana));

    let away = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&away).await;
    let refused = shop.try_place(json!({"customer_id": ana})).await;
    refused.expect_problem(503, "DEPENDENCY_UNAVAILABLE");
    let known = hear_customer(&away, shop.merchant.company).await;
    shop.place(json!({"customer_id": known})).await;
}

#[tokio::test]
async fn nothing_is_ordered_for_a_blocked_customer_until_that_ends() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let ana = hear_customer(&app, shop.merchant.company).await;
    let of_ana = || json!({"customer_id": ana});
    let before = shop.place(of_ana()).await;
    hear_blocked(&app, (shop.merchant.company, ana), 2, true).await;
    shop.try_place(of_ana()).await.expect_problem(409, "CUSTOMER_BLOCKED");
    let quote = shop.merchant.post("/api/v1/orders/quote", shop.order(of_ana())).await;
    quote.expect_problem(409, "CUSTOMER_BLOCKED");
    assert_eq!((shop.status(before).await.as_str(), shop.stock().await), ("confirmed", (100, 2, 98)));
    hear_blocked(&app, (shop.merchant.company, ana), 3, false).await;
    shop.place(of_ana()).await;
    shop.assert_sound(before).await;
}

#[tokio::test]
async fn a_row_of_a_blocked_customer_is_rejected() {
    let ana = CustomerId::new();
    let upsert = post(async move || -> Json<Value> { Json(json!({"customer_id": ana})) });
    let url = serve(Router::new().route("/internal/customers/upsert", upsert)).await;
    let app = TestApp::start_with(quenty_order::service(), options(url)).await;
    let merchant = merchant(&app).await;
    hear_blocked(&app, (merchant.company, ana), 1, true).await;
    let of_ana = row("#1").replace(",,paid,", ",ana@example.com,paid,");
    let done = import(&merchant, "stock=assume", file(&format!("{of_ana}{}", row("#2")))).await;
    assert_eq!(counts(&done), [2, 1, 0, 1], "{done:#}");
    let path = format!("/api/v1/imports/{}/errors", done["id"].as_str().unwrap());
    let told = merchant.get(&path).await.expect(200).text();
    assert!(told.contains("CUSTOMER_BLOCKED"), "{told}");
    app.assert_sound().await;
}
