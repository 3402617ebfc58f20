//! The Redis of the chassis, on a real server.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use quenty_platform::{
    redis::{Redis, RedisAway, Script, cmd},
    settings::Settings,
};
use quenty_testkit::{eventually, redis::RedisServer, scratch_dir::ScratchDir};

fn client(url: &str) -> Redis {
    let settings = Settings::load(&[quenty_platform::redis::SETTINGS], None, std::iter::empty());
    let settings = settings.expect("defaults").with("redis_url", url);
    Redis::from_settings(&settings).expect("a client").expect("a URL")
}

#[tokio::test]
async fn a_user_reaches_its_own_keys_only() {
    let folder = ScratchDir::new("quenty-redis").expect("a folder");
    let users: [(&str, &[&str]); 2] = [("one", &["quenty:one"]), ("other", &["quenty:other"])];
    let server = RedisServer::start(folder.path(), &users).await.expect("a server");
    let mode = std::fs::metadata(folder.path()).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "what it holds is private");
    let one = client(&server.url("one"));
    let set = |key: &str| cmd("SET").arg(key).arg(1).to_owned();
    one.ask::<()>(&set("quenty:one:x")).await.expect("its own key");
    let script = Script::new("return redis.call('GET', KEYS[1])");
    let read: i64 = one.run(&script.key("quenty:one:x")).await.expect("a script");
    assert_eq!(read, 1);
    for refused in [set("quenty:other:x"), cmd("FLUSHALL"), cmd("CONFIG").arg("GET").arg("*").to_owned()] {
        // One that has refused something is left alone for a moment.
        let error =
            client(&server.url("one")).ask::<()>(&refused).await.expect_err("not permitted").to_string();
        assert!(error.contains("permission"), "{error}");
    }
    let stranger = client(&server.url("one").replace("one:", "one:guessed"));
    assert!(stranger.ask::<()>(&set("quenty:one:x")).await.is_err());
}

#[tokio::test]
async fn nobody_waits_long_for_one_that_is_away_and_it_is_found_again() {
    let folder = ScratchDir::new("quenty-redis").expect("a folder");
    let users: [(&str, &[&str]); 1] = [("one", &["quenty:one"])];
    let mut server = RedisServer::start(folder.path(), &users).await.expect("a server");
    let redis = client(&server.url("one"));
    let ping = cmd("PING");
    redis.ask::<String>(&ping).await.expect("it is there");

    server.kill().await.expect("it ends");
    for _ in 0..5 {
        let asked = Instant::now();
        redis.ask::<String>(&ping).await.expect_err("it is away");
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    }
    // Once its pause is over one asks, and the others do not wait with it.
    let all = || futures_util::future::join_all((0..20).map(|_| redis.ask::<String>(&ping)));
    let asked = eventually("somebody asks again", || async {
        let left_alone = |answer: &Result<_, _>| matches!(answer, Err(RedisAway::LeftAlone));
        let asked = all().await.into_iter().filter(|answer| !left_alone(answer)).count();
        (asked > 0).then_some(asked)
    })
    .await;
    assert_eq!(asked, 1);
    server.launch().await.expect("it is back");
    eventually("it is found again", || async { redis.ask::<String>(&ping).await.ok() }).await;

    let before = server.process().expect("one that runs").pid();
    server.launch().await.expect("another one in its place");
    assert!(!Path::new(&format!("/proc/{before}")).exists(), "and not beside it");
    assert_eq!(server.process().expect("one that runs").exit_status(), None);
}
