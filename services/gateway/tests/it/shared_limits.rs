//! Two gateways before the same services, and the Redis that they share.

use axum::{Router, routing::get};
use hyper::Method;
use quenty_gateway::Upstream;
use quenty_kernel::id::{CompanyId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{keys, redis::RedisServer, scratch_dir::ScratchDir, wait::eventually};
use serde_json::json;

use crate::support::Door;

const PATH: &str = "/api/v1/things";

fn things() -> Upstream {
    let done = || async { ([("cache-control", "public, max-age=60")], "done") };
    let secured = json!([{"bearer": []}]);
    let paths = json!({PATH: {"get": {"security": secured}, "post": {"security": secured}}});
    Upstream::local("things", Router::new().route(PATH, get(done).post(done)), json!({"paths": paths}))
}

fn token() -> String {
    keys::sign(&keys::claims(Realm::Company, UserId::new(), Some(CompanyId::new()), &[]))
}

async fn redis(dir: &ScratchDir) -> RedisServer {
    RedisServer::start(dir.path(), &[("gateway", &["limits", "cache"])]).await.unwrap()
}

async fn door(redis: &RedisServer, more: &[(&str, &str)]) -> Door {
    let url = redis.url("gateway");
    let more: Vec<_> = more.iter().copied().chain([("redis_url", url.as_str())]).collect();
    Door::open(vec![things()], &more).await
}

/// How many of `sent` requests, by turns to each gateway, are let through.
async fn let_through(doors: &[&Door], method: &Method, token: &str, sent: usize) -> usize {
    let mut count = 0;
    for door in doors.iter().cycle().take(sent) {
        let answer = door.call(method.clone(), PATH).token(token).send().await;
        assert!(matches!(answer.status(), 200 | 429), "{}", answer.text());
        count += usize::from(answer.status() == 200);
    }
    count
}

#[tokio::test]
async fn changes_are_counted_exactly_over_all_gateways() {
    let dir = ScratchDir::new("shared-limits").unwrap();
    let redis = redis(&dir).await;
    let quota = [("limit_write", "10/3600")];
    let (one, two) = (door(&redis, &quota).await, door(&redis, &quota).await);
    let token = token();
    assert_eq!(let_through(&[&one, &two], &Method::POST, &token, 30).await, 10);
    let refused = two.call(Method::POST, PATH).token(&token).send().await.expect_problem(429, "RATE_LIMITED");
    let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((300..=360).contains(&wait), "{wait}");
    assert_eq!(let_through(&[&one], &Method::POST, &self::token(), 1).await, 1, "others are counted apart");
}

#[tokio::test]
async fn reads_draw_on_a_part_taken_beforehand_and_never_exceed_it() {
    let dir = ScratchDir::new("shared-leases").unwrap();
    let redis = redis(&dir).await;
    // Each takes four at a time.
    let quota = [("limit_read", "200/3600")];
    let (one, two) = (door(&redis, &quota).await, door(&redis, &quota).await);
    let count = let_through(&[&one, &two], &Method::GET, &token(), 300).await;
    assert!((190..=200).contains(&count), "what was taken beforehand was taken: {count}");
}

#[tokio::test]
async fn who_reads_much_at_once_takes_no_more_than_it_uses() {
    let dir = ScratchDir::new("shared-at-once").unwrap();
    let redis = redis(&dir).await;
    let door = door(&redis, &[("limit_read", "1000/3600")]).await;
    let token = token();
    let asked = (0..100).map(|_| door.get(PATH).token(&token).send());
    for answer in futures_util::future::join_all(asked).await {
        answer.expect(200);
    }
}

#[tokio::test]
async fn a_shorter_window_makes_nobody_wait_for_the_rest_of_a_longer_one() {
    let dir = ScratchDir::new("shared-window").unwrap();
    let redis = redis(&dir).await;
    let door = door(&redis, &[("limit_write", "2/3600")]).await;
    let token = token();
    assert_eq!(let_through(&[&door], &Method::POST, &token, 3).await, 2);
    door.reload("limit_write", "2/1").unwrap();
    eventually("it is let through again", || async {
        (let_through(&[&door], &Method::POST, &token, 1).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_keeps_no_answers_for_them_counts_for_them_all_the_same() {
    let dir = ScratchDir::new("shared-refused").unwrap();
    let redis = RedisServer::start(dir.path(), &[("gateway", &["limits"])]).await.unwrap();
    let quota = [("limit_write", "10/3600")];
    let (one, two) = (door(&redis, &quota).await, door(&redis, &quota).await);
    let token = token();
    // The first answer shows that it may be kept; the others are looked for in Redis, which refuses that.
    assert_eq!(let_through(&[&one, &two], &Method::GET, &token, 6).await, 6);
    assert_eq!(let_through(&[&one, &two], &Method::POST, &token, 30).await, 10);
}

#[tokio::test]
async fn while_redis_is_away_each_gateway_counts_for_itself() {
    let dir = ScratchDir::new("shared-away").unwrap();
    let mut redis = redis(&dir).await;
    let quota = [("limit_write", "10/3600")];
    let (one, two) = (door(&redis, &quota).await, door(&redis, &quota).await);
    redis.kill().await.unwrap();
    let token = token();
    assert_eq!(let_through(&[&one], &Method::POST, &token, 20).await, 10);
    assert_eq!(let_through(&[&two], &Method::POST, &token, 20).await, 10);
    redis.launch().await.unwrap();
    eventually("they share again", || async {
        let token = self::token();
        (let_through(&[&one, &two], &Method::POST, &token, 20).await == 10).then_some(())
    })
    .await;
}
