//! Services that find each other in Consul's register, on a real agent.

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt, sync::Arc, thread, time::Duration};

use quenty_platform::{
    client::Transport,
    discovery::Discovery,
    settings::{CHASSIS, Setting, Settings},
};
use quenty_testkit::{
    TestOptions,
    app::TestApp,
    consul::{self, ConsulAgent},
    scratch_dir::ScratchDir,
    wait::eventually_within,
};
use tokio::{sync::oneshot, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::probe::{Tries, start_with};

/// More than an entry may be old, and a question of Consul's stays open.
const LIMIT: Duration = Duration::from_secs(60);

/// The probe, as other services know it.
const PLACES: &[Setting] = &[Setting::of_service("probe_url", "http://127.0.0.1:9")];

struct Follower {
    discovery: Discovery,
    stop: CancellationToken,
    _following: JoinSet<()>,
}

impl Follower {
    fn start(agent: &ConsulAgent, token: &str) -> Self {
        let settings = Settings::load(&[PLACES, CHASSIS], None, std::iter::empty()).expect("defaults");
        let settings = settings.with("consul_url", agent.url()).with("consul_token", token);
        let discovery = Discovery::from_settings(&settings, &Transport::default());
        let stop = CancellationToken::new();
        let mut following = JoinSet::new();
        following.spawn(discovery.clone().follow(stop.clone()));
        Self { discovery, stop, _following: following }
    }

    async fn until(&self, what: &str, wanted: &[&String]) {
        let wanted: BTreeSet<String> = wanted.iter().copied().cloned().collect();
        eventually_within(LIMIT, what, || async { (self.known() == wanted).then_some(()) }).await;
    }

    fn known(&self) -> BTreeSet<String> {
        (0..8).filter_map(|_| self.discovery.next("probe")).collect()
    }
}

async fn instance(agent: &ConsulAgent, token: &str) -> TestApp {
    let settings = vec![("consul_url", agent.url()), ("consul_token", token.to_owned())];
    start_with(&Tries::default(), TestOptions { settings, ..TestOptions::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_are_found_when_they_come_and_not_when_they_have_gone() {
    let folder = ScratchDir::new("quenty-consul").expect("a folder");
    let Some(mut agent) = consul::start(folder.path()).await.expect("an agent") else { return };
    let mode = std::fs::metadata(folder.path()).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "its token is private");
    let token = consul::token(&agent).await.expect("a token");
    let follower = Follower::start(&agent, &token);
    assert_eq!(follower.known(), ["http://127.0.0.1:9".to_owned()].into(), "what the settings say");

    let one = instance(&agent, &token).await;
    follower.until("the first is found", &[&one.base_url]).await;
    let other = instance(&agent, &token).await;
    follower.until("both take turns", &[&one.base_url, &other.base_url]).await;
    let registered = follower.discovery.registered("probe").await.expect("a register");
    assert_eq!(registered.expect("it answers").len(), 2);
    other.stop().await;
    follower.until("the one that ended in order is gone", &[&one.base_url]).await;

    agent.kill().await.expect("it ends");
    assert_eq!(follower.known().len(), 1, "what was known stays");
    agent.launch().await.expect("it is back, and knows nothing");
    // Tokens are gone with it: these are the ones that the agent has now.
    let token = consul::token(&agent).await.expect("a token");
    let late = Follower::start(&agent, &token);
    let third = instance(&agent, &token).await;
    late.until("a new one is found by who has a token", &[&third.base_url]).await;
    let watched = follower.discovery.instances("probe").expect("a service that is known");
    assert_eq!(watched.borrow().len(), 1, "who is refused keeps what was known");
    follower.stop.cancel();
    late.stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_is_passed_over() {
    let folder = ScratchDir::new("quenty-consul").expect("a folder");
    let Some(agent) = consul::start(folder.path()).await.expect("an agent") else { return };
    let token = consul::token(&agent).await.expect("a token");
    let follower = Follower::start(&agent, &token);
    let agent = Arc::new(agent);
    let living = instance(&agent, &token).await;

    // A process whose runtime stands still: nothing drives it while its thread waits.
    let (tell, told) = oneshot::channel();
    let (hang, registered) = oneshot::channel::<()>();
    let (go_on, hung) = std::sync::mpsc::channel::<()>();
    let (same, secret) = (Arc::clone(&agent), token.clone());
    let process = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let app = runtime.block_on(instance(&same, &secret));
        tell.send(app.base_url.clone()).expect("somebody listens");
        runtime.block_on(registered).expect("it is in the register");
        hung.recv().expect("it goes on");
        runtime.block_on(app.stop());
    });
    let hanging = told.await.expect("its address");
    follower.until("both are found", &[&living.base_url, &hanging]).await;
    hang.send(()).expect("it listens");
    follower.until("the one that hangs is passed over", &[&living.base_url]).await;
    go_on.send(()).expect("it waits");
    process.join().expect("it ends in order");
    follower.stop.cancel();
}
