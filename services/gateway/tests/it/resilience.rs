//! Services that fail, and what their clients notice of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper::Method;
use quenty_gateway::Upstream;
use quenty_kernel::{Failure, Kind, id::UserId};
use quenty_platform::{http::problem, token::Realm};
use quenty_testkit::{http::Call, keys, wait::eventually};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Door, description, serve};

const PATH: &str = "/api/v1/things";
/// For whoever has a token.
const MEMBERS: &str = "/api/v1/members/things";
/// Takes a file.
const FILE: &str = "/api/v1/things/file";

/// A process of a service, and how often it was asked.
struct Process {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Process {
    /// Answers the first, second … request as told by its number.
    async fn answering(answer: impl Fn(usize) -> Response + Clone + Send + Sync + 'static) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let handler = move || {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            std::future::ready(answer(number))
        };
        let mut described = description(&[("get", PATH), ("post", PATH), ("post", FILE)]);
        described["paths"][MEMBERS]["post"] = json!({"security": [{"bearer": []}]});
        described["paths"][FILE]["post"]["requestBody"] = json!({"content": {"text/csv": {}}});
        let router = Router::new()
            .route(PATH, get(handler.clone()).post(handler.clone()))
            .route(MEMBERS, post(handler))
            .route(FILE, post(async |file: Bytes| file))
            .route("/openapi.json", get(move || std::future::ready(axum::Json(described.clone()))));
        Self { url: serve(router, CancellationToken::new()).await, asked }
    }

    async fn well() -> Self {
        Self::answering(|_| "well".into_response()).await
    }

    async fn ill() -> Self {
        Self::answering(|_| StatusCode::SERVICE_UNAVAILABLE.into_response()).await
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn door(processes: &[&str], more: &[(&str, &str)]) -> Door {
    Door::open(vec![Upstream::remote("things", &processes.join(","))], more).await
}

/// A change that its service does once, however often it is asked for.
fn keyed(door: &Door, key: &str) -> Call {
    let token = keys::sign(&keys::claims(Realm::Staff, UserId::new(), None, &[]));
    door.call(Method::POST, MEMBERS).token(&token).idempotency_key(key)
}

/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn several_processes_share_the_work_and_a_busy_one_gets_less() {
    let (one, two) = (Process::well().await, Process::well().await);
    let both = door(&[&one.url, &two.url], &[]).await;
    for _ in 0..20 {
        both.get(PATH).send().await.expect(200);
    }
    assert_eq!((one.asked(), two.asked()), (10, 10));

    let closed = Arc::new(Semaphore::new(0));
    let waiting = Arc::clone(&closed);
    let hangs = move || async move { waiting.acquire().await.map(|_| "late").unwrap_or_default() };
    let described = description(&[("get", PATH)]);
    let router = Router::new()
        .route(PATH, get(hangs))
        .route("/openapi.json", get(move || std::future::ready(axum::Json(described.clone()))));
    let busy = serve(router, CancellationToken::new()).await;
    let door = door(&[&busy, &two.url], &[]).await;
    let first = async { door.get(PATH).send().await };
    let rest = async {
        let before = two.asked();
        // One of these hangs at the busy one, or the first did: all the others find the way around it.
        let asked = futures_util::future::join_all((0..20).map(|_| async {
            tokio::time::timeout(Duration::from_millis(1500), door.get(PATH).send()).await.is_ok()
        }));
        let answered = asked.await.into_iter().filter(|answered| *answered).count();
        closed.add_permits(100);
        assert!(answered >= 10 && two.asked() - before >= 10, "{answered}");
    };
    tokio::join!(first, rest).0.expect(200);
}

#[tokio::test]
async fn what_was_not_sent_is_sent_to_another_process() {
    let well = Process::well().await;
    let door = door(&[NOBODY, &well.url], &[]).await;
    for _ in 0..30 {
        door.call(Method::POST, PATH).send().await.expect(200);
    }
    assert_eq!(well.asked(), 30, "each once");
}

#[tokio::test]
async fn a_process_that_could_not_be_reached_is_passed_over_though_it_has_least_to_do() {
    let (begun, open) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (beginning, waiting) = (Arc::clone(&begun), Arc::clone(&open));
    let hangs = move || async move {
        beginning.add_permits(1);
        waiting.acquire().await.map(|_| "late").unwrap_or_default()
    };
    let described = description(&[("get", PATH), ("post", PATH)]);
    let router = Router::new()
        .route(PATH, get(hangs).post(async || "done"))
        .route("/openapi.json", get(move || std::future::ready(axum::Json(described.clone()))));
    let busy = serve(router, CancellationToken::new()).await;
    let door = door(&[NOBODY, &busy], &[]).await;
    let first = async { door.get(PATH).send().await };
    let second = async {
        drop(begun.acquire().await);
        door.call(Method::POST, PATH).send().await.expect(200);
        open.add_permits(1);
    };
    tokio::join!(first, second).0.expect(200);
}

#[tokio::test]
async fn a_reason_that_all_processes_share_leaves_none_of_them_alone() {
    let mut processes = Vec::new();
    for _ in 0..2 {
        let described = description(&[("get", PATH), ("post", PATH)]);
        let router = Router::new()
            .route(PATH, get(async || "read").post(async || StatusCode::SERVICE_UNAVAILABLE))
            .route("/openapi.json", get(move || std::future::ready(axum::Json(described.clone()))));
        processes.push(serve(router, CancellationToken::new()).await);
    }
    let door = door(&[&processes[0], &processes[1]], &[]).await;
    for _ in 0..12 {
        door.call(Method::POST, PATH).send().await.expect(503);
    }
    door.get(PATH).send().await.expect(200);
}

#[tokio::test]
async fn a_change_that_was_sent_and_broke_off_may_have_been_done() {
    let dying = Process::answering(|_| panic!("its connection breaks")).await;
    let door = door(&[&dying.url], &[]).await;
    let answer = door.call(Method::POST, PATH).send().await.expect_problem(502, "UPSTREAM_BROKE_OFF");
    assert_eq!((answer.header("retry-after"), dying.asked()), (None, 1));
    let answer = door.get(PATH).send().await.expect_problem(503, "UPSTREAM_UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_read_or_a_keyed_change_that_cannot_be_answered_is_asked_for_again() {
    let (ill, well) = (Process::ill().await, Process::well().await);
    let door = door(&[&ill.url, &well.url], &[]).await;
    for turn in 0..4 {
        door.get(PATH).send().await.expect(200);
        keyed(&door, &format!("key-{turn}")).send().await.expect(200);
    }
    assert!(ill.asked() >= 1 && ill.asked() <= 5, "after five failures it is left alone: {}", ill.asked());
}

#[tokio::test]
async fn a_service_that_says_when_to_come_again_is_taken_at_its_word() {
    let full = || {
        let failure = Failure::new(Kind::Unavailable, "DATABASE_UNAVAILABLE", "not now").retry_after(2);
        problem::response(&failure)
    };
    let alone = Process::answering(move |_| full()).await;
    let one = door(&[&alone.url], &[]).await;
    one.get(PATH).send().await.expect_problem(503, "DATABASE_UNAVAILABLE");
    assert_eq!(alone.asked(), 1);
    let (first, second) = (Process::answering(move |_| full()).await, Process::well().await);
    let two = door(&[&first.url, &second.url], &[]).await;
    two.get(PATH).send().await.expect(200);
    assert_eq!((first.asked(), second.asked()), (1, 1));
}

#[tokio::test]
async fn a_change_without_key_is_never_sent_twice() {
    let ill = Process::ill().await;
    let door = door(&[&ill.url], &[]).await;
    for sent in 1..=3 {
        door.call(Method::POST, PATH).send().await.expect(503);
        assert_eq!(ill.asked(), sent);
    }
}

#[tokio::test]
async fn a_strangers_key_is_nobodys() {
    let ill = Process::ill().await;
    let door = door(&[&ill.url], &[]).await;
    door.call(Method::POST, PATH).idempotency_key("key").send().await.expect(503);
    assert_eq!(ill.asked(), 1);
}

#[tokio::test]
async fn a_request_that_breaks_off_is_its_clients_fault() {
    let well = Process::well().await;
    let door = door(&[&well.url], &[]).await;
    let head = |method: &str, path: &str, length: &str| {
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n{length}\r\n\r\n")
    };
    let chunked = "transfer-encoding: chunked";
    // More often than a process may fail.
    for _ in 0..10 {
        for (method, path) in [("POST", FILE), ("POST", PATH), ("GET", PATH)] {
            let answer =
                door.raw(format!("{}3\r\na,b\r\nzz\r\n", head(method, path, chunked)).as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("UNREADABLE_BODY"), "{answer}");
        }
        let mut stream = door.connect().await;
        stream.write_all(format!("{}a,b", head("POST", FILE, "content-length: 9")).as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.is_empty() || answer.contains("UNREADABLE_BODY"), "{answer}");
    }
    door.get(PATH).send().await.expect(200);
    let sent = format!("{}3\r\na,b\r\n0\r\n\r\n", head("POST", FILE, chunked));
    assert!(door.raw(sent.as_bytes()).await.ends_with("a,b"));
}

#[tokio::test]
async fn nothing_is_sent_again_once_the_answer_has_begun() {
    let broken = Arc::new(Semaphore::new(0));
    let breaks = Arc::clone(&broken);
    let breaking = Process::answering(move |_| {
        let breaks = Arc::clone(&breaks);
        let begun = futures_util::stream::iter([Ok("begun")]);
        let error = futures_util::stream::once(async move {
            drop(breaks.acquire().await);
            Err(std::io::Error::other("it breaks"))
        });
        Body::from_stream(futures_util::StreamExt::chain(begun, error)).into_response()
    })
    .await;
    let door = door(&[&breaking.url], &[]).await;
    let mut stream = door.connect().await;
    stream.write_all(format!("GET {PATH} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let (mut seen, mut piece) = (String::new(), [0; 1024]);
    loop {
        let read = stream.read(&mut piece).await.unwrap_or_default();
        if read == 0 {
            break;
        }
        seen.push_str(&String::from_utf8_lossy(&piece[..read]));
        if seen.contains("begun") {
            broken.add_permits(1);
        }
    }
    assert!(seen.starts_with("HTTP/1.1 200") && !seen.ends_with("0\r\n\r\n"), "{seen}");
    assert_eq!(breaking.asked(), 1);
}

#[tokio::test]
async fn a_process_that_dies_in_the_middle_of_a_long_answer_is_made_up_for_by_another() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dying = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or_default();
            if String::from_utf8_lossy(&request[..read]).contains(PATH) {
                counter.fetch_add(1, Ordering::SeqCst);
                // Longer than a service may take to say that it cannot.
                tokio::time::sleep(Duration::from_millis(1500)).await;
            }
        }
    });
    let well = Process::well().await;
    let door = door(&[&dying, &well.url], &[]).await;
    for _ in 0..4 {
        assert_eq!(door.get(PATH).send().await.expect(200).text(), "well");
    }
    assert!(asked.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn retries_are_a_tenth_of_the_requests_at_most() {
    let ill = Process::ill().await;
    let door = door(&[&ill.url], &[]).await;
    let (requests, at_first) = (100, 10);
    for _ in 0..requests {
        door.get(PATH).send().await.expect(503);
    }
    let retries = ill.asked() - requests;
    assert!(retries >= at_first && retries <= at_first + requests / 10, "{retries}");
}

#[tokio::test]
async fn a_process_that_fails_again_and_again_is_left_alone_and_taken_back() {
    let coming_back = Process::answering(|number| {
        if number < 5 { StatusCode::BAD_GATEWAY.into_response() } else { "well again".into_response() }
    })
    .await;
    let door = door(&[&coming_back.url], &[]).await;
    let post = || door.call(Method::POST, PATH).send();
    for _ in 0..5 {
        post().await.expect(502);
    }
    let refused = post().await.expect_problem(503, "UPSTREAM_UNAVAILABLE");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(coming_back.asked(), 5, "it has its peace");
    eventually("it is tried again", || async { (post().await.status() == 200).then_some(()) }).await;
    post().await.expect(200);
}

#[tokio::test]
async fn a_process_is_taken_back_by_its_readiness_and_nobodys_request_is_the_trial() {
    let [asked, readiness, described] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let is_well = Arc::new(AtomicBool::new(false));
    let answering = |counter: &Arc<AtomicUsize>| {
        let (counter, is_well) = (Arc::clone(counter), Arc::clone(&is_well));
        move || {
            counter.fetch_add(1, Ordering::SeqCst);
            let is_well = is_well.load(Ordering::SeqCst);
            std::future::ready(if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
        }
    };
    let (counter, document) = (Arc::clone(&described), description(&[("get", PATH), ("post", PATH)]));
    let describing = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::ready(axum::Json(document.clone()))
    };
    let router = Router::new()
        .route(PATH, get(answering(&asked)).post(answering(&asked)))
        .route("/health/ready", get(answering(&readiness)))
        .route("/openapi.json", get(describing));
    let (ill, well) = (serve(router, CancellationToken::new()).await, Process::well().await);
    let things = Upstream::remote("things", &format!("{ill},{}", well.url));
    // While one service is away, the descriptions of all are read often.
    let door = Door::open(vec![things, Upstream::remote("away", NOBODY)], &[]).await;
    while asked.load(Ordering::SeqCst) < 5 {
        door.get(PATH).send().await.expect(200);
    }
    let after = |counter: &Arc<AtomicUsize>, more: usize| {
        let (counter, until) = (Arc::clone(counter), counter.load(Ordering::SeqCst) + more);
        eventually("it is asked again", move || {
            let is_over = counter.load(Ordering::SeqCst) >= until;
            async move { is_over.then_some(()) }
        })
    };
    tokio::join!(after(&described, 2), after(&readiness, 1));
    for _ in 0..10 {
        door.call(Method::POST, PATH).send().await.expect(200);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 5, "neither its description nor a request takes it back");
    is_well.store(true, Ordering::SeqCst);
    eventually("it is taken back", || async {
        door.call(Method::POST, PATH).send().await.expect(200);
        (asked.load(Ordering::SeqCst) > 5).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_service_with_all_it_can_do_is_given_no_more() {
    let open = Arc::new(Semaphore::new(0));
    let (waiting, asked) = (Arc::clone(&open), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&asked);
    let slow = move || async move {
        counter.fetch_add(1, Ordering::SeqCst);
        waiting.acquire().await.map(|_| "done").unwrap_or_default()
    };
    let service =
        Upstream::local("things", Router::new().route(PATH, get(slow)), description(&[("get", PATH)]));
    let door = Door::open(vec![service], &[("upstream_concurrency", "2")]).await;
    let working = async { tokio::join!(door.get(PATH).send(), door.get(PATH).send()) };
    let third = async {
        eventually("both are at work", || async { (asked.load(Ordering::SeqCst) == 2).then_some(()) }).await;
        let refused = door.get(PATH).send().await.expect_problem(503, "OVERLOADED");
        assert_eq!(refused.header("retry-after"), Some("1"));
        open.add_permits(10);
    };
    let ((first, second), ()) = tokio::join!(working, third);
    assert_eq!((first.status(), second.status()), (200, 200));
    door.get(PATH).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_overload_those_let_in_stay_fast_and_the_others_are_told_at_once() {
    // Eight at a time, each for so long: of two hundred who come together the last would wait for more than a second.
    let (workers, takes) = (Arc::new(Semaphore::new(8)), Duration::from_millis(50));
    let work = move || async move {
        let _worker = workers.acquire().await;
        tokio::time::sleep(takes).await;
        "done"
    };
    let service =
        Upstream::local("things", Router::new().route(PATH, get(work)), description(&[("get", PATH)]));
    let settings = [("overload_delay_ms", "100"), ("trusted_proxies", "127.0.0.0/8")];
    let door = Door::open(vec![service], &settings).await;
    for _ in 0..5 {
        door.get(PATH).send().await.expect(200);
    }
    let door = &door;
    // Each of another caller.
    let timed = |number: usize| async move {
        let begun = Instant::now();
        let answer = door.get(PATH).header("x-forwarded-for", &format!("192.0.2.{number}")).send().await;
        if answer.status() == 503 {
            assert_eq!((answer.code().as_str(), answer.header("retry-after")), ("OVERLOADED", Some("1")));
        }
        (answer.status(), begun.elapsed())
    };
    let half = takes * 200 / 8 / 2;
    eventually("nobody waits for long", || async {
        let answers = futures_util::future::join_all((0..200).map(timed)).await;
        let refused = answers.iter().filter(|(status, _)| *status == 503).count();
        assert!(refused <= 180, "so many may always run");
        (refused > 0 && answers.iter().all(|(_, took)| *took < half)).then_some(())
    })
    .await;
    for _ in 0..20 {
        door.get(PATH).send().await.expect(200);
    }
}

#[tokio::test]
async fn a_request_whose_first_try_still_runs_is_waited_for() {
    let running = Process::answering(|number| {
        let failure = Failure::conflict("IDEMPOTENCY_IN_PROGRESS", "still running").retry_after(1);
        if number < 1 { problem::response(&failure) } else { "the answer".into_response() }
    })
    .await;
    let door = door(&[&running.url], &[]).await;
    let answer = keyed(&door, "key").send().await.expect(200);
    assert_eq!((answer.text().as_str(), running.asked()), ("the answer", 2));
    let other = Process::answering(|_| problem::response(&Failure::conflict("SKU_TAKEN", "taken"))).await;
    let door = self::door(&[&other.url], &[]).await;
    keyed(&door, "key").send().await.expect_problem(409, "SKU_TAKEN");
}

#[tokio::test]
async fn a_service_is_told_how_long_its_answer_is_waited_for() {
    let told = |headers: HeaderMap| async move {
        headers
            .get_all("x-time-left-ms")
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(",")
    };
    let router = Router::new().route(PATH, get(told).post(told));
    let service = Upstream::local("things", router, description(&[("get", PATH), ("post", PATH)]));
    let door = Door::open(vec![service], &[("upstream_timeout_ms", "5000")]).await;
    // Whatever the client says of it: this operation takes no file.
    let no_file = door.call(Method::POST, PATH).raw("text/csv", "");
    for call in [door.get(PATH).header("x-time-left-ms", "99999999"), no_file] {
        let left = call.send().await.expect(200).text();
        assert!((4000..=5000).contains(&left.parse::<u64>().unwrap()), "{left}");
    }
}
