//! What a process says of its health, whatever its status: a 503 tells most.

use std::time::Duration;

use axum::{body::Body, http::Request};
use quenty_platform::client::Transport;
use serde::Deserialize;
use serde_json::Value;

/// A process that waits for its database needs its time to say so.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The body of `/health`: of a service with its checks, of the gateway with its services.
#[derive(Debug, Clone, Deserialize)]
pub struct Health {
    /// Absent from a process that has not begun to serve: it answers with a problem.
    pub service: Option<String>,
    status: Value,
    detail: Option<String>,
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
    /// A problem has a number for its status.
    pub fn status(&self) -> String {
        self.status.as_str().unwrap_or("not_ready").replace('_', " ")
    }

    /// Whether it serves; what is degraded does.
    pub fn is_ready(&self) -> bool {
        matches!(self.status.as_str(), Some("ready" | "degraded"))
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
            let name = service.service.as_deref().unwrap_or("a service");
            format!("{name} is {}{colon}{missing}", service.status())
        });
        self.detail.clone().into_iter().chain(own).chain(behind).collect::<Vec<_>>().join("; ")
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(body: Value) -> Health {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_gateway_tells_what_is_missing_behind_it() {
        let health = of(json!({"service": "gateway", "status": "not_ready", "services": [
            {"service": "auth", "status": "ready", "checks": []},
            {"service": "order", "status": "not_ready", "checks": [{"name": "database", "ok": false, "detail": "away"}]},
            {"service": "pickup", "status": "unreachable", "latency_ms": 2},
        ]}));
        assert!(!health.is_ready());
        assert_eq!(health.missing(), "order is not ready: away; pickup is unreachable");
    }

    #[test]
    fn the_problem_of_a_process_that_only_begins_is_read_too() {
        let health = of(json!({"status": 503, "code": "STARTING", "detail": "it waits for its database"}));
        assert_eq!((health.is_ready(), health.missing().as_str()), (false, "it waits for its database"));
    }
}
