//! The reference for people and programs: the merged OpenAPI document, a page that shows it, the versions.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use axum::body::{Body, Bytes};
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{self, HeaderValue},
};
use quenty_kernel::{Failure, Kind};
use quenty_platform::http::problem;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use utoipa_swagger_ui::Config;

use crate::{
    cache::has_this,
    compression::{self, Coding},
    proxy, retirement,
    table::Table,
};

/// A document that is large, and the same for all who read it.
#[derive(Debug)]
pub(crate) struct Document {
    text: Bytes,
    etag: HeaderValue,
    /// In each coding, once somebody has wanted it.
    coded: [OnceCell<Option<Bytes>>; Coding::ALL.len()],
}

impl Document {
    pub(crate) fn new(text: String) -> Self {
        let etag = HeaderValue::try_from(format!("W/\"{:x}\"", Sha256::digest(&text)));
        let etag = etag.unwrap_or_else(|_| HeaderValue::from_static("*"));
        Self { text: text.into(), etag, coded: Default::default() }
    }

    /// Nothing of it to who has it already.
    async fn told_to(&self, asked: &HeaderMap) -> Response<Body> {
        let mut response = if has_this(asked, &self.etag) {
            proxy::json(StatusCode::NOT_MODIFIED, Bytes::new())
        } else {
            self.whole(Coding::wanted(asked)).await
        };
        response.headers_mut().insert(header::ETAG, self.etag.clone());
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    async fn whole(&self, coding: Option<Coding>) -> Response<Body> {
        if let Some(coding) = coding {
            let coded = compression::compressed(coding, self.text.clone());
            let coded = self.coded[coding as usize].get_or_init(|| async { coded.await.map(Bytes::from) });
            if let Some(coded) = coded.await {
                let mut response = proxy::json(StatusCode::OK, coded.clone());
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
                headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
                return response;
            }
        }
        proxy::json(StatusCode::OK, self.text.clone())
    }
}

pub(crate) async fn document(table: &Table, asked: &HeaderMap) -> Response<Body> {
    table.merged.told_to(asked).await
}

pub(crate) fn versions(table: &Table) -> Response<Body> {
    proxy::json(StatusCode::OK, table.versions.clone())
}

/// The versions that the paths of the merged document name. A version of which every operation goes away is
/// deprecated; it ends when the first of them does.
pub(crate) fn versions_in(paths: &Value) -> Value {
    let mut versions: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (path, item) in paths.as_object().into_iter().flatten() {
        let Some(version) = path.strip_prefix("/api/").and_then(|rest| rest.split('/').next()) else {
            continue;
        };
        versions.entry(version).or_default().extend(item.as_object().into_iter().flat_map(Map::values));
    }
    let told = versions.into_iter().map(|(version, operations)| {
        let is_deprecated = operations.iter().all(|operation| retirement::is_announced(operation));
        let sunset = operations.iter().filter_map(|operation| operation["x-sunset-on"].as_str()).min();
        json!({
            "version": version,
            "base_path": format!("/api/{version}"),
            "status": if is_deprecated { "deprecated" } else { "current" },
            "sunset_on": sunset.filter(|_| is_deprecated),
        })
    });
    json!({"versions": told.collect::<Vec<_>>()})
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
