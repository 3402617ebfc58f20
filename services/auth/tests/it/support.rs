//! What all tests of Auth begin with.

use quenty_platform::token::Claims;
use quenty_testkit::{
    app::{TestApp, TestOptions},
    http::Answer,
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
    let mail_dir = std::env::temp_dir().join(format!("quenty-auth-mail-{}", quenty_kernel::id::new_uuid()));
    let settings = [
        ("auth_url", "{base_url}"),
        ("key_encryption_key", KEY),
        ("admin_password", ADMIN_PASSWORD),
        ("service_clients", r#"{"auth": "test", "order": "order-secret"}"#),
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
