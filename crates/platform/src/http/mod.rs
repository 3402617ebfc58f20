//! The HTTP scaffold: one edge around every router, problem documents, authentication, idempotency,
//! answers, health, metrics and the OpenAPI document.

mod answer;
mod caller;
mod client_address;
pub(crate) mod edge;
mod endpoint;
mod extract;
mod form;
pub(crate) mod mtls;
mod openapi;
pub mod problem;
mod system;
mod upload;
mod wire;

pub use answer::Answer;
pub use caller::{AnyToken, Anyone, Call, Caller, Can, LoggedIn, Permission, bearer_token};
pub use client_address::client_address;
pub use edge::{DatabaseAway, REQUEST_ID, RunAgain, method_label};
pub use endpoint::Endpoint;
pub use extract::{IfMatch, Json, Path, Query, media_type};
pub use openapi::document;
pub(crate) use system::waiting;
pub use upload::{UPLOAD_TIMEOUT, Upload, is_upload};
pub use wire::nullable;

use axum::Router;
use utoipa::openapi::OpenApi;

use crate::{App, Service};

/// The service's router inside the edge.
pub fn router(app: &App) -> Router {
    let (router, _) = assemble(app.service());
    let edge = axum::middleware::from_fn_with_state(app.clone(), edge::edge);
    router
        .fallback(edge::not_found)
        .method_not_allowed_fallback(edge::method_not_allowed)
        .layer(edge)
        .with_state(app.clone())
}

/// Business routes, operator routes and the chassis's own, with the document that describes them.
fn assemble(service: &Service) -> (Router<App>, OpenApi) {
    let (business, mut api) =
        (service.routes)().merge(crate::operate::routes()).merge(crate::trail::routes()).split_for_parts();
    openapi::complete(&mut api, service);
    let served = std::sync::Arc::new(serde_json::to_string(&api).unwrap_or_default());
    (business.merge(system::routes(served)), api)
}
