use quenty_contracts::customer::CustomerCreated;
use quenty_kernel::id::{CompanyId, CustomerId};
use quenty_testkit::TestApp;
use serde_json::json;

use crate::shop::Shop;

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

#[tokio::test]
async fn an_order_names_a_customer_of_its_own_company_or_none() {
    let app = TestApp::start(quenty_order::service()).await;
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
