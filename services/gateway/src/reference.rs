//! The reference for people and programs: the merged OpenAPI document, a page that shows it, the versions.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use hyper::{
    Response, StatusCode,
    header::{self, HeaderValue},
};
use quenty_kernel::{Failure, Kind};
use quenty_platform::http::problem;
use serde_json::json;
use utoipa_swagger_ui::Config;

use crate::{proxy, table::Table};

pub(crate) fn document(table: &Table) -> Response<Body> {
    proxy::json(StatusCode::OK, &table.merged)
}

pub(crate) fn versions() -> Response<Body> {
    proxy::json(
        StatusCode::OK,
        &json!({"versions": [{"version": "v1", "base_path": "/api/v1", "status": "current"}]}),
    )
}

/// Swagger UI, served from this binary: it works without the internet.
pub(crate) fn page(path: &str) -> Response<Body> {
    static CONFIG: OnceLock<Arc<Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| Arc::new(Config::from("/openapi.json")));
    if path == "/docs" {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/docs/"));
        return response;
    }
    match utoipa_swagger_ui::serve(path.trim_start_matches("/docs/"), Arc::clone(config)) {
        Ok(Some(file)) => {
            let mut response = Response::new(Body::from(file.bytes.into_owned()));
            if let Ok(kind) = HeaderValue::try_from(file.content_type) {
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            response
        }
        _ => problem::response(&Failure::new(
            Kind::NotFound,
            "NO_SUCH_ROUTE",
            "there is no such page; the reference begins at /docs/",
        )),
    }
}
