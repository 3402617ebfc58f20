//! The end of a gateway: nobody who was let in is sent away.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, routing::get};
use quenty_gateway::Upstream;
use quenty_testkit::wait::eventually;
use tokio::sync::Semaphore;

use crate::support::{Door, description};

#[tokio::test]
async fn readiness_goes_first_and_running_requests_finish() {
    let (open, asked) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (waiting, counter) = (Arc::clone(&open), Arc::clone(&asked));
    let slow = move || async move {
        counter.fetch_add(1, Ordering::SeqCst);
        waiting.acquire().await.map(|_| "done").unwrap_or_default()
    };
    let router =
        Router::new().route("/api/v1/slow", get(slow)).route("/api/v1/quick", get(|| async { "quick" }));
    let described = description(&[("get", "/api/v1/slow"), ("get", "/api/v1/quick")]);
    let door = Door::open(vec![Upstream::local("things", router, described)], &[("drain_ms", "1500")]).await;
    let running = async { door.get("/api/v1/slow").send().await.expect(200).text() };
    let ending = async {
        eventually("it runs", || async { (asked.load(Ordering::SeqCst) == 1).then_some(()) }).await;
        door.stop();
        let told = eventually("it says that it ends", || async {
            let ready = door.get("/health/ready").send().await;
            (ready.status() == 503).then_some(ready.json())
        })
        .await;
        assert_eq!(told["status"], "draining");
        // Who has not noticed yet is still served.
        assert_eq!(door.get("/api/v1/quick").send().await.expect(200).text(), "quick");
        eventually("nobody new is let in", || async {
            door.get("/api/v1/quick").try_send().await.is_err().then_some(())
        })
        .await;
        open.add_permits(1);
    };
    assert_eq!(tokio::join!(running, ending).0, "done");
}
