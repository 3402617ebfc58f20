//! What all tests of Auth begin with.

use quenty_platform::token::Claims;
use quenty_testkit::{
    app::{TestApp, TestOptions},
    http::Answer,
    scratch_dir::ScratchDir,
};
use serde_json::{Value, json};

pub const ADMIN: &str = "admin@quenty.local";
pub const ADMIN_PASSWORD: &str = "copper-lantern-orbit-88";
pub const PASSWORD: &str = "violet-anchor-river-42";
pub const KEY: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

/// Auth checking the tokens that it gives, with an administrator of a known password.
pub async fn start() -> TestApp {
    start_with(&[]).await
}

pub async fn start_with(more: &[(&'static str, &str)]) -> TestApp {
    TestApp::start_with(quenty_auth::service(), options(more)).await
}

pub fn options(more: &[(&'static str, &str)]) -> TestOptions {
    static MAILS: std::sync::OnceLock<ScratchDir> = std::sync::OnceLock::new();
    let mails = MAILS.get_or_init(|| ScratchDir::new("quenty-auth-mail").expect("a temporary folder"));
    let mail_dir = mails.path().join(quenty_kernel::id::new_uuid().to_string());
    let clients: serde_json::Map<_, _> =
        ["auth", "order", "gateway"].map(|name| (name.to_owned(), json!(secret(name)))).into_iter().collect();
    let clients = Value::Object(clients).to_string();
    let settings = [
        ("auth_url", "{base_url}"),
        ("key_encryption_key", KEY),
        ("admin_email", ADMIN),
        ("admin_password", ADMIN_PASSWORD),
        ("client_secret", &secret("auth")),
        ("service_clients", &clients),
        ("staff_mfa", "optional"),
    ];
    let mut settings: Vec<_> = settings.into_iter().map(|(key, value)| (key, value.to_owned())).collect();
    settings.push(("mail_dir", mail_dir.display().to_string()));
    settings.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
    TestOptions { settings, ..TestOptions::default() }
}

pub async fn login(app: &TestApp, name: &str, password: &str) -> Answer {
    login_from(app, "192.0.2.1", name, password).await
}

/// As [`login`], as if from an address: our gateway, on loopback, says which.
pub async fn login_from(app: &TestApp, address: &str, name: &str, password: &str) -> Answer {
    let body = json!({"username_or_email": name, "password": password});
    app.post("/api/v1/auth/login")
        .header("x-forwarded-for", address)
        .header("user-agent", "it")
        .json(&body)
        .send()
        .await
}

pub async fn admin_token(app: &TestApp) -> String {
    access_token(&login(app, ADMIN, ADMIN_PASSWORD).await.expect(200).json())
}

pub fn access_token(tokens: &Value) -> String {
    tokens["access_token"].as_str().expect("an access token").to_owned()
}

pub fn refresh_token(tokens: &Value) -> String {
    tokens["refresh_token"].as_str().expect("a refresh token").to_owned()
}

/// The claims of a token, checked as every service does.
pub async fn claims(app: &TestApp, tokens: &Value) -> Claims {
    let token = access_token(tokens);
    let claims = app.app.verifier().verify(&token).await.expect("the platform accepts the token");
    (*claims).clone()
}

/// The mails left for an address, oldest first.
pub async fn mails_to(app: &TestApp, address: &str) -> Vec<Value> {
    app.at_rest().await;
    let folder = app.app.settings().get("mail_dir").expect("a folder for mails").to_owned();
    let files = std::fs::read_dir(folder).expect("the folder exists");
    let mut mails: Vec<Value> = files
        .map(|file| {
            serde_json::from_slice(&std::fs::read(file.expect("a file").path()).expect("a readable mail"))
                .expect("a mail is JSON")
        })
        .filter(|mail: &Value| mail["to"] == address)
        .collect();
    mails.sort_by_key(|mail| mail["sent_at"].as_str().unwrap_or_default().to_owned());
    mails
}

/// The secret in a mail's link.
pub fn token_in(mail: &Value) -> String {
    mail["link"]
        .as_str()
        .and_then(|link| link.split_once("?token="))
        .expect("a link with a token")
        .1
        .to_owned()
}

/// Registers a person from an address of its own and verifies the e-mail address.
pub async fn member_of_nothing(app: &TestApp, email: &str) -> quenty_kernel::id::UserId {
    register_from(app, "203.0.113.9", email, None).await.expect(202);
    let mails = mails_to(app, email).await;
    let body = json!({"token": token_in(mails.last().expect("a mail")), "password": PASSWORD});
    app.post("/api/v1/auth/verify").json(&body).send().await.expect(204);
    let tokens = login(app, email, PASSWORD).await.expect(200).json();
    tokens["user_id"].as_str().expect("a user id").parse().expect("a user id")
}

pub async fn register_from(app: &TestApp, address: &str, email: &str, username: Option<&str>) -> Answer {
    let mut body = json!({"email": email, "given_name": "Ana", "family_name": "Gómez", "password": PASSWORD, "language": "es-CO"});
    if let Some(name) = username {
        body["username"] = json!(name);
    }
    app.post("/api/v1/auth/register").header("x-forwarded-for", address).json(&body).send().await
}

pub async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.post("/api/v1/auth/refresh").json(&json!({"refresh_token": token})).send().await
}

/// A standing as Customer tells it.
pub fn standing(
    company: quenty_kernel::id::CompanyId,
    status: &str,
    version: i64,
) -> quenty_contracts::customer::Standing {
    quenty_contracts::customer::Standing {
        company_id: company,
        version,
        status: status.to_owned(),
        may_order: status == "active",
        may_ship_internationally: false,
        currency: "COP".parse().expect("a currency"),
        time_zone: "America/Bogota".to_owned(),
        payment_terms_days: 0,
        credit_limit: None,
        trade_name: "Telas del Valle".to_owned(),
    }
}

/// Why the service does not start.
pub async fn refusal(starting: impl Future<Output = TestApp>) -> String {
    use futures_util::FutureExt;
    let outcome = std::panic::AssertUnwindSafe(starting).catch_unwind().await;
    let panic = outcome.err().expect("it does not start");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

/// Of a service, for as long as a test.
pub fn secret(client: &str) -> String {
    format!("the-secret-of-{client}-for-tests-on-loopback")
}

/// What a service calls its siblings with.
pub async fn service_token(app: &TestApp, client: &str) -> String {
    let body =
        json!({"grant_type": "client_credentials", "client_id": client, "client_secret": secret(client)});
    access_token(&app.post("/api/v1/auth/token").json(&body).send().await.expect(200).json())
}
