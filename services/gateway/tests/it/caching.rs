//! Answers that may be kept.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::IntoResponse,
    routing::{get, post},
};
use quenty_gateway::Upstream;
use quenty_kernel::id::{CompanyId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{http::Answer, keys, redis::RedisServer, scratch_dir::ScratchDir, wait::eventually};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::support::{Door, description, remote};

/// A service whose answers say how they may be kept, each telling how often it was asked.
struct Service {
    asked: Arc<AtomicUsize>,
    /// While it is, nobody is answered.
    is_held: watch::Sender<bool>,
    is_ill: Arc<AtomicBool>,
    door: Door,
}

impl Service {
    async fn open(said: &'static [(&'static str, &'static str)]) -> Self {
        Self::open_with(said, &[]).await
    }

    async fn open_with(said: &'static [(&'static str, &'static str)], settings: &[(&str, &str)]) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let (is_held, is_ill) = (watch::Sender::new(false), Arc::new(AtomicBool::new(false)));
        let (counter, mut held, ill) = (Arc::clone(&asked), is_held.subscribe(), Arc::clone(&is_ill));
        let handler = move |headers: HeaderMap| async move {
            let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
            held.wait_for(|held| !held).await.unwrap();
            if ill.load(Ordering::SeqCst) {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
            let etag = said.iter().find(|(name, _)| *name == "etag").map(|(_, etag)| *etag);
            let seen = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
            let mut told = HeaderMap::new();
            for (name, value) in said {
                told.insert(*name, value.parse().unwrap());
            }
            if etag.is_some() && seen == etag {
                return (StatusCode::NOT_MODIFIED, told).into_response();
            }
            // Whoever asks meanwhile finds nothing yet.
            tokio::task::yield_now().await;
            (told, format!("answer {number}")).into_response()
        };
        // A change, of the group that it names; or one that is refused.
        let change = |uri: Uri| async move {
            match uri.query() {
                None => StatusCode::NO_CONTENT.into_response(),
                Some("refused") => {
                    (StatusCode::CONFLICT, [("cache-group-invalidation", "\"things\"")]).into_response()
                }
                Some(group) => {
                    let concerned = [("cache-group-invalidation", format!("\"none\", \"{group}\""))];
                    (StatusCode::NO_CONTENT, concerned).into_response()
                }
            }
        };
        let router = Router::new()
            .route("/api/v1/things", get(handler.clone()))
            .route("/api/v1/open", get(handler).post(change))
            .route("/api/v1/changes", post(change));
        let (secured, open) = (json!({"security": [{"bearer": []}]}), json!({"security": [{}]}));
        let paths = json!({
            "/api/v1/things": {"get": secured},
            "/api/v1/open": {"get": open, "post": open},
            "/api/v1/changes": {"post": open},
        });
        let upstream = Upstream::local("things", router, json!({"paths": paths}));
        let service = Self { asked, is_held, is_ill, door: Door::open(vec![upstream], settings).await };
        // The first answer of an operation shows whether its answers may be kept.
        for path in ["/api/v1/things", "/api/v1/open"] {
            service.get(&token(CompanyId::new()), path).await;
        }
        service.asked.store(0, Ordering::SeqCst);
        service
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn hold(&self, is_held: bool) {
        self.is_held.send_replace(is_held);
    }

    fn make_ill(&self, is_ill: bool) {
        self.is_ill.store(is_ill, Ordering::SeqCst);
    }

    async fn ask(&self) -> Answer {
        self.door.get("/api/v1/open").send().await
    }

    async fn change(&self, path: &str, status: u16) {
        self.door.call(Method::POST, path).send().await.expect(status);
    }

    async fn get(&self, token: &str, path: &str) -> String {
        self.door.get(path).token(token).send().await.expect(200).text()
    }
}

/// In whole seconds.
fn age(answer: &Answer) -> u64 {
    answer.header("age").map(|age| age.parse().unwrap()).unwrap_or_default()
}

fn token(company: CompanyId) -> String {
    keys::sign(&keys::claims(Realm::Company, UserId::new(), Some(company), &[]))
}

#[tokio::test]
async fn a_public_answer_is_kept_for_a_company_and_shown_to_no_other() {
    let service = Service::open(&[("cache-control", "public, max-age=60"), ("etag", "\"1\"")]).await;
    let (one, two) = (CompanyId::new(), CompanyId::new());
    assert_eq!(service.get(&token(one), "/api/v1/things").await, "answer 1");
    assert_eq!(service.get(&token(one), "/api/v1/things").await, "answer 1", "for everybody of the company");
    assert_eq!(service.get(&token(two), "/api/v1/things").await, "answer 2", "but for nobody else");
    assert_eq!(service.get(&token(one), "/api/v1/things?page=2").await, "answer 3");
    let kept = service.door.get("/api/v1/things").token(&token(one)).send().await.expect(200);
    assert!(kept.header("age").is_some());
    let same =
        service.door.get("/api/v1/things").token(&token(one)).header("if-none-match", "\"0\", W/\"1\"");
    let same = same.send().await.expect(304);
    assert_eq!((same.header("etag"), same.body.len(), service.asked()), (Some("\"1\""), 0, 3));
    // Who may not ask is not answered from what is kept.
    service.door.get("/api/v1/things").send().await.expect_problem(401, "NO_TOKEN");
    let renewed = service.door.get("/api/v1/things").token(&token(one)).header("cache-control", "no-cache");
    assert_eq!(
        (renewed.send().await.expect(200).text().as_str(), service.asked()),
        ("answer 1", 4),
        "it still held"
    );
}

#[tokio::test]
async fn what_may_not_be_kept_is_not() {
    for said in [
        &[("x-nothing", "said")][..],
        &[("cache-control", "max-age=60")],
        &[("cache-control", "private, max-age=60")],
        &[("cache-control", "public, no-store, max-age=60")],
        &[("cache-control", "public, max-age=0")],
        &[("cache-control", "public, max-age=60"), ("set-cookie", "a=b")],
        &[("cache-control", "public, max-age=60"), ("vary", "*")],
    ] {
        let service = Service::open(said).await;
        let token = token(CompanyId::new());
        assert_eq!(service.get(&token, "/api/v1/things").await, "answer 1");
        assert_eq!(service.get(&token, "/api/v1/things").await, "answer 2", "{said:?}");
    }
}

#[tokio::test]
async fn ways_of_asking_that_a_service_tells_apart_are_kept_apart() {
    let service =
        Service::open(&[("cache-control", "public, max-age=60"), ("vary", "accept-language")]).await;
    let ask =
        |language: &'static str| service.door.get("/api/v1/open").header("accept-language", language).send();
    assert_eq!(ask("es").await.text(), "answer 1");
    assert_eq!(ask("pt").await.text(), "answer 2");
    assert_eq!(ask("es").await.text(), "answer 1");
    assert_eq!(ask("pt").await.text(), "answer 2");
}

#[tokio::test]
async fn many_who_ask_for_what_is_stale_send_one_inward() {
    let service = Service::open(&[("cache-control", "public, s-maxage=1")]).await;
    let ask = || async { service.door.get("/api/v1/open").send().await.expect(200).text() };
    assert_eq!(ask().await, "answer 1");
    eventually("it is stale", || async { (ask().await != "answer 1").then_some(()) }).await;
    let before = service.asked();
    eventually("it is stale again", || async {
        let answers = futures_util::future::join_all((0..20).map(|_| ask())).await;
        let asked = service.asked() - before;
        assert!(asked <= 1, "{asked} were sent inward");
        (asked == 1).then_some(answers)
    })
    .await;
}

#[tokio::test]
async fn what_is_stale_is_shown_at_once_while_one_request_renews_it() {
    let service = Service::open(&[("cache-control", "public, max-age=1, stale-while-revalidate=60")]).await;
    assert_eq!(service.ask().await.expect(200).text(), "answer 1");
    service.hold(true);
    // Asked again and again: one that is a second old may still have been fresh when it was found.
    eventually("it is stale, and being renewed", || async {
        assert_eq!(service.ask().await.expect(200).text(), "answer 1");
        (service.asked() == 2).then_some(())
    })
    .await;
    for shown in futures_util::future::join_all((0..20).map(|_| service.ask())).await {
        assert!(age(&shown) >= 1);
        assert_eq!(shown.expect(200).text(), "answer 1");
    }
    assert_eq!(service.asked(), 2, "by one");
    // Who wants what is new waits for it.
    let (renewed, ()) =
        tokio::join!(service.door.get("/api/v1/open").header("cache-control", "no-cache").send(), async {
            service.hold(false)
        });
    assert_ne!(renewed.expect(200).text(), "answer 1");
    assert_ne!(service.ask().await.expect(200).text(), "answer 1");
}

#[tokio::test]
async fn what_is_stale_stands_in_for_a_failing_service_but_not_for_ever() {
    let service = Service::open(&[("cache-control", "public, max-age=1, stale-if-error=2")]).await;
    assert_eq!(service.ask().await.expect(200).text(), "answer 1");
    service.make_ill(true);
    eventually("it is stale", || async {
        let shown = service.ask().await.expect(200);
        assert_eq!(shown.text(), "answer 1");
        (age(&shown) >= 1).then_some(())
    })
    .await;
    assert!(service.asked() >= 2, "it is asked first");
    service.door.get("/api/v1/open").header("cache-control", "no-cache").send().await.expect(500);
    let last = eventually("its time is over", || async {
        let shown = service.ask().await;
        assert!(shown.status() == 500 || age(&shown) <= 3);
        (shown.status() == 500).then_some(shown)
    });
    last.await.expect(500);
    service.make_ill(false);
    assert_ne!(service.ask().await.expect(200).text(), "answer 1");
}

#[tokio::test]
async fn what_is_stale_stands_in_for_a_service_that_cannot_be_reached() {
    let stop = CancellationToken::new();
    let kept = || async { ([("cache-control", "public, max-age=1, stale-if-error=60")], "kept") };
    let router = Router::new().route("/api/v1/open", get(kept)).route("/api/v1/new", get(|| async { "new" }));
    let described = description(&[("get", "/api/v1/open"), ("get", "/api/v1/new")]);
    let service = remote("things", router, described, stop.clone()).await;
    let door = Door::open(vec![service], &[]).await;
    for _ in 0..2 {
        assert_eq!(door.get("/api/v1/open").send().await.expect(200).text(), "kept");
    }
    stop.cancel();
    eventually("it is away", || async {
        (door.get("/api/v1/new").send().await.status() == 503).then_some(())
    })
    .await;
    eventually("what is shown is stale", || async {
        let shown = door.get("/api/v1/open").send().await.expect(200);
        assert_eq!(shown.text(), "kept");
        (age(&shown) >= 1).then_some(())
    })
    .await;
}

const IN_A_GROUP: &[(&str, &str)] = &[
    ("cache-control", "public, max-age=3600, stale-if-error=60"),
    ("cache-groups", "\"others\", \"things\""),
];

#[tokio::test]
async fn what_a_change_concerns_is_shown_no_more() {
    let service = Service::open(IN_A_GROUP).await;
    let (one, two) = (token(CompanyId::new()), token(CompanyId::new()));
    let all = || async {
        let page = service.door.get("/api/v1/open?page=2").send().await.expect(200).text();
        let (one, two) =
            (service.get(&one, "/api/v1/things").await, service.get(&two, "/api/v1/things").await);
        [one, two, service.ask().await.expect(200).text(), page]
    };
    let first = all().await;
    for path in ["/api/v1/changes", "/api/v1/changes?unknown"] {
        service.change(path, 204).await;
    }
    service.change("/api/v1/changes?refused", 409).await;
    assert_eq!((all().await, service.asked()), (first.clone(), 4), "nothing has changed");

    service.change("/api/v1/changes?things", 204).await;
    let second = all().await;
    assert!(first.iter().zip(&second).all(|(before, after)| before != after), "{second:?}");
    assert_eq!((all().await, service.asked()), (second.clone(), 8), "and these are kept");

    // What is changed itself needs no group.
    service.change("/api/v1/open", 204).await;
    let third = all().await;
    let stayed: Vec<bool> = second.iter().zip(&third).map(|(before, after)| before == after).collect();
    assert_eq!(stayed, [true, true, false, false]);

    // Nor does it stand in for a service that cannot answer.
    service.change("/api/v1/changes?things", 204).await;
    service.make_ill(true);
    service.ask().await.expect(500);
}

#[tokio::test]
async fn what_was_asked_for_before_a_change_is_not_shown_after_it() {
    let service = Service::open(IN_A_GROUP).await;
    service.hold(true);
    let early = async { service.ask().await.expect(200).text() };
    let change = async {
        eventually("it is asked for", || async { (service.asked() == 1).then_some(()) }).await;
        service.change("/api/v1/changes?things", 204).await;
        service.hold(false);
    };
    assert_eq!(tokio::join!(early, change).0, "answer 1");
    for _ in 0..2 {
        assert_eq!(service.ask().await.expect(200).text(), "answer 2");
    }
}

#[tokio::test]
async fn what_a_change_concerns_is_shown_no_more_by_any_gateway_within_a_second() {
    let dir = ScratchDir::new("shared-purges").unwrap();
    let mut redis = RedisServer::start(dir.path(), &[("gateway", &["limits", "cache"])]).await.unwrap();
    let url = redis.url("gateway");
    let settings = [("redis_url", url.as_str())];
    let one = Service::open_with(IN_A_GROUP, &settings).await;
    let two = Service::open_with(IN_A_GROUP, &settings).await;
    for _ in 0..2 {
        assert_eq!(one.ask().await.expect(200).text(), "answer 1");
        assert_eq!(two.ask().await.expect(200).text(), "answer 1");
    }
    assert_eq!((one.asked(), two.asked()), (1, 0));
    one.change("/api/v1/changes?things", 204).await;
    let changed = Instant::now();
    eventually("the other one knows", || async {
        two.ask().await.expect(200);
        (two.asked() == 1).then_some(())
    })
    .await;
    let took = changed.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    one.ask().await.expect(200);
    one.change("/api/v1/changes?others", 204).await;
    let third = Service::open_with(IN_A_GROUP, &settings).await;
    third.ask().await.expect(200);
    assert_eq!(third.asked(), 1, "one that starts later does not show what was kept before");

    redis.kill().await.unwrap();
    two.ask().await.expect(200);
    let before = two.asked();
    one.change("/api/v1/changes?things", 204).await;
    redis.launch().await.unwrap();
    eventually("what could not be told is told", || async {
        one.ask().await.expect(200);
        two.ask().await.expect(200);
        (two.asked() > before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn gateways_share_what_is_stale_too() {
    let dir = ScratchDir::new("shared-stale").unwrap();
    let redis = RedisServer::start(dir.path(), &[("gateway", &["limits", "cache"])]).await.unwrap();
    let said = &[("cache-control", "public, max-age=1, stale-while-revalidate=60, stale-if-error=60")];
    let url = redis.url("gateway");
    let settings = [("redis_url", url.as_str())];
    let one = Service::open_with(said, &settings).await;
    let two = Service::open_with(said, &settings).await;
    assert_eq!(one.ask().await.expect(200).text(), "answer 1");
    one.hold(true);
    two.hold(true);
    eventually("it is stale", || async { (age(&one.ask().await.expect(200)) >= 1).then_some(()) }).await;
    let shown = two.ask().await.expect(200);
    assert!(age(&shown) >= 1, "it is as old as it is");
    assert_eq!(shown.text(), "answer 1");
    eventually("the second one asks, too", || async { (two.asked() == 1).then_some(()) }).await;
    // Asked again only when what the first one keeps then is stale.
    one.hold(false);
    eventually("it is renewed", || async {
        (one.ask().await.expect(200).text() != "answer 1").then_some(())
    })
    .await;
}

#[tokio::test]
async fn gateways_share_what_they_keep_and_each_keeps_its_own_while_redis_is_away() {
    let dir = ScratchDir::new("shared-cache").unwrap();
    let mut redis = RedisServer::start(dir.path(), &[("gateway", &["limits", "cache"])]).await.unwrap();
    let said = &[("cache-control", "public, max-age=60"), ("vary", "accept-language"), ("etag", "\"1\"")];
    let url = redis.url("gateway");
    let settings = [("redis_url", url.as_str())];
    let one = Service::open_with(said, &settings).await;
    let two = Service::open_with(said, &settings).await;
    let (company, other) = (CompanyId::new(), CompanyId::new());
    for _ in 0..2 {
        assert_eq!(one.get(&token(company), "/api/v1/things").await, "answer 1");
        assert_eq!(two.get(&token(company), "/api/v1/things").await, "answer 1");
    }
    assert_eq!((one.asked(), two.asked()), (1, 0), "one was asked for both");
    let kept = two.door.get("/api/v1/things").token(&token(company)).header("if-none-match", "\"1\"");
    assert!(kept.send().await.expect(304).header("age").is_some());
    let in_spanish = two.door.get("/api/v1/things").token(&token(company)).header("accept-language", "es");
    in_spanish.send().await.expect(200);
    two.get(&token(other), "/api/v1/things").await;
    assert_eq!((one.asked(), two.asked()), (1, 2), "what others ask, or otherwise, is another thing");

    redis.kill().await.unwrap();
    for _ in 0..2 {
        assert_eq!(one.get(&token(company), "/api/v1/things?page=2").await, "answer 2");
        assert_eq!(two.get(&token(company), "/api/v1/things?page=2").await, "answer 3");
    }
    assert_eq!((one.asked(), two.asked()), (2, 3), "each asked once");
}
