//! A process that waits for its database lives, says so, and serves once it is there.

use http::Method;
use quenty_platform::client::Transport;
use quenty_testkit::http::Call;
use tokio::net::TcpListener;

use crate::{proxy::Proxy, tally::TALLY, world::World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_without_its_database_is_alive_and_not_ready() {
    let mut world = World::local().await;
    let (mut cable, url) = Proxy::before(&world.plan.database_urls[TALLY]).await;
    world.plan.database_urls.insert(TALLY.to_owned(), url);
    cable.cut().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    let get = |path: &str| Call::new(Transport::default(), Method::GET, format!("http://{address}{path}"));
    let looking = async {
        get("/health/live").send().await.expect(200);
        let refused = get("/health/ready").send().await;
        assert_eq!(refused.header("retry-after"), Some("1"));
        refused.expect_problem(503, "STARTING");
        cable.restore().await;
    };
    let (node, ()) = tokio::join!(world.start_at(listener, TALLY), looking);

    get("/openapi.json").send().await.expect(200);
    world.finish([node]).await;
}
