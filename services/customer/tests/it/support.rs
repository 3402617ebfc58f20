//! The people of these tests, and what they do again and again.

use std::sync::atomic::{AtomicU32, Ordering};

use quenty_contracts::auth::{UserActivated, UserRegistered};
use quenty_kernel::id::{CompanyId, SessionId, UserId};
use quenty_platform::token::{Claims, Realm};
use quenty_testkit::{TestApp, http::Answer, keys};
use serde_json::{Value, json};

pub(crate) async fn start() -> TestApp {
    TestApp::start(quenty_customer::service()).await
}

/// A staff member who holds what the role `admin` holds here.
pub(crate) fn admin(app: &TestApp) -> String {
    admin_named(app, UserId::new())
}

pub(crate) fn admin_named(app: &TestApp, user: UserId) -> String {
    app.token_of(user, Realm::Staff, None, &["companies:*", "kyc:*", "members:*", "users:*", "customers:*"])
}

/// A person without a company, who has logged in.
pub(crate) fn person(_: &TestApp, user: UserId) -> String {
    let session = Some(SessionId::new());
    keys::sign(&Claims { sid: session, ..keys::claims(Realm::User, user, None, &[]) })
}

/// A token for a company, new or known, of an owner who has logged in.
pub(crate) fn owner(_: &TestApp, company: CompanyId) -> String {
    let own = [
        "companies:read",
        "companies:update",
        "companies:submit",
        "companies:close",
        "kyc:submit",
        "members:*",
        "customers:*",
        "privacy:*",
    ];
    let session = Some(SessionId::new());
    keys::sign(&Claims { sid: session, ..keys::claims(Realm::Company, UserId::new(), Some(company), &own) })
}

/// The check digit of a Colombian NIT, written again after the tax authority's table, for numbers that the tests make.
fn nit(body: u32) -> String {
    const WEIGHTS: [u32; 9] = [41, 37, 29, 23, 19, 17, 13, 7, 3];
    let sum: u32 = body
        .to_string()
        .chars()
        .filter_map(|c| c.to_digit(10))
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let check = if sum % 11 < 2 { sum % 11 } else { 11 - sum % 11 };
    format!("{body}-{check}")
}

/// A NIT that no other company of the test has.
pub(crate) fn new_nit() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(900_000_001);
    nit(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn company_body(nit: &str) -> Value {
    json!({
        "kind": "business", "legal_name": "Café de los Andes S.A.S.", "trade_name": "Café Andes", "country": "CO",
        "document": {"type": "NIT", "number": nit}, "size": "medium", "categories": ["coffee"],
        "currency": "COP", "time_zone": "America/Bogota", "language": "es-CO",
        "origin": {"line1": "Calle 26 # 59-51", "city": "Bogotá", "country": "CO"},
    })
}

/// Sends until the service is not too busy: what a 503 asks of its client.
pub(crate) async fn insist<F: Future<Output = Answer>>(send: impl Fn() -> F) -> Answer {
    loop {
        let answer = send().await;
        if answer.status() != 503 {
            return answer;
        }
    }
}

/// A company just registered by `founder`.
pub(crate) async fn registered_by(app: &TestApp, founder: UserId) -> CompanyId {
    let answer = app
        .post("/api/v1/companies")
        .token(&person(app, founder))
        .json(&company_body(&new_nit()))
        .send()
        .await
        .expect(201);
    id_of(&answer.json())
}

pub(crate) async fn registered(app: &TestApp) -> CompanyId {
    registered_by(app, UserId::new()).await
}

pub(crate) async fn active(app: &TestApp) -> CompanyId {
    let company = registered(app).await;
    act(app, &owner(app, company), company, "submit").await.expect(200);
    act(app, &admin(app), company, "approve").await.expect(200);
    company
}

pub(crate) fn id_of<T: std::str::FromStr<Err: std::fmt::Debug>>(body: &Value) -> T {
    body["id"].as_str().expect("an id").parse().expect("an id of its type")
}

/// `POST /companies/{id}/{verb}` without a body.
pub(crate) async fn act(app: &TestApp, token: &str, company: CompanyId, verb: &str) -> Answer {
    app.post(&format!("/api/v1/companies/{company}/{verb}")).token(token).send().await
}

/// `POST /companies/{id}/{verb}` with a reason.
pub(crate) async fn act_because(app: &TestApp, token: &str, company: CompanyId, verb: &str) -> Answer {
    app.post(&format!("/api/v1/companies/{company}/{verb}"))
        .token(token)
        .json(&json!({"reason": "because"}))
        .send()
        .await
}

pub(crate) async fn company(app: &TestApp, id: CompanyId) -> Value {
    app.get(&format!("/api/v1/companies/{id}")).token(&admin(app)).send().await.expect(200).json()
}

pub(crate) async fn members(app: &TestApp, id: CompanyId) -> Vec<Value> {
    let answer =
        app.get(&format!("/api/v1/companies/{id}/members")).token(&admin(app)).send().await.expect(200);
    answer.json()["items"].as_array().expect("a list").clone()
}

/// Auth tells that a person registered.
pub(crate) async fn hear_registered(app: &TestApp, user_id: UserId, email: &str) {
    let event = UserRegistered {
        user_id,
        username: email.split('@').next().expect("a local part").to_owned(),
        email: email.parse().expect("an e-mail address"),
        given_name: "Ana".to_owned(),
        family_name: "Gómez".to_owned(),
        language: "es".to_owned(),
        roles: Vec::new(),
    };
    app.hear(user_id, None, 1, &event).await;
}

/// Auth tells that a person proved to own their address.
pub(crate) async fn hear_activated(app: &TestApp, user_id: UserId, email: &str) {
    app.hear(user_id, None, 2, &UserActivated { user_id, email: email.parse().expect("an e-mail address") })
        .await;
}

/// The types of an aggregate's facts, short: `company.approved`.
pub(crate) async fn kinds(app: &TestApp, stream: impl quenty_kernel::id::TypedId) -> Vec<String> {
    let short = |kind: &str| kind.trim_start_matches("quenty.customer.").trim_end_matches(".v1").to_owned();
    app.facts(stream).await.iter().map(|entry| short(&entry.kind)).collect()
}
