//! Settings that processes share in Consul's store, on a real agent.

use std::time::Duration;

use quenty_platform::{
    client::Transport,
    settings::{CHASSIS, Setting, Settings, SettingsError},
    shared_settings::SharedSettings,
};
use quenty_testkit::{
    consul::{self, ConsulAgent},
    scratch_dir::ScratchDir,
    wait::eventually_within,
};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

const LIMIT: Duration = Duration::from_secs(30);
const PROBE: &[Setting] =
    &[Setting::new("quota", "how much").default("1").reloadable(), Setting::new("size", "how large")];

fn own(agent: &ConsulAgent, token: &str) -> Settings {
    let environment = [("QUENTY_REQUEST_TIMEOUT_MS".to_owned(), "7".to_owned())];
    let settings = Settings::load(&[CHASSIS, PROBE], None, environment.into_iter()).expect("they are known");
    settings.with("consul_url", agent.url()).with("consul_token", token)
}

fn shared(own: &Settings) -> SharedSettings {
    SharedSettings::of("probe", own.clone(), &Transport::default())
}

#[tokio::test]
async fn a_process_starts_with_what_is_shared_and_follows_it() {
    let folder = ScratchDir::new("quenty-consul").expect("a folder");
    let Some(mut agent) = consul::start(folder.path()).await.expect("an agent") else { return };
    let token = consul::token(&agent).await.expect("a token");
    let own = own(&agent, &token);
    assert_eq!(shared(&own).read().await.get("quota"), Some("1"), "an empty store says nothing");

    for (setting, value) in [
        ("quota", "2"),
        ("size", "2"),
        ("probe/size", "3"),
        ("other/quota", "9"),
        ("request_timeout_ms", "8"),
        ("client_secret", "hush"),
        ("no_such_setting", "1"),
    ] {
        agent.set(setting, Some(value)).await.expect("it is stored");
    }
    let at_start = shared(&own).read().await;
    let of = |key| at_start.get(key).map(str::to_owned);
    assert_eq!((of("quota"), of("size")), (Some("2".to_owned()), Some("3".to_owned())));
    assert_eq!(of("request_timeout_ms").as_deref(), Some("7"), "the environment counts more");
    assert_eq!(of("client_secret"), None, "no secrets from there");

    let (taken, seen) = watch::channel(String::new());
    let stop = CancellationToken::new();
    let take_over = move |settings: &Settings| {
        let quota: u32 = settings.parse("quota")?;
        taken.send_replace(quota.to_string());
        Ok::<_, SettingsError>(())
    };
    let mut following = JoinSet::new();
    following.spawn(shared(&own).follow(at_start, take_over, stop.clone()));
    let until = |wanted: &'static str| {
        let seen = seen.clone();
        eventually_within(LIMIT, wanted, move || {
            let seen = seen.borrow().clone();
            async move { (seen == wanted).then_some(()) }
        })
    };
    until("2").await;
    agent.set("quota", Some("no number")).await.expect("it is stored");
    agent.set("probe/quota", Some("4")).await.expect("it is stored");
    until("4").await;
    agent.set("probe/quota", None).await.expect("it is taken out");
    agent.set("quota", Some("5")).await.expect("it is stored");
    until("5").await;

    agent.kill().await.expect("it ends");
    agent.launch().await.expect("it is back, and knows nothing");
    assert_eq!(*seen.borrow(), "5", "what was set before stays");
    stop.cancel();
    following.join_all().await;
    agent.kill().await.expect("it ends");
    assert_eq!(shared(&own).read().await.get("quota"), Some("1"), "without an answer, what it has by itself");
}
