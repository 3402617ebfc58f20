//! The operator's route to a simulated clock. It exists only in a platform that was started as a simulation,
//! on loopback; elsewhere nothing answers there.

use axum::{Router, extract::State, routing::get};
use jiff::Timestamp;
use quenty_gateway::Upstream;
use quenty_platform::{Error, Result, http::Json};
use serde::Deserialize;
use serde_json::json;

use super::clock::Simulation;

const PATH: &str = "/api/v1/simulation/clock";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceIn {
    to: Timestamp,
}

pub(super) fn upstream(simulation: Simulation) -> Upstream {
    let router = Router::new()
        .route(PATH, get(read).post(advance))
        .route("/health/ready", get(ready))
        .with_state(simulation);
    let operation = |id: &str, summary: &str| {
        json!({
            "operationId": id, "summary": summary, "tags": ["simulation"],
            "security": [{"bearer": ["simulation:advance"]}],
            "responses": {"200": {"description": "The business time"}},
        })
    };
    let mut post = operation(
        "advance_clock",
        "Move business time forward; returns when the platform has come to rest there.",
    );
    post["requestBody"] = json!({
        "required": true,
        "content": {"application/json": {"schema": {
            "type": "object", "required": ["to"], "additionalProperties": false,
            "properties": {"to": {"type": "string", "format": "date-time"}},
        }}},
    });
    let description = json!({"paths": {PATH: {"get": operation("read_clock", "Read business time."), "post": post}}, "tags": [{"name": "simulation"}]});
    Upstream::local("simulation", router, description)
}

fn told(simulation: &Simulation) -> Json<serde_json::Value> {
    Json(json!({"now": simulation.now(), "stands_still": simulation.stands_still()}))
}

async fn ready() -> Json<serde_json::Value> {
    Json(json!({"service": "simulation", "status": "ready", "checks": []}))
}

async fn read(State(simulation): State<Simulation>) -> Json<serde_json::Value> {
    told(&simulation)
}

async fn advance(
    State(simulation): State<Simulation>,
    Json(input): Json<AdvanceIn>,
) -> Result<Json<serde_json::Value>> {
    simulation.advance_to(input.to).await.map_err(Error::internal)?;
    Ok(told(&simulation))
}
