//! The route table.

mod jwks;
mod login;
mod origin;
mod service_token;
mod tokens_out;

use quenty_platform::App;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(login::login))
        .routes(routes!(service_token::issue_service_token))
        .routes(routes!(jwks::get_jwks))
}
