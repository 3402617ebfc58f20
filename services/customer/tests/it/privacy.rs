use quenty_contracts::{
    order::{OrdersErased, OrdersFound},
    pickup::PickupsErased,
    returns::{ReturnsErased, ReturnsFound},
    shipping::ShipmentsErased,
};
use quenty_kernel::{
    Event,
    id::{CompanyId, CustomerId, OrderId, PrivacyRequestId, ReturnId},
};
use quenty_platform::{journal, operate};
use quenty_testkit::{TestApp, mentions::mentions};
use serde_json::{Value, json};

use crate::support::{id_of, kinds, owner, start};

const WORDS: [&str; 5] = ["Ana Gómez", "ana@example.com", "573001234567", "1020304050", "Calle 26"];

struct Asked<'a> {
    app: &'a TestApp,
    company: CompanyId,
    customer: CustomerId,
    request: PrivacyRequestId,
    version: std::cell::Cell<i64>,
}

impl<'a> Asked<'a> {
    /// A customer whom somebody asks to erase.
    async fn of(app: &'a TestApp) -> Self {
        let company = CompanyId::new();
        let token = owner(app, company);
        let ana = json!({
            "kind": "individual", "name": "Ana Gómez", "email": "ana@example.com", "phone": "+573001234567",
            "document": {"country": "CO", "type": "CC", "number": "1.020.304.050"},
            "addresses": [{"address": {"line1": "Calle 26 # 59-51", "city": "Bogotá", "country": "CO"}}],
        });
        let created =
            app.post("/api/v1/customers").token(&token).idempotency_key("ana").json(&ana).send().await;
        let customer: CustomerId = id_of(&created.expect(201).json());
        let body = json!({"kind": "erase", "customer_id": customer});
        let asked = app.post("/api/v1/privacy-requests").token(&token).json(&body).send().await.expect(202);
        Self { app, company, customer, request: id_of(&asked.json()), version: std::cell::Cell::new(0) }
    }

    async fn read(&self) -> Value {
        let path = format!("/api/v1/privacy-requests/{}", self.request);
        self.app.get(&path).token(&owner(self.app, self.company)).send().await.expect(200).json()
    }

    async fn hear<E: Event>(&self, event: E) {
        self.version.set(self.version.get() + 1);
        self.app.hear(self.request, Some(self.company), self.version.get(), &event).await;
    }

    async fn orders(&self, all: &[OrderId], under_way: &[OrderId]) {
        let (request_id, company_id) = (self.request, self.company);
        let (order_ids, under_way) = (all.to_vec(), under_way.to_vec());
        self.hear(OrdersFound { request_id, company_id, order_ids, under_way }).await;
    }

    async fn returns(&self, all: &[ReturnId], under_way: &[ReturnId]) {
        let (request_id, company_id) = (self.request, self.company);
        let (return_ids, under_way) = (all.to_vec(), under_way.to_vec());
        self.hear(ReturnsFound { request_id, company_id, return_ids, under_way }).await;
    }

    async fn everybody_erased(&self, round: u32) {
        let (request_id, company_id, customer_id) = (self.request, self.company, self.customer);
        let (records, facts) = (2, 7);
        self.hear(OrdersErased { request_id, company_id, customer_id, round, records, facts }).await;
        self.hear(PickupsErased { request_id, company_id, customer_id, round, records, facts }).await;
        self.hear(ReturnsErased { request_id, company_id, customer_id, round, records, facts }).await;
        self.hear(ShipmentsErased { request_id, company_id, customer_id, round, records, facts }).await;
    }
}

#[tokio::test]
async fn a_customer_is_erased_once_nothing_is_under_way_and_completed_when_all_have_erased() {
    let app = start().await;
    let asked = Asked::of(&app).await;
    let (order, returned) = (OrderId::new(), ReturnId::new());
    assert_eq!(asked.read().await["waits_for_services"], json!(["order", "returns"]));
    asked.orders(&[order], &[order]).await;
    asked.returns(&[returned], &[]).await;
    let waiting = asked.read().await;
    assert_eq!((&waiting["status"], &waiting["waits_for_orders"]), (&json!("waiting"), &json!([order])));
    app.at_rest().await;
    assert_eq!(mentions(app.app.db(), &WORDS[..1]).await.len(), 3, "the row, its fact, its answer");

    asked.orders(&[order], &[]).await;
    let erasing = asked.read().await;
    assert_eq!(erasing["status"], "erasing");
    assert_eq!(erasing["waits_for_services"], json!(["order", "pickup", "returns", "shipping"]));
    assert_eq!(mentions(app.app.db(), &WORDS).await, Vec::<String>::new());
    let path = format!("/api/v1/customers/{}", asked.customer);
    let token = owner(&app, asked.company);
    let left = app.get(&path).token(&token).send().await.expect(200).json();
    assert_eq!(
        (&left["name"], &left["addresses"], &left["email"]),
        (&json!("erased"), &json!([]), &Value::Null)
    );
    let change = json!({"name": "Ana Gómez"});
    app.patch(&path).token(&token).json(&change).send().await.expect_problem(409, "CUSTOMER_ERASED");
    let again = json!({"kind": "erase", "customer_id": asked.customer});
    let refused = app.post("/api/v1/privacy-requests").token(&token).json(&again).send().await;
    let refused = refused.expect_problem(409, "PRIVACY_REQUEST_UNDER_WAY").json();
    assert_eq!(refused["privacy_request_id"], json!(asked.request));

    asked.everybody_erased(1).await;
    let completed = asked.read().await;
    assert_eq!(completed["status"], "completed");
    assert_eq!(completed["erased"]["pickup"], json!({"records": 2, "facts": 7}));
    let told = kinds(&app, asked.request).await;
    assert_eq!(told.iter().filter(|kind| *kind == "privacy.erasure_requested").count(), 1);
    assert_eq!(told.last().map(String::as_str), Some("privacy.completed"));
    assert!(asked.read().await["waits_for_services"].as_array().is_some_and(Vec::is_empty));
    // Who was erased may have become known again elsewhere: that can be asked once more.
    app.post("/api/v1/privacy-requests").token(&token).json(&again).send().await.expect(202);
    app.assert_sound().await;
}

#[tokio::test]
async fn only_the_own_companys_customers_are_erased_and_nothing_but_erasure_is_asked_for() {
    let app = start().await;
    let asked = Asked::of(&app).await;
    let stranger = owner(&app, CompanyId::new());
    let body = json!({"kind": "erase", "customer_id": asked.customer});
    app.post("/api/v1/privacy-requests")
        .token(&stranger)
        .json(&body)
        .send()
        .await
        .expect_problem(404, "NOT_FOUND");
    let path = format!("/api/v1/privacy-requests/{}", asked.request);
    app.get(&path).token(&stranger).send().await.expect_problem(404, "NOT_FOUND");
    let body = json!({"kind": "export", "customer_id": asked.customer});
    app.post("/api/v1/privacy-requests")
        .token(&owner(&app, asked.company))
        .json(&body)
        .send()
        .await
        .expect(422);
    let path = format!("/api/v1/privacy-requests?customer_id={}", asked.customer);
    let listed = app.get(&path).token(&owner(&app, asked.company)).send().await.expect(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn personal_data_that_went_without_a_fact_are_found() {
    let app = start().await;
    let asked = Asked::of(&app).await;
    let db = app.app.db();
    let whole = journal::verify(db).await.unwrap();
    assert!(whole.findings.is_empty(), "{whole:?}");
    sqlx::query("select quenty.erase_personal(jsonb_agg(jsonb_build_object('event_id', event_id, 'data', '{}'::jsonb))) from quenty.journal_personal")
        .execute(db)
        .await
        .unwrap();
    let findings = journal::verify(db).await.unwrap().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((&findings[0].stream, findings[0].stream_version), (&asked.customer.to_string(), 1));
    assert!(findings[0].what.contains("no erasure was recorded"), "{findings:?}");
    assert!(operate::dead_letters(db).await.unwrap().is_empty());
}
