//! A service behind the gateway: in this process or at a URL; both behave the same.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body};
use http_body_util::BodyExt;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use serde_json::Value;
use tower::ServiceExt;

/// The routes of the others do not wait longer for a service that hangs.
const DESCRIPTION_TIMEOUT: Duration = Duration::from_secs(2);

/// A service's OpenAPI document.
pub type Description = Arc<Value>;

/// Where requests for a service go.
#[derive(Clone)]
pub struct Upstream {
    pub name: &'static str,
    target: Target,
}

#[derive(Clone)]
enum Target {
    /// Called directly, without a socket.
    Local {
        router: Router,
        description: Description,
    },
    Remote {
        base_url: String,
    },
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(String);

impl Upstream {
    #[must_use]
    pub fn local(name: &'static str, router: Router, description: Value) -> Self {
        Self { name, target: Target::Local { router, description: Arc::new(description) } }
    }

    #[must_use]
    pub fn remote(name: &'static str, base_url: &str) -> Self {
        Self { name, target: Target::Remote { base_url: base_url.trim_end_matches('/').to_owned() } }
    }

    pub(crate) fn description(&self) -> Option<&Description> {
        match &self.target {
            Target::Local { description, .. } => Some(description),
            Target::Remote { .. } => None,
        }
    }

    /// Reads the description of a remote service; `None` when it is in this process or cannot be read now.
    pub(crate) async fn fetch_description(
        &self,
        client: &Client<HttpConnector, Body>,
    ) -> Option<Description> {
        if self.description().is_some() {
            return None;
        }
        tokio::time::timeout(DESCRIPTION_TIMEOUT, self.read_description(client)).await.ok().flatten()
    }

    async fn read_description(&self, client: &Client<HttpConnector, Body>) -> Option<Description> {
        let request = Request::get("/openapi.json").body(Body::empty()).ok()?;
        let response =
            self.send(client, request).await.ok().filter(|response| response.status().is_success())?;
        let body = response.into_body().collect().await.ok()?.to_bytes();
        serde_json::from_slice(&body).ok().map(Arc::new)
    }

    /// Sends a request whose URI is a path; the bodies stream both ways.
    pub(crate) async fn send(
        &self,
        client: &Client<HttpConnector, Body>,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Unreachable> {
        match &self.target {
            Target::Local { router, .. } => {
                router.clone().oneshot(request).await.map_err(|never| match never {})
            }
            Target::Remote { base_url } => {
                let uri = format!("{base_url}{}", request.uri())
                    .parse::<Uri>()
                    .map_err(|e| Unreachable(e.to_string()))?;
                *request.uri_mut() = uri;
                let response = client.request(request).await.map_err(|e| Unreachable(e.to_string()))?;
                Ok(response.map(Body::new))
            }
        }
    }
}
