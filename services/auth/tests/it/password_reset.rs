use quenty_contracts::customer::UserInvited;
use quenty_kernel::id::{CompanyId, UserId};
use quenty_testkit::{app::TestApp, http::Answer};
use serde_json::json;

use crate::support::{
    ADMIN, PASSWORD, access_token, admin_token, login, login_from, mails_to, member_of_nothing, refresh,
    refresh_token, start, token_in,
};

const ANA: &str = "ana@example.com";
const NEXT: &str = "granite-willow-ember-73";

async fn ask(app: &TestApp, email: &str) -> Answer {
    app.post("/api/v1/auth/password/reset").json(&json!({"email": email})).send().await
}

async fn confirm(app: &TestApp, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    app.post("/api/v1/auth/password/reset/confirm").json(&body).send().await
}

/// The secret of the newest link that was mailed.
async fn link(app: &TestApp, email: &str) -> String {
    ask(app, email).await.expect(204);
    let mails = mails_to(app, email).await;
    token_in(mails.iter().rfind(|mail| mail["kind"] == "password_reset").unwrap())
}

#[tokio::test]
async fn a_mailed_link_sets_another_password_once_and_ends_every_session() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let (first, second) = (link(&app, ANA).await, link(&app, ANA).await);
    confirm(&app, &second, NEXT).await.expect(204);
    login(&app, ANA, PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    login(&app, ANA, NEXT).await.expect(200);
    refresh(&app, &refresh_token(&tokens)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    for used in [first, second] {
        confirm(&app, &used, "basalt-meadow-quartz-51").await.expect_problem(422, "INVALID_LINK");
    }
    let kinds: Vec<_> = mails_to(&app, ANA).await.iter().map(|mail| mail["kind"].clone()).collect();
    assert_eq!(kinds, ["verification", "password_reset", "password_reset", "password_changed"]);
    app.assert_sound().await;
}

#[tokio::test]
async fn whether_an_address_has_an_account_shows_neither_in_the_answer_nor_in_the_work() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let (user_id, company) = (UserId::new(), CompanyId::new());
    let invited = UserInvited {
        user_id,
        email: "luis@example.com".parse().unwrap(),
        given_name: "Luis".to_owned(),
        family_name: "Rojas".to_owned(),
        language: "es".to_owned(),
        roles: Vec::new(),
        company_id: Some(company),
    };
    app.hear(user_id, Some(company), 1, &invited).await;
    let driver = json!({"email": "eva@example.com", "given_name": "Eva", "family_name": "Ruiz", "language": "es", "roles": ["driver"]});
    app.post("/api/v1/admin/users").token(&admin_token(&app).await).json(&driver).send().await.expect(201);
    let counts = "select array[(select count(*) from password_resets) + (select count(*) from links), (select count(*) from quenty.tasks), (select count(*) from quenty.journal), (select count(*) from rate_limits)]";
    let count = async || sqlx::query_scalar::<_, Vec<i64>>(counts).fetch_one(app.app.db()).await.unwrap();
    let added = async |email| {
        let before = count().await;
        let answer = ask(&app, email).await.expect(204);
        let added: Vec<i64> =
            count().await.iter().zip(before).map(|(after, before)| after - before).collect();
        (added, answer.text())
    };
    // The first one opens the window of the source address, too.
    ask(&app, ADMIN).await.expect(204);
    let of_nobody = added("nobody@example.com").await;
    for email in [ANA, "luis@example.com", "eva@example.com"] {
        assert_eq!(added(email).await, of_nobody, "{email}");
    }
    assert_eq!(mails_to(&app, "nobody@example.com").await.len(), 0);
    app.assert_sound().await;
}

#[tokio::test]
async fn the_fourth_link_in_an_hour_is_refused_whether_or_not_there_is_an_account() {
    let app = start().await;
    for email in [ADMIN, "nobody@example.com"] {
        for spelled in [email, &email.to_uppercase(), email] {
            ask(&app, spelled).await.expect(204);
        }
        ask(&app, email).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    }
    sqlx::query("update rate_limits set hits = 30 where bucket like 'password-reset-address:%'")
        .execute(app.app.db())
        .await
        .unwrap();
    ask(&app, ANA).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
}

#[tokio::test]
async fn expired_and_superseded_links_and_poor_passwords_are_refused() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    confirm(&app, "no-such-token", NEXT).await.expect_problem(422, "INVALID_LINK");
    let token = link(&app, ANA).await;
    confirm(&app, &token, "short").await.expect_problem(422, "WEAK_PASSWORD");
    confirm(&app, &token, "ana-gómez-violet-77").await.expect_problem(422, "WEAK_PASSWORD");
    confirm(&app, &token, PASSWORD).await.expect_problem(422, "WEAK_PASSWORD");
    let here = access_token(&login(&app, ANA, PASSWORD).await.json());
    let change = json!({"current_password": PASSWORD, "password": NEXT});
    app.post("/api/v1/auth/password/change").token(&here).json(&change).send().await.expect(204);
    confirm(&app, &token, "basalt-meadow-quartz-51").await.expect_problem(422, "INVALID_LINK");
    let late = link(&app, ANA).await;
    sqlx::query("update password_resets set expires_at = created_at").execute(app.app.db()).await.unwrap();
    confirm(&app, &late, "basalt-meadow-quartz-51").await.expect_problem(422, "INVALID_LINK");
}

#[tokio::test]
async fn who_is_suspended_gets_no_link_and_keeps_none() {
    let app = start().await;
    let (user, admin) = (member_of_nothing(&app, ANA).await, admin_token(&app).await);
    let token = link(&app, ANA).await;
    let suspend = format!("/api/v1/admin/users/{user}/suspend");
    app.post(&suspend).token(&admin).json(&json!({"reason": "a test"})).send().await.expect(200);
    confirm(&app, &token, NEXT).await.expect_problem(422, "INVALID_LINK");
    let before = mails_to(&app, ANA).await.len();
    ask(&app, ANA).await.expect(204);
    assert_eq!(mails_to(&app, ANA).await.len(), before);
}

#[tokio::test]
async fn a_reset_lets_in_whom_guesses_have_locked_out() {
    let app = start().await;
    let user = member_of_nothing(&app, ANA).await;
    for _ in 0..5 {
        login_from(&app, "192.0.2.66", ANA, "guess-guess-guess").await.expect(401);
    }
    let codes = "insert into rate_limits select 'mfa-user:' || $1, now(), 10";
    sqlx::query(codes).bind(user.to_string()).execute(app.app.db()).await.unwrap();
    confirm(&app, &link(&app, ANA).await, NEXT).await.expect(204);
    login_from(&app, "192.0.2.66", ANA, NEXT).await.expect(200);
    let left = "select count(*) from rate_limits where bucket like 'mfa-user:%'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(app.app.db()).await.unwrap(), 0);
}
