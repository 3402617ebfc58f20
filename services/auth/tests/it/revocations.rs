//! What ends an access token before its time. That every service asks for the list is the chassis's matter.

use futures_util::future::join_all;
use quenty_contracts::customer::{CompanySuspended, MemberAdded, MemberRemoved, MemberRoleChanged};
use quenty_kernel::id::{CompanyId, MemberId, UserId};
use quenty_testkit::{app::TestApp, eventually};
use serde_json::{Value, json};

use crate::support::{
    PASSWORD, access_token, admin_token, login, member_of_nothing, refresh, refresh_token, standing, start,
};

const ANA: &str = "ana@example.com";

async fn is_believed(app: &TestApp, token: &str) -> bool {
    app.get("/api/v1/profile").token(token).send().await.status() == 200
}

async fn until_revoked(app: &TestApp, token: &str) {
    eventually("the token is revoked", || async {
        let answer = app.get("/api/v1/profile").token(token).send().await;
        (answer.status() == 401 && answer.code() == "TOKEN_REVOKED").then_some(())
    })
    .await;
}

async fn assign(app: &TestApp, admin: &str, user: UserId, roles: &[&str]) {
    let path = format!("/api/v1/admin/users/{user}/roles");
    app.put(&path).token(admin).json(&json!({"roles": roles})).send().await.expect(200);
}

/// A new token of the same session, which is believed.
async fn renewed(app: &TestApp, tokens: &Value) -> Value {
    let tokens = refresh(app, &refresh_token(tokens)).await.expect(200).json();
    assert!(is_believed(app, &access_token(&tokens)).await);
    tokens
}

#[tokio::test]
async fn logging_out_ends_the_access_token_of_that_session_only() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let (here, there) = (login(&app, ANA, PASSWORD).await.json(), login(&app, ANA, PASSWORD).await.json());
    app.post("/api/v1/auth/logout")
        .json(&json!({"refresh_token": refresh_token(&here)}))
        .token(&access_token(&here))
        .send()
        .await
        .expect(204);
    until_revoked(&app, &access_token(&here)).await;
    assert!(is_believed(&app, &access_token(&there)).await);
}

#[tokio::test]
async fn whoever_ends_many_sessions_does_not_make_the_list_long() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let mut tokens = Vec::new();
    for _ in 0..12 {
        tokens.push(access_token(&login(&app, ANA, PASSWORD).await.expect(200).json()));
    }
    app.post("/api/v1/auth/logout-all").token(&tokens[0]).send().await.expect(204);
    for token in &tokens {
        until_revoked(&app, token).await;
    }
    let listed = app.get("/.well-known/revocations.json").send().await.expect(200).json();
    assert_eq!(listed["revocations"].as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test]
async fn whoever_logs_out_again_and_again_does_not_make_the_list_long() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let log_in = async || access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
    for _ in 0..14 {
        let token = log_in().await;
        app.post("/api/v1/auth/logout").token(&token).send().await.expect(204);
        until_revoked(&app, &token).await;
    }
    assert!(is_believed(&app, &log_in().await).await);
    let listed = app.get("/.well-known/revocations.json").send().await.expect(200).json();
    assert_eq!(
        listed["revocations"].as_array().unwrap().len(),
        11,
        "ten sessions and their person: {listed}"
    );
}

#[tokio::test]
async fn a_list_with_other_entries_has_another_version_though_as_many_and_the_last_the_same() {
    let app = start().await;
    let insert = async |id: u128| {
        let row =
            "insert into revocations (id, digest, until) values ($1, $1::text, now() + interval '1 minute')";
        sqlx::query(row).bind(uuid::Uuid::from_u128(id)).execute(app.app.db()).await.unwrap();
    };
    let ask = async |known: &str| {
        app.get("/.well-known/revocations.json").header("if-none-match", known).send().await
    };
    insert(1).await;
    insert(3).await;
    let before = ask("").await.expect(200).header("etag").unwrap().to_owned();
    ask(&before).await.expect(304);
    // The first is over, and a replica whose clock is behind writes the next one.
    sqlx::query("update revocations set until = now() - interval '1 second' where id = $1")
        .bind(uuid::Uuid::from_u128(1))
        .execute(app.app.db())
        .await
        .unwrap();
    insert(2).await;
    let after = ask(&before).await.expect(200);
    assert_ne!(after.header("etag"), Some(before.as_str()));
    assert_eq!(after.json()["revocations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn other_roles_and_suspension_end_the_tokens_that_say_otherwise() {
    let app = start().await;
    let (ana, admin) = (member_of_nothing(&app, ANA).await, admin_token(&app).await);
    let tokens = login(&app, ANA, PASSWORD).await.json();
    assign(&app, &admin, ana, &["support"]).await;
    until_revoked(&app, &access_token(&tokens)).await;
    let tokens = renewed(&app, &tokens).await;
    let path = format!("/api/v1/admin/users/{ana}/suspend");
    app.post(&path).token(&admin).json(&json!({"reason": "a test"})).send().await.expect(200);
    until_revoked(&app, &access_token(&tokens)).await;
    assert!(is_believed(&app, &admin).await);
}

#[tokio::test]
async fn a_companys_people_get_new_tokens_when_their_rights_change() {
    let app = start().await;
    let (user, company_id, member_id) =
        (member_of_nothing(&app, ANA).await, CompanyId::new(), MemberId::new());
    let (user_id, role) = (user, "owner".to_owned());
    let added = MemberAdded { member_id, company_id, user_id, role };
    app.hear(member_id, Some(company_id), 1, &added).await;
    let tokens = login(&app, ANA, PASSWORD).await.json();
    assert!(is_believed(&app, &access_token(&tokens)).await);

    let changed = MemberRoleChanged { member_id, company_id, user_id, role: "viewer".to_owned() };
    app.hear(member_id, Some(company_id), 2, &changed).await;
    until_revoked(&app, &access_token(&tokens)).await;
    let tokens = renewed(&app, &tokens).await;

    let standing = standing(company_id, "suspended", 5);
    let suspended = CompanySuspended { company_id, reason: "unpaid".to_owned(), standing };
    app.hear(company_id, Some(company_id), 5, &suspended).await;
    until_revoked(&app, &access_token(&tokens)).await;
    let tokens = renewed(&app, &tokens).await;

    app.hear(member_id, Some(company_id), 3, &MemberRemoved { member_id, company_id, user_id }).await;
    until_revoked(&app, &access_token(&tokens)).await;
    assert_eq!(renewed(&app, &tokens).await["realm"], "user");
}

#[tokio::test]
async fn a_token_signed_beside_a_change_of_roles_says_what_is_true_or_is_revoked() {
    let app = start().await;
    let (ana, admin) = (member_of_nothing(&app, ANA).await, admin_token(&app).await);
    for round in 0..6 {
        let (before, after) =
            if round % 2 == 0 { (["support"], ["auditor"]) } else { (["auditor"], ["support"]) };
        assign(&app, &admin, ana, &before).await;
        let logins = || login(&app, ANA, PASSWORD);
        let sessions = join_all((0..4).map(|_| logins())).await;
        let tokens: Vec<String> =
            sessions.iter().map(|session| refresh_token(&session.clone().expect(200).json())).collect();
        let (renewals, ()) = tokio::join!(
            join_all(tokens.iter().map(|token| refresh(&app, token))),
            assign(&app, &admin, ana, &after)
        );
        let verifier = app.app.verifier();
        for renewal in renewals {
            let token = access_token(&renewal.expect(200).json());
            eventually("it is revoked, or says what is true", || async {
                match verifier.verify(&token).await {
                    Ok(claims) => {
                        (claims.allows("companies:approve") == (after == ["support"])).then_some(())
                    }
                    Err(refused) => (refused.code == "TOKEN_REVOKED").then_some(()),
                }
            })
            .await;
        }
    }
}
