use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use quenty_gateway::Upstream;
use quenty_kernel::{
    Failure, Kind,
    id::{ApiKeyId, CompanyId, UserId},
};
use quenty_platform::{
    http::problem,
    token::{Claims, Realm},
};
use quenty_testkit::keys;
use serde_json::{Value, json};

use crate::support::Door;

const PATH: &str = "/api/v1/orders";

/// Auth, as far as keys go: one works.
#[derive(Clone, Default)]
struct Auth {
    asked: Arc<AtomicUsize>,
    is_away: Arc<AtomicBool>,
}

impl Auth {
    async fn exchange(self, headers: HeaderMap, Json(body): Json<Value>) -> Response {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(headers["authorization"].to_str().unwrap().starts_with("Bearer "), "the gateway's own token");
        assert_eq!(body["address"], "127.0.0.1");
        if self.is_away.load(Ordering::SeqCst) {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        if body["api_key"] != "qk_good" {
            return problem::response(&Failure::new(Kind::Unauthenticated, "INVALID_API_KEY", "no"));
        }
        let claims = Claims {
            client_id: ApiKeyId::new().to_string(),
            ..keys::claims(Realm::Company, UserId::new(), Some(CompanyId::new()), &["orders:read"])
        };
        Json(json!({"access_token": keys::sign(&claims), "token_type": "Bearer", "expires_in": 900}))
            .into_response()
    }

    async fn door(&self, more: &[(&str, &str)]) -> Door {
        let auth = self.clone();
        let exchange = post(move |headers, body| auth.exchange(headers, body));
        let router = keys::router().route("/internal/api-keys/exchange", exchange);
        let seen = |headers: HeaderMap| async move {
            let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned());
            Json(json!({"authorization": text("authorization"), "x-api-key": text("x-api-key")}))
        };
        let service = Router::new().route(PATH, get(seen).post(seen)).route("/api/v1/open", get(seen));
        let secured = |permission: &str| json!({"security": [{"bearer": [permission]}]});
        let paths = json!({
            PATH: {"get": secured("orders:read"), "post": secured("orders:create")},
            "/api/v1/open": {"get": {"security": [{}]}},
        });
        let upstream = Upstream::local("order", service, json!({"paths": paths}));
        Door::open_with_auth(vec![upstream], more, router).await
    }
}

#[tokio::test]
async fn a_key_is_exchanged_once_and_only_its_token_goes_inward() {
    let auth = Auth::default();
    let door = auth.door(&[]).await;
    let ask = || door.get(PATH).header("x-api-key", "qk_good").send();
    for answer in futures_util::future::join_all((0..10).map(|_| ask())).await {
        let seen = answer.expect(200).json();
        assert!(seen["authorization"].as_str().unwrap().starts_with("Bearer ey"), "{seen}");
        assert_eq!(seen["x-api-key"], json!(null));
    }
    assert_eq!(auth.asked.load(Ordering::SeqCst), 1);
    // What the key may not do, its token may not.
    let refused = door.call(hyper::Method::POST, PATH).header("x-api-key", "qk_good").send().await;
    refused.expect_problem(403, "NOT_PERMITTED");
    let open = door.get("/api/v1/open").header("x-api-key", "qk_good").send().await.expect(200).json();
    assert_eq!(open["x-api-key"], json!(null));
}

#[tokio::test]
async fn a_key_that_does_not_work_is_refused_and_not_asked_about_again_at_once() {
    let auth = Auth::default();
    let door = auth.door(&[]).await;
    for _ in 0..5 {
        let refused =
            door.get(PATH).header("x-api-key", "qk_bad").send().await.expect_problem(401, "INVALID_API_KEY");
        assert!(!refused.text().contains("qk_bad"));
    }
    assert_eq!(auth.asked.load(Ordering::SeqCst), 1);
    let both = door.get(PATH).header("x-api-key", "qk_good").token("a.b.c").send().await;
    both.expect_problem(400, "TWO_CREDENTIALS");
}

#[tokio::test]
async fn while_auth_is_away_known_keys_work_and_unknown_ones_wait() {
    let auth = Auth::default();
    let door = auth.door(&[]).await;
    door.get(PATH).header("x-api-key", "qk_good").send().await.expect(200);
    auth.is_away.store(true, Ordering::SeqCst);
    door.get(PATH).header("x-api-key", "qk_good").send().await.expect(200);
    door.get(PATH).header("x-api-key", "qk_other").send().await.expect_problem(503, "DEPENDENCY_UNAVAILABLE");
}

#[tokio::test]
async fn a_key_is_counted_by_itself() {
    let auth = Auth::default();
    let door = auth.door(&[("limit_read", "2/3600")]).await;
    let ask = || door.get(PATH).header("x-api-key", "qk_good").send();
    ask().await.expect(200);
    ask().await.expect(200);
    ask().await.expect_problem(429, "RATE_LIMITED");
}

#[tokio::test]
async fn who_tries_many_keys_is_stopped_before_auth_is_asked() {
    let auth = Auth::default();
    let door = auth.door(&[("limit_public", "4/3600")]).await;
    for number in 0..10 {
        let key = format!("qk_guess_{number}");
        let refused = door.get(PATH).header("x-api-key", &key).send().await;
        assert!(matches!(refused.status(), 401 | 429), "{}", refused.text());
    }
    // Each try costs two: that it is made, and that it fails.
    assert_eq!(auth.asked.load(Ordering::SeqCst), 2);
}
