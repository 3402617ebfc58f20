use quenty_contracts::customer::{UserDeactivated, UserInvited};
use quenty_kernel::{
    Actor,
    id::{CompanyId, UserId},
};
use quenty_platform::token::Realm;
use quenty_testkit::{app::TestApp, http::Answer};
use serde_json::json;

use crate::support::{
    ADMIN, ADMIN_PASSWORD, PASSWORD, access_token, admin_token, claims, login, mails_to, member_of_nothing,
    register_from, start, token_in,
};

const LUIS: &str = "luis@example.com";

/// A company's invitation, as Customer tells it.
fn invited(user_id: UserId, email: &str, company: CompanyId) -> UserInvited {
    UserInvited {
        user_id,
        email: email.parse().unwrap(),
        given_name: "Luis".to_owned(),
        family_name: "Rojas".to_owned(),
        language: "es".to_owned(),
        roles: Vec::new(),
        company_id: Some(company),
    }
}

async fn invite(app: &TestApp, token: &str, roles: &[&str]) -> Answer {
    let body = json!({"email": LUIS, "given_name": "Luis", "family_name": "Rojas", "language": "es", "roles": roles});
    app.post("/api/v1/admin/users").token(token).json(&body).send().await
}

/// Luis is invited by the administrator.
async fn invited_by_admin(app: &TestApp, roles: &[&str]) -> UserId {
    let told = invite(app, &admin_token(app).await, roles).await.expect(201).json();
    told["id"].as_str().unwrap().parse().unwrap()
}

async fn accept(app: &TestApp, token: &str) -> Answer {
    app.post("/api/v1/auth/invitations/accept")
        .json(&json!({"token": token, "password": PASSWORD}))
        .send()
        .await
}

#[tokio::test]
async fn invited_staff_choose_a_password_and_are_known_to_all_from_then_on() {
    let app = start().await;
    let told = invite(&app, &admin_token(&app).await, &["driver"]).await.expect(201);
    let user: UserId = told.json()["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(told.header("location"), Some(format!("/api/v1/admin/users/{user}").as_str()));
    assert_eq!(
        (&told.json()["status"], &told.json()["roles"]),
        (&json!("pending_verification"), &json!(["driver"]))
    );
    let mails = mails_to(&app, LUIS).await;
    assert_eq!((mails.len(), &mails[0]["kind"]), (1, &json!("invitation")));
    assert!(mails[0]["link"].as_str().unwrap().starts_with("http://127.0.0.1:8000/accept-invitation?token="));
    let published = app.facts(user).await.iter().any(|fact| fact.kind.contains("registered"));
    assert!(!published, "nobody hears of a person who has not answered");
    login(&app, LUIS, PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    let weak = json!({"token": token_in(&mails[0]), "password": "luis-rojas-2026"});
    app.post("/api/v1/auth/invitations/accept").json(&weak).send().await.expect_problem(422, "WEAK_PASSWORD");
    accept(&app, &token_in(&mails[0])).await.expect(204);
    accept(&app, &token_in(&mails[0])).await.expect(204);
    let other = json!({"token": token_in(&mails[0]), "password": "granite-willow-ember-73"});
    app.post("/api/v1/auth/invitations/accept").json(&other).send().await.expect_problem(422, "INVALID_LINK");
    let guesses = "select hits from rate_limits where bucket like 'login-account:%'";
    let guesses: i32 = sqlx::query_scalar(guesses).fetch_one(app.app.db()).await.unwrap();
    assert_eq!(guesses, 2, "the login before, and the other password");
    let kinds: Vec<_> = app.facts(user).await.into_iter().map(|fact| fact.kind).collect();
    assert_eq!(
        kinds,
        ["quenty.auth.user.invited.v1", "quenty.auth.user.registered.v1", "quenty.auth.user.activated.v1"]
    );
    let claims = claims(&app, &login(&app, LUIS, PASSWORD).await.expect(200).json()).await;
    assert_eq!((claims.realm, claims.sub.clone()), (Realm::Staff, user.to_string()));
    assert!(
        claims.allows("pickups:complete")
            && claims.allows("shipments:scan")
            && !claims.allows("pickups:assign")
    );
    let suspend = app.post(&format!("/api/v1/admin/users/{user}/suspend")).token(&admin_token(&app).await);
    suspend.json(&json!({"reason": "a test"})).send().await.expect(200);
    accept(&app, &token_in(&mails[0])).await.expect_problem(422, "INVALID_LINK");
    app.assert_sound().await;
}

#[tokio::test]
async fn an_invitation_heard_twice_is_mailed_once() {
    let app = start().await;
    let (user, company) = (UserId::new(), CompanyId::new());
    let envelope = app.envelope(user, Some(company), 1, &invited(user, LUIS, company));
    app.deliver(&envelope).await;
    app.deliver(&envelope).await;
    assert_eq!(mails_to(&app, LUIS).await.len(), 1);
}

/// Days go by: what was mailed has run out, and no limit is full.
async fn much_later(app: &TestApp) {
    for past in ["update links set expires_at = created_at", "delete from rate_limits"] {
        sqlx::query(past).execute(app.app.db()).await.unwrap();
    }
}

#[tokio::test]
async fn who_let_the_link_run_out_gets_another_by_registering_or_asking_for_a_password() {
    let app = start().await;
    let company = CompanyId::new();
    for (email, by_registering) in [(LUIS, true), ("eva@example.com", false)] {
        let user = UserId::new();
        app.hear(user, Some(company), 1, &invited(user, email, company)).await;
        assert_eq!(mails_to(&app, email).await.len(), 1);
        much_later(&app).await;
        if by_registering {
            register_from(&app, "203.0.113.1", email, None).await.expect(202);
        } else {
            let body = json!({"email": email});
            app.post("/api/v1/auth/password/reset").json(&body).send().await.expect(204);
        }
        let mails = mails_to(&app, email).await;
        let kinds: Vec<_> = mails.iter().map(|mail| mail["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["invitation", "invitation"], "{email}");
        accept(&app, &token_in(&mails[0])).await.expect_problem(422, "INVALID_LINK");
        accept(&app, &token_in(&mails[1])).await.expect(204);
        let tokens = login(&app, email, PASSWORD).await.expect(200).json();
        assert_eq!(tokens["user_id"], json!(user));
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn an_invitation_to_work_for_the_platform_that_ran_out_is_renewed_by_staff_alone() {
    let app = start().await;
    let luis = invited_by_admin(&app, &["driver"]).await;
    let first = token_in(&mails_to(&app, LUIS).await[0]);
    much_later(&app).await;
    register_from(&app, "203.0.113.1", LUIS, None).await.expect(202);
    app.post("/api/v1/auth/password/reset").json(&json!({"email": LUIS})).send().await.expect(204);
    let (user, company) = (UserId::new(), CompanyId::new());
    app.hear(user, Some(company), 1, &invited(user, LUIS, company)).await;
    let mails = mails_to(&app, LUIS).await;
    let mut kinds: Vec<_> = mails.iter().map(|mail| mail["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["already_registered", "company_invitation", "invitation"]);
    accept(&app, &first).await.expect_problem(422, "INVALID_LINK");
    assert_eq!(invited_by_admin(&app, &["driver"]).await, luis);
    accept(&app, &token_in(mails_to(&app, LUIS).await.last().unwrap())).await.expect(204);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_stranger_who_registers_an_invited_address_takes_no_link_from_its_owner() {
    let app = start().await;
    let (user, company) = (UserId::new(), CompanyId::new());
    app.hear(user, Some(company), 1, &invited(user, LUIS, company)).await;
    let first = token_in(&mails_to(&app, LUIS).await[0]);
    for network in 1..=4 {
        register_from(&app, &format!("203.0.113.{network}"), LUIS, None).await.expect(202);
    }
    assert_eq!(mails_to(&app, LUIS).await.len(), 4, "three for the registrations");
    accept(&app, &first).await.expect(204);
}

#[tokio::test]
async fn no_company_fills_a_mailbox_or_writes_to_strangers_in_words_of_its_own() {
    let app = start().await;
    let user = UserId::new();
    let [one, two, three, four] = [(); 4].map(|()| CompanyId::new());
    // One company has one mail an hour, and leaves the others theirs.
    let heard = [(one, 1, 1), (one, 2, 1), (one, 3, 1), (two, 4, 2), (three, 5, 3), (four, 6, 3)];
    for (company, version, mailed) in heard {
        app.hear(user, Some(company), version, &invited(user, LUIS, company)).await;
        assert_eq!(mails_to(&app, LUIS).await.len(), mailed, "{version}");
    }
    let mails = mails_to(&app, LUIS).await;
    for mail in &mails {
        assert!(!mail["text"].as_str().unwrap().contains("Luis"), "{mail}");
    }
    accept(&app, &token_in(&mails[2])).await.expect(204);
}

#[tokio::test]
async fn a_company_that_invites_the_whole_world_is_mailed_for_no_more() {
    let app = start().await;
    let (company, other) = (CompanyId::new(), CompanyId::new());
    let invite = async |email: &str, company: CompanyId| {
        let user = UserId::new();
        app.hear(user, Some(company), 1, &invited(user, email, company)).await;
        mails_to(&app, email).await.len()
    };
    assert_eq!(invite("a@example.com", company).await, 1);
    sqlx::query("update rate_limits set hits = 100 where bucket like 'invitation-company:%'")
        .execute(app.app.db())
        .await
        .unwrap();
    assert_eq!((invite("b@example.com", company).await, invite("c@example.com", other).await), (0, 1));
    register_from(&app, "203.0.113.1", "b@example.com", None).await.expect(202);
    let mails = mails_to(&app, "b@example.com").await;
    accept(&app, &token_in(&mails[0])).await.expect(204);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_second_invitation_replaces_the_link_of_the_first_and_adds_its_roles() {
    let app = start().await;
    let (user, company) = (UserId::new(), CompanyId::new());
    app.hear(user, Some(company), 1, &invited(user, LUIS, company)).await;
    for role in ["driver", "dispatcher"] {
        assert_eq!(invited_by_admin(&app, &[role]).await, user, "one address is one person");
    }
    let links: Vec<_> = mails_to(&app, LUIS).await.iter().map(token_in).collect();
    assert_eq!(links.len(), 3);
    let mut taken = 0;
    for link in &links {
        taken += usize::from(accept(&app, link).await.status() == 204);
    }
    assert_eq!(taken, 1, "only the last link counts");
    let claims = claims(&app, &login(&app, LUIS, PASSWORD).await.expect(200).json()).await;
    assert!(claims.allows("shipments:scan") && claims.allows("pickups:assign"));
    let again = invite(&app, &admin_token(&app).await, &["driver"]).await.expect_problem(409, "USER_EXISTS");
    assert_eq!(again.json()["user_id"], json!(user));
    app.assert_sound().await;
}

#[tokio::test]
async fn who_has_an_account_is_invited_to_the_company_and_keeps_the_password() {
    let app = start().await;
    member_of_nothing(&app, "ana@example.com").await;
    let (user, company) = (UserId::new(), CompanyId::new());
    app.hear(user, Some(company), 1, &invited(user, "ANA@example.com", company)).await;
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
    let root = admin_token(&app).await;
    let ana = member_of_nothing(&app, "ana@example.com").await;
    let roles = app.put(&format!("/api/v1/admin/users/{ana}/roles")).token(&root);
    roles.json(&json!({"roles": ["admin"]})).send().await.expect(200);
    let admin = access_token(&login(&app, "ana@example.com", PASSWORD).await.expect(200).json());
    for role in ["super_admin", "auditor"] {
        invite(&app, &admin, &["driver", role]).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    }
    invite(&app, &admin, &["owner"]).await.expect_problem(422, "NO_SUCH_ROLE");
    invite(&app, &admin, &[]).await.expect_problem(422, "NO_ROLE");
    assert!(mails_to(&app, LUIS).await.is_empty());
    let luis = invited_by_admin(&app, &["super_admin"]).await;
    invite(&app, &admin, &["driver"]).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    assert_eq!(app.facts(luis).await.len(), 1);
    assert_eq!(mails_to(&app, LUIS).await.len(), 1);
}

#[tokio::test]
async fn an_event_gives_nobody_a_platform_role_whoever_it_says_caused_it() {
    let app = start().await;
    let root = login(&app, ADMIN, ADMIN_PASSWORD).await.json()["user_id"].as_str().unwrap().parse().unwrap();
    let company = CompanyId::new();
    // As somebody may publish who has broken into any service, or into the broker.
    let forge = async |user: UserId, company_id: Option<CompanyId>, actor: Actor| {
        let roles = vec!["super_admin".to_owned()];
        let event = UserInvited { roles, company_id, ..invited(user, LUIS, company) };
        let mut envelope = app.envelope(user, company_id, 1, &event);
        envelope.actor = actor;
        app.deliver(&envelope).await;
    };
    for actor in [Actor::System, Actor::Service("customer".to_owned()), Actor::User(root)] {
        let user = UserId::new();
        forge(user, None, actor).await;
        assert!(app.facts(user).await.is_empty());
    }
    assert!(mails_to(&app, LUIS).await.is_empty());
    forge(UserId::new(), Some(company), Actor::System).await;
    accept(&app, &token_in(&mails_to(&app, LUIS).await[0])).await.expect(204);
    let claims = claims(&app, &login(&app, LUIS, PASSWORD).await.expect(200).json()).await;
    assert_eq!((claims.realm, claims.permissions), (Realm::User, Vec::new()));
    app.assert_sound().await;
}

#[tokio::test]
async fn a_deactivated_person_can_neither_log_in_nor_accept() {
    let app = start().await;
    let (luis, company) = (UserId::new(), CompanyId::new());
    let ana = member_of_nothing(&app, "ana@example.com").await;
    app.hear(luis, Some(company), 1, &invited(luis, LUIS, company)).await;
    let token = token_in(&mails_to(&app, LUIS).await[0]);
    for (user, version) in [(ana, 1), (luis, 2)] {
        app.hear(user, None, version, &UserDeactivated { user_id: user, reason: "left".to_owned() }).await;
    }
    login(&app, "ana@example.com", PASSWORD).await.expect_problem(403, "ACCOUNT_SUSPENDED");
    accept(&app, &token).await.expect_problem(422, "INVALID_LINK");
    app.post("/api/v1/auth/verify/resend").json(&json!({"email": LUIS})).send().await.expect(204);
    assert_eq!(mails_to(&app, LUIS).await.len(), 1, "a withdrawn invitation is not sent again");
}

#[tokio::test]
async fn who_was_deactivated_before_answering_is_let_in_by_no_other_invitation() {
    let app = start().await;
    let (luis, company) = (UserId::new(), CompanyId::new());
    app.hear(luis, Some(company), 1, &invited(luis, LUIS, company)).await;
    app.hear(luis, None, 2, &UserDeactivated { user_id: luis, reason: "left".to_owned() }).await;
    app.hear(luis, Some(company), 3, &invited(luis, LUIS, company)).await;
    register_from(&app, "203.0.113.1", LUIS, None).await.expect(202);
    let mails = mails_to(&app, LUIS).await;
    let kinds: Vec<_> = mails.iter().map(|mail| mail["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["invitation", "already_registered"]);
    accept(&app, &token_in(&mails[0])).await.expect_problem(422, "INVALID_LINK");
    login(&app, LUIS, PASSWORD).await.expect_problem(401, "INVALID_CREDENTIALS");
    app.assert_sound().await;
}

#[tokio::test]
async fn an_event_deactivates_nobody_with_platform_roles_and_who_asked_is_told() {
    let app = start().await;
    let root: UserId =
        login(&app, ADMIN, ADMIN_PASSWORD).await.json()["user_id"].as_str().unwrap().parse().unwrap();
    let driver = invited_by_admin(&app, &["driver"]).await;
    let deactivate = async |user: UserId, actor: Actor, version| {
        let event = UserDeactivated { user_id: user, reason: "left".to_owned() };
        let mut envelope = app.envelope(user, None, version, &event);
        envelope.actor = actor;
        app.deliver(&envelope).await;
        app.facts(user).await.last().unwrap().kind.clone()
    };
    let told = "quenty.auth.user.reactivated.v1";
    for (version, actor) in [(1, Actor::System), (2, Actor::User(root))] {
        assert_eq!(deactivate(root, actor.clone(), version).await, told);
        assert_eq!(deactivate(driver, actor, version).await, told);
    }
    login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200);
    accept(&app, &token_in(&mails_to(&app, LUIS).await[0])).await.expect(204);
    app.assert_sound().await;
}
