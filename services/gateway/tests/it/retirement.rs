use axum::{Router, routing::get};
use quenty_gateway::Upstream;
use serde_json::json;

use crate::support::Door;

#[tokio::test]
async fn an_operation_that_goes_away_says_when_and_what_comes_instead() {
    let router = Router::new()
        .route("/api/v1/old", get(|| async { "old" }))
        .route("/api/v1/new", get(|| async { "new" }))
        .route("/api/v0/older", get(|| async { "older" }));
    let old = json!({"security": [{}], "deprecated": true, "x-deprecated-on": "2026-11-01", "x-sunset-on": "2027-05-01", "x-successor": "/api/v1/new"});
    let description = json!({"paths": {
        "/api/v1/old": {"get": old}, "/api/v1/new": {"get": {"security": [{}]}},
        "/api/v0/older": {"get": {"security": [{}], "deprecated": true, "x-sunset-on": "2026-12-31"}},
    }});
    let door = Door::open(vec![Upstream::local("things", router, description)], &[]).await;
    let answer = door.get("/api/v1/old").send().await.expect(200);
    assert_eq!(answer.header("deprecation"), Some("@1793491200"));
    assert_eq!(answer.header("sunset"), Some("Sat, 01 May 2027 00:00:00 GMT"));
    assert_eq!(answer.header("link"), Some("</api/v1/new>; rel=\"successor-version\""));
    let answer = door.get("/api/v1/new").send().await.expect(200);
    assert_eq!((answer.header("deprecation"), answer.header("sunset")), (None, None));
    let versions = door.get("/api/versions").send().await.expect(200).json();
    assert_eq!(
        versions["versions"],
        json!([
            {"version": "v0", "base_path": "/api/v0", "status": "deprecated", "sunset_on": "2026-12-31"},
            {"version": "v1", "base_path": "/api/v1", "status": "current", "sunset_on": null},
        ])
    );
}
