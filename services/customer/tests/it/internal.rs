use futures_util::future::join_all;
use quenty_contracts::customer::{Membership, Standing};
use quenty_kernel::id::{CompanyId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, keys::service_token};
use serde_json::{Value, json};

use crate::support::{active, insist, kinds, owner, registered_by, start};

async fn upsert(app: &TestApp, body: &Value) -> Value {
    let token = service_token("order", &["internal.customers:write"]);
    let answer = insist(|| app.post("/internal/customers/upsert").token(&token).json(body).send()).await;
    answer.expect(200).json()["customer_id"].clone()
}

#[tokio::test]
async fn a_service_reads_the_standing_that_the_last_fact_told() {
    let app = start().await;
    let id = active(&app).await;
    let token = service_token("order", &["internal.companies:read"]);
    let standing: Standing =
        app.get(&format!("/internal/companies/{id}/standing")).token(&token).send().await.expect(200).read();
    assert_eq!((standing.status.as_str(), standing.may_order, standing.version), ("active", true, 3));
    let told = app.facts(id).await.pop().unwrap();
    assert_eq!(serde_json::from_value::<Standing>(told.data["standing"].clone()).unwrap(), standing);
    app.get(&format!("/internal/companies/{}/standing", CompanyId::new()))
        .token(&token)
        .send()
        .await
        .expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_service_asks_whether_a_company_has_a_customer() {
    let app = start().await;
    let company = CompanyId::new();
    let ana = upsert(&app, &json!({"company_id": company, "name": "Ana", "email": "ana@example.com"})).await;
    let token = service_token("order", &["internal.customers:read"]);
    let ask = async |company: CompanyId| {
        let path = format!("/internal/companies/{company}/customers/{}", ana.as_str().unwrap());
        app.get(&path).token(&token).send().await
    };
    assert_eq!(ask(company).await.expect(200).json()["customer_id"], ana);
    ask(CompanyId::new()).await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn no_person_reaches_internal_operations_by_a_wildcard() {
    let app = start().await;
    let id = active(&app).await;
    let everything = app.token(Realm::Staff, None, &["*"]);
    app.get(&format!("/internal/companies/{id}/standing"))
        .token(&everything)
        .send()
        .await
        .expect_problem(403, "NOT_PERMITTED");
}

#[tokio::test]
async fn a_service_reads_whose_companies_a_user_is_in() {
    let app = start().await;
    let user = UserId::new();
    let (one, two) = (registered_by(&app, user).await, registered_by(&app, user).await);
    let token = service_token("auth", &["internal.memberships:read"]);
    let of = async |user: UserId| {
        app.get(&format!("/internal/users/{user}/memberships"))
            .token(&token)
            .send()
            .await
            .expect(200)
            .read::<Vec<Membership>>()
    };
    let found = of(user).await;
    assert_eq!(
        found.iter().map(|m| (m.company_id, m.role.as_str())).collect::<Vec<_>>(),
        [(one, "owner"), (two, "owner")]
    );
    assert!(of(UserId::new()).await.is_empty());
}

#[tokio::test]
async fn an_import_finds_its_customer_again() {
    let app = start().await;
    let company = CompanyId::new();
    let address = json!({"line1": "Calle 26 # 59-51", "city": "Bogotá", "country": "CO"});
    let ana = json!({"company_id": company, "name": "Ana", "email": "ana@example.com", "external_key": "shop-1", "address": address});
    let made = upsert(&app, &ana).await;
    assert_eq!(upsert(&app, &ana).await, made);
    assert_eq!(
        upsert(&app, &json!({"company_id": company, "name": "A.", "email": "ANA@example.com"})).await,
        made,
        "by e-mail"
    );
    assert_eq!(
        upsert(&app, &json!({"company_id": company, "name": "A.", "external_key": "shop-1"})).await,
        made,
        "by external key"
    );
    assert_ne!(
        upsert(&app, &json!({"company_id": CompanyId::new(), "name": "Ana", "email": "ana@example.com"}))
            .await,
        made
    );
    let id = made.as_str().unwrap();
    let read = app
        .get(&format!("/api/v1/customers/{id}"))
        .token(&owner(&app, company))
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!((&read["name"], &read["addresses"][0]["default_shipping"]), (&json!("Ana"), &json!(true)));
}

#[tokio::test]
async fn twenty_imports_of_one_customer_at_once_make_one() {
    let app = start().await;
    let body = json!({"company_id": CompanyId::new(), "name": "Ana", "email": "ana@example.com"});
    let found = join_all((0..20).map(|_| upsert(&app, &body))).await;
    assert!(found.iter().all(|id| *id == found[0]), "{found:?}");
    let id: quenty_kernel::id::CustomerId = found[0].as_str().unwrap().parse().unwrap();
    assert_eq!(kinds(&app, id).await, ["customer.created"]);
}

#[tokio::test]
async fn an_imported_customer_needs_something_to_be_found_by() {
    let app = start().await;
    let token = service_token("order", &["internal.customers:write"]);
    let nobody = json!({"company_id": CompanyId::new(), "name": "Ana"});
    app.post("/internal/customers/upsert")
        .token(&token)
        .json(&nobody)
        .send()
        .await
        .expect_problem(422, "CUSTOMER_NOT_IDENTIFIABLE");
}
