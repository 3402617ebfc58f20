use std::time::{Duration, Instant};

use jiff::SignedDuration;
use quenty_kernel::clock::wall_now;
use quenty_testkit::{app::TestApp, http::Answer};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::support::{
    PASSWORD, access_token, admin_token, login, login_from, member_of_nothing, refresh, refresh_token, start,
};

const ANA: &str = "ana@example.com";
/// Where the person and the strangers sit behind one address.
const SHARED: &str = "192.0.2.66";

async fn with_device(app: &TestApp, device: &str, password: &str) -> Answer {
    let body = json!({"username_or_email": ANA, "password": password, "device_token": device});
    app.post("/api/v1/auth/login").header("x-forwarded-for", SHARED).json(&body).send().await
}

fn device_of(tokens: &Value) -> String {
    tokens["device_token"].as_str().expect("a token of the device").to_owned()
}

async fn lock_out(app: &TestApp) {
    for _ in 0..5 {
        login_from(app, SHARED, ANA, "guess-guess-guess").await.expect(401);
    }
    login_from(app, SHARED, ANA, PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn strangers_keep_nobody_out_who_comes_with_a_known_device() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let device = device_of(&login_from(&app, SHARED, ANA, PASSWORD).await.expect(200).json());
    lock_out(&app).await;
    let stuffed = "insert into rate_limits values ('login-address:192.0.2.66', now(), 100) on conflict (bucket) do update set hits = 100";
    sqlx::query(stuffed).execute(app.app.db()).await.unwrap();
    let again = with_device(&app, &device, PASSWORD).await.expect(200).json();
    assert!(again.get("device_token").is_none(), "it is known already");
    with_device(&app, "no-such-device", PASSWORD).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    login_from(&app, SHARED, ANA, PASSWORD).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
}

#[tokio::test]
async fn strangers_keep_nobody_from_proving_the_password_in_a_session() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let token = access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
    lock_out(&app).await;
    let post = async |path: &str, body: Value| {
        app.post(path).token(&token).header("x-forwarded-for", SHARED).json(&body).send().await
    };
    let prove = json!({"current_password": PASSWORD});
    post("/api/v1/auth/reauthenticate", prove).await.expect(204);
    let change = json!({"current_password": PASSWORD, "password": "granite-willow-ember-73"});
    post("/api/v1/auth/password/change", change).await.expect(204);
}

#[tokio::test]
async fn a_stolen_device_is_locked_by_its_own_guesses_and_no_other_with_it() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let stolen = device_of(&login(&app, ANA, PASSWORD).await.expect(200).json());
    let other = device_of(&login(&app, ANA, PASSWORD).await.expect(200).json());
    for _ in 0..5 {
        with_device(&app, &stolen, "guess-guess-guess").await.expect(401);
    }
    with_device(&app, &stolen, PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    with_device(&app, &other, PASSWORD).await.expect(200);
    login_from(&app, SHARED, ANA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_device_is_known_for_its_own_user_and_until_the_password_is_reset() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    member_of_nothing(&app, "eve@example.com").await;
    let device = device_of(&login(&app, ANA, PASSWORD).await.expect(200).json());
    let of_eve = device_of(&login(&app, "eve@example.com", PASSWORD).await.expect(200).json());
    lock_out(&app).await;
    with_device(&app, &of_eve, PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    with_device(&app, &device, PASSWORD).await.expect(200);
    let kept: String = sqlx::query_scalar("select string_agg(d::text, '') from known_devices d")
        .fetch_one(app.app.db())
        .await
        .unwrap();
    assert!(!kept.contains(&device));
    app.post("/api/v1/auth/password/reset").json(&json!({"email": ANA})).send().await.expect(204);
    let token = crate::support::token_in(crate::support::mails_to(&app, ANA).await.last().unwrap());
    let confirm = json!({"token": token, "password": "granite-willow-ember-73"});
    app.post("/api/v1/auth/password/reset/confirm").json(&confirm).send().await.expect(204);
    let left: i64 = sqlx::query_scalar("select count(*) from known_devices d join users u on u.id = d.user_id where u.email_key = 'ana@example.com'")
        .fetch_one(app.app.db())
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn who_has_a_second_factor_is_never_locked_out() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let token = access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
    let begun = app.post("/api/v1/auth/mfa/totp").token(&token).send().await.expect(200).json();
    let secret = Secret::try_from_base32(begun["secret"].as_str().unwrap()).unwrap();
    let totp = Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
    let now = |skip: i64| u64::try_from((wall_now() + SignedDuration::from_secs(skip)).as_second()).unwrap();
    let code = json!({"code": totp.generate(now(0)).to_string()});
    app.post("/api/v1/auth/mfa/totp/confirm").token(&token).json(&code).send().await.expect(200);
    for _ in 0..6 {
        login_from(&app, SHARED, ANA, "guess-guess-guess").await.expect_problem(401, "INVALID_CREDENTIALS");
    }
    let failures: i32 =
        sqlx::query_scalar("select failures from lockouts").fetch_one(app.app.db()).await.unwrap();
    assert_eq!(failures, 5, "what comes while locked makes no wait longer");
    let asked = login_from(&app, SHARED, ANA, PASSWORD).await.expect(200).json();
    let verify = json!({"mfa_token": asked["mfa_token"], "code": totp.generate(now(30)).to_string()});
    let tokens = app.post("/api/v1/auth/mfa/verify").json(&verify).send().await.expect(200).json();
    refresh(&app, &refresh_token(&tokens)).await.expect(200);
}

#[tokio::test]
async fn staff_let_a_locked_out_person_in_again() {
    let app = start().await;
    let (user, admin) = (member_of_nothing(&app, ANA).await, admin_token(&app).await);
    lock_out(&app).await;
    let path = format!("/api/v1/admin/users/{user}/unlock");
    let ana = access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
    app.post(&path).token(&ana).send().await.expect_problem(403, "NOT_PERMITTED");
    app.post(&path).token(&admin).send().await.expect(204);
    login_from(&app, SHARED, ANA, PASSWORD).await.expect(200);
    let by = "select actor from quenty.journal where data ->> 'operation' = 'unlock_user'";
    let by: String = sqlx::query_scalar(by).fetch_one(app.app.db()).await.unwrap();
    assert!(by.starts_with("user:") && by != format!("user:{user}"), "{by}");
}

#[tokio::test]
async fn an_account_that_many_addresses_try_is_slowed_down_and_refused_to_nobody() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    login(&app, ANA, "guess-guess-guess").await.expect(401);
    sqlx::query("update rate_limits set hits = 100 where bucket like 'login-account:%'")
        .execute(app.app.db())
        .await
        .unwrap();
    let begun = Instant::now();
    login(&app, ANA, PASSWORD).await.expect(200);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn none_of_the_last_five_passwords_comes_back_and_the_one_before_may() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let token = access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
    let change = async |from: &str, to: &str| {
        let body = json!({"current_password": from, "password": to});
        app.post("/api/v1/auth/password/change").token(&token).json(&body).send().await
    };
    let others = [
        "granite-willow-ember-73",
        "basalt-meadow-quartz-51",
        "saffron-glacier-piano-19",
        "turbine-orchid-velvet-64",
    ];
    let mut current = PASSWORD;
    for next in others {
        change(current, next).await.expect(204);
        current = next;
    }
    change(current, PASSWORD).await.expect_problem(422, "WEAK_PASSWORD");
    change(current, "harbor-cinnamon-zephyr-37").await.expect(204);
    change("harbor-cinnamon-zephyr-37", others[0]).await.expect_problem(422, "WEAK_PASSWORD");
    change("harbor-cinnamon-zephyr-37", PASSWORD).await.expect(204);
}
