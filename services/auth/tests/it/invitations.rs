use quenty_contracts::customer::{UserDeactivated, UserInvited};
use quenty_kernel::{
    Actor,
    id::{CompanyId, UserId},
};
use quenty_platform::token::Realm;
use quenty_testkit::app::TestApp;
use serde_json::json;

use crate::support::{
    ADMIN, ADMIN_PASSWORD, PASSWORD, claims, login, mails_to, member_of_nothing, register_from, start,
    token_in,
};

fn invited(user_id: UserId, email: &str, roles: &[&str], company_id: Option<CompanyId>) -> UserInvited {
    UserInvited {
        user_id,
        email: email.parse().unwrap(),
        given_name: "Luis".to_owned(),
        family_name: "Rojas".to_owned(),
        language: "es".to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        company_id,
    }
}

async fn accept(app: &TestApp, token: &str) -> quenty_testkit::http::Answer {
    app.post("/api/v1/auth/invitations/accept")
        .json(&json!({"token": token, "password": PASSWORD}))
        .send()
        .await
}

#[tokio::test]
async fn invited_staff_choose_a_password_and_are_known_to_all_from_then_on() {
    let app = start().await;
    let user = UserId::new();
    app.hear(user, None, 1, &invited(user, "luis@example.com", &["driver"], None)).await;
    let mails = mails_to(&app, "luis@example.com").await;
    assert_eq!((mails.len(), &mails[0]["kind"]), (1, &json!("invitation")));
    assert!(mails[0]["link"].as_str().unwrap().starts_with("http://127.0.0.1:8000/accept-invitation?token="));
    let published = app.facts(user).await.iter().any(|fact| fact.kind.contains("registered"));
    assert!(!published, "nobody hears of a person who has not answered");
    login(&app, "luis@example.com", PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    let weak = json!({"token": token_in(&mails[0]), "password": "luis-rojas-2026"});
    app.post("/api/v1/auth/invitations/accept").json(&weak).send().await.expect_problem(422, "WEAK_PASSWORD");
    accept(&app, &token_in(&mails[0])).await.expect(204);
    accept(&app, &token_in(&mails[0])).await.expect(204);
    let other = json!({"token": token_in(&mails[0]), "password": "granite-willow-ember-73"});
    app.post("/api/v1/auth/invitations/accept").json(&other).send().await.expect_problem(422, "INVALID_LINK");
    let kinds: Vec<_> = app.facts(user).await.into_iter().map(|fact| fact.kind).collect();
    assert_eq!(
        kinds,
        ["quenty.auth.user.invited.v1", "quenty.auth.user.registered.v1", "quenty.auth.user.activated.v1"]
    );
    let claims = claims(&app, &login(&app, "luis@example.com", PASSWORD).await.expect(200).json()).await;
    assert_eq!((claims.realm, claims.sub.clone()), (Realm::Staff, user.to_string()));
    assert!(
        claims.allows("pickups:complete")
            && claims.allows("shipments:scan")
            && !claims.allows("pickups:assign")
    );
    app.assert_sound().await;
}

#[tokio::test]
async fn an_invitation_heard_twice_is_mailed_once() {
    let app = start().await;
    let user = UserId::new();
    let envelope = app.envelope(user, None, 1, &invited(user, "luis@example.com", &[], None));
    app.deliver(&envelope).await;
    app.deliver(&envelope).await;
    assert_eq!(mails_to(&app, "luis@example.com").await.len(), 1);
}

#[tokio::test]
async fn a_second_invitation_replaces_the_link_of_the_first_and_adds_its_roles() {
    let app = start().await;
    let user = UserId::new();
    app.hear(user, None, 1, &invited(user, "luis@example.com", &["driver"], None)).await;
    let first = token_in(&mails_to(&app, "luis@example.com").await[0]);
    app.hear(user, None, 2, &invited(user, "luis@example.com", &["dispatcher"], None)).await;
    let mails = mails_to(&app, "luis@example.com").await;
    let second = mails.iter().map(token_in).find(|token| *token != first).unwrap();
    accept(&app, &first).await.expect_problem(422, "INVALID_LINK");
    accept(&app, &second).await.expect(204);
    let claims = claims(&app, &login(&app, "luis@example.com", PASSWORD).await.expect(200).json()).await;
    assert!(claims.allows("shipments:scan") && claims.allows("pickups:assign"));
    app.assert_sound().await;
}

#[tokio::test]
async fn who_has_an_account_is_invited_to_the_company_and_keeps_the_password() {
    let app = start().await;
    member_of_nothing(&app, "ana@example.com").await;
    let (user, company) = (UserId::new(), CompanyId::new());
    app.hear(user, Some(company), 1, &invited(user, "ANA@example.com", &[], Some(company))).await;
    let mails = mails_to(&app, "ana@example.com").await;
    let invitation =
        mails.iter().find(|mail| mail["kind"] == "company_invitation").expect("a mail about the company");
    assert!(!invitation["link"].as_str().unwrap().contains("token"));
    login(&app, "ana@example.com", PASSWORD).await.expect(200);
    assert!(app.facts(user).await.is_empty());
}

#[tokio::test]
async fn nobody_is_invited_to_more_than_the_inviter_holds() {
    let app = start().await;
    let ana = member_of_nothing(&app, "ana@example.com").await;
    let user = UserId::new();
    let mut envelope =
        app.envelope(user, None, 1, &invited(user, "luis@example.com", &["super_admin"], None));
    envelope.actor = Actor::User(ana);
    app.deliver(&envelope).await;
    assert!(mails_to(&app, "luis@example.com").await.is_empty());
    assert!(app.facts(user).await.is_empty());
    let admin: UserId =
        login(&app, ADMIN, ADMIN_PASSWORD).await.json()["user_id"].as_str().unwrap().parse().unwrap();
    let mut envelope =
        app.envelope(user, None, 2, &invited(user, "luis@example.com", &["super_admin"], None));
    envelope.actor = Actor::User(admin);
    app.deliver(&envelope).await;
    assert_eq!(mails_to(&app, "luis@example.com").await.len(), 1);
}

#[tokio::test]
async fn a_deactivated_person_can_neither_log_in_nor_accept() {
    let app = start().await;
    let (ana, luis) = (member_of_nothing(&app, "ana@example.com").await, UserId::new());
    app.hear(luis, None, 1, &invited(luis, "luis@example.com", &["driver"], None)).await;
    let token = token_in(&mails_to(&app, "luis@example.com").await[0]);
    for (user, version) in [(ana, 1), (luis, 2)] {
        app.hear(user, None, version, &UserDeactivated { user_id: user, reason: "left".to_owned() }).await;
    }
    login(&app, "ana@example.com", PASSWORD).await.expect_problem(403, "ACCOUNT_SUSPENDED");
    accept(&app, &token).await.expect_problem(422, "INVALID_LINK");
    app.post("/api/v1/auth/verify/resend")
        .json(&json!({"email": "luis@example.com"}))
        .send()
        .await
        .expect(204);
    assert_eq!(mails_to(&app, "luis@example.com").await.len(), 1, "a withdrawn invitation is not sent again");
}

#[tokio::test]
async fn who_was_deactivated_before_answering_is_let_in_by_no_other_invitation() {
    let app = start().await;
    let (luis, company) = (UserId::new(), CompanyId::new());
    app.hear(luis, None, 1, &invited(luis, "luis@example.com", &["driver"], None)).await;
    app.hear(luis, None, 2, &UserDeactivated { user_id: luis, reason: "left".to_owned() }).await;
    app.hear(luis, None, 3, &invited(luis, "luis@example.com", &[], Some(company))).await;
    register_from(&app, "203.0.113.1", "luis@example.com", None).await.expect(202);
    let mails = mails_to(&app, "luis@example.com").await;
    let kinds: Vec<_> = mails.iter().map(|mail| mail["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["invitation", "already_registered"]);
    accept(&app, &token_in(&mails[0])).await.expect_problem(422, "INVALID_LINK");
    login(&app, "luis@example.com", PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    app.assert_sound().await;
}

#[tokio::test]
async fn nobody_is_deactivated_beyond_what_the_actor_holds_and_who_asked_is_told() {
    let app = start().await;
    let root: UserId =
        login(&app, ADMIN, ADMIN_PASSWORD).await.json()["user_id"].as_str().unwrap().parse().unwrap();
    let admin = UserId::new();
    app.hear(admin, None, 1, &invited(admin, "luis@example.com", &["admin"], None)).await;
    accept(&app, &token_in(&mails_to(&app, "luis@example.com").await[0])).await.expect(204);
    let deactivate = async |user: UserId, actor: Actor, version| {
        let event = UserDeactivated { user_id: user, reason: "left".to_owned() };
        let mut envelope = app.envelope(user, None, version, &event);
        envelope.actor = actor;
        app.deliver(&envelope).await;
        app.facts(user).await.last().unwrap().kind.clone()
    };
    let told = "quenty.auth.user.reactivated.v1";
    assert_eq!(deactivate(root, Actor::User(admin), 1).await, told, "an admin does not hold everything");
    assert_eq!(deactivate(root, Actor::System, 2).await, told, "the last super_admin stays");
    login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200);
    assert_eq!(deactivate(admin, Actor::User(root), 2).await, "quenty.auth.user.suspended.v1");
    login(&app, "luis@example.com", PASSWORD).await.expect_problem(403, "ACCOUNT_SUSPENDED");
    app.assert_sound().await;
}
