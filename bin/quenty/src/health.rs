//! What a process says of its health, whatever its status: a 503 tells most.

use std::time::Duration;

use axum::{body::Body, http::Request};
use quenty_platform::client::Transport;
use serde::Deserialize;

const TIMEOUT: Duration = Duration::from_secs(5);

/// The body of `/health`: of a service with its checks, of the gateway with its services.
#[derive(Debug, Clone, Deserialize)]
pub struct Health {
    pub service: String,
    pub status: String,
    #[serde(default)]
    pub checks: Option<Vec<Check>>,
    #[serde(default)]
    pub services: Vec<Health>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Check {
    pub name: String,
    pub ok: bool,
    pub detail: Option<String>,
}

impl Health {
    /// Whether it serves; what is degraded does.
    pub fn is_ready(&self) -> bool {
        matches!(self.status.as_str(), "ready" | "degraded")
    }

    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().flatten().find(|check| check.name == name)
    }

    /// What keeps it from being well, here and behind it.
    pub fn missing(&self) -> String {
        let own = self.checks.iter().flatten().filter(|check| !check.ok);
        let own = own.map(|check| check.detail.clone().unwrap_or_else(|| check.name.clone()));
        let behind = self.services.iter().filter(|service| !service.is_ready()).map(|service| {
            let missing = service.missing();
            let colon = if missing.is_empty() { "" } else { ": " };
            format!("{} is {}{colon}{missing}", service.service, service.status.replace('_', " "))
        });
        own.chain(behind).collect::<Vec<_>>().join("; ")
    }
}

/// # Errors
/// With the reason, when nothing that is a health document answers.
pub async fn read(transport: &Transport, url: &str) -> Result<Health, String> {
    let request = Request::get(url).body(Body::empty()).map_err(|error| format!("{url}: {error}"))?;
    let answer = transport.send(request, TIMEOUT).await.map_err(|error| error.to_string())?;
    serde_json::from_slice(answer.body())
        .map_err(|_| format!("what answers {} at {url} is no part of a platform", answer.status()))
}
