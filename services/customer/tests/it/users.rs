use quenty_contracts::auth::{UserReactivated, UserRolesChanged, UserSuspended};
use quenty_kernel::id::UserId;
use quenty_platform::token::Realm;
use quenty_testkit::TestApp;
use serde_json::{Value, json};

use crate::support::{admin, hear_registered, kinds, registered, start};

async fn user(app: &TestApp, id: UserId) -> Value {
    app.get(&format!("/api/v1/users/{id}")).token(&admin(app)).send().await.expect(200).json()
}

#[tokio::test]
async fn users_are_for_staff_whatever_a_companys_token_says() {
    let app = start().await;
    let company = registered(&app).await;
    let token = app.token(Realm::Company, Some(company), &["users:*"]);
    app.get("/api/v1/users").token(&token).send().await.expect_problem(403, "STAFF_ONLY");
    app.get(&format!("/api/v1/users/{}", UserId::new()))
        .token(&token)
        .send()
        .await
        .expect_problem(403, "STAFF_ONLY");
}

#[tokio::test]
async fn a_registration_heard_twice_makes_one_profile() {
    let app = start().await;
    let id = UserId::new();
    hear_registered(&app, id, "ana@example.com").await;
    hear_registered(&app, id, "ana@example.com").await;
    assert_eq!(kinds(&app, id).await, ["user.created"]);
    let listed =
        app.get("/api/v1/users?email=ANA@example.com").token(&admin(&app)).send().await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_profile_changes_under_the_version_that_was_seen() {
    let app = start().await;
    let id = UserId::new();
    hear_registered(&app, id, "ana@example.com").await;
    let patch = |version: &str, body: Value| {
        app.patch(&format!("/api/v1/users/{id}"))
            .token(&admin(&app))
            .header("if-match", version)
            .json(&body)
            .send()
    };
    let changed = patch("\"1\"", json!({"phone": "+573001234567"})).await.expect(200).json();
    assert_eq!((&changed["phone"], &changed["version"]), (&json!("+573001234567"), &json!(2)));
    patch("\"1\"", json!({"phone": null})).await.expect_problem(412, "VERSION_MISMATCH");
    assert_eq!(patch("\"2\"", json!({"phone": null})).await.expect(200).json()["phone"], json!(null));
}

#[tokio::test]
async fn a_deactivated_user_comes_back_when_auth_says_so() {
    let app = start().await;
    let id = UserId::new();
    hear_registered(&app, id, "ana@example.com").await;
    let deactivate = || app.delete(&format!("/api/v1/users/{id}?reason=left")).token(&admin(&app)).send();
    deactivate().await.expect(204);
    deactivate().await.expect(204);
    let body = user(&app, id).await;
    assert_eq!((&body["status"], &body["status_reason"]), (&json!("deactivated"), &json!("left")));
    let patch = app
        .patch(&format!("/api/v1/users/{id}"))
        .token(&admin(&app))
        .json(&json!({"phone": null}))
        .send()
        .await;
    patch.expect_problem(409, "USER_DEACTIVATED");
    app.hear(id, None, 5, &UserReactivated { user_id: id }).await;
    assert_eq!(user(&app, id).await["status"], json!("active"));
    assert_eq!(
        kinds(&app, id).await,
        ["user.created", "user.deactivated", "user.deactivated", "user.reactivated"]
    );
    app.assert_sound().await;
}

#[tokio::test]
async fn who_is_suspended_at_auth_is_inactive_here_until_auth_lets_them_in_again() {
    let app = start().await;
    let id = UserId::new();
    hear_registered(&app, id, "ana@example.com").await;
    let suspended = UserSuspended { user_id: id, reason: "fraud".to_owned() };
    app.hear(id, None, 3, &suspended).await;
    let body = user(&app, id).await;
    assert_eq!((&body["status"], &body["status_reason"]), (&json!("deactivated"), &json!("fraud")));
    app.hear(id, None, 4, &UserReactivated { user_id: id }).await;
    assert_eq!(user(&app, id).await["status"], json!("active"));
    assert_eq!(kinds(&app, id).await, ["user.created", "user.suspended", "user.reactivated"]);
    app.assert_sound().await;
}

#[tokio::test]
async fn auths_answer_to_a_deactivation_changes_nothing_more() {
    let app = start().await;
    let id = UserId::new();
    hear_registered(&app, id, "ana@example.com").await;
    app.delete(&format!("/api/v1/users/{id}?reason=left")).token(&admin(&app)).send().await.expect(204);
    app.hear(id, None, 3, &UserSuspended { user_id: id, reason: "as Customer says".to_owned() }).await;
    assert_eq!(user(&app, id).await["status_reason"], json!("left"));
    assert_eq!(kinds(&app, id).await, ["user.created", "user.deactivated"]);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_deactivation_outlives_a_reactivation_that_was_on_its_way() {
    let app = start().await;
    let id = UserId::new();
    hear_registered(&app, id, "ana@example.com").await;
    app.hear(id, None, 3, &UserSuspended { user_id: id, reason: "fraud".to_owned() }).await;
    app.delete(&format!("/api/v1/users/{id}?reason=left")).token(&admin(&app)).send().await.expect(204);
    assert_eq!(user(&app, id).await["status_reason"], json!("left"));
    app.hear(id, None, 4, &UserReactivated { user_id: id }).await;
    // What Auth does when it hears of the deactivation after that.
    app.hear(id, None, 5, &UserSuspended { user_id: id, reason: "left".to_owned() }).await;
    let body = user(&app, id).await;
    assert_eq!((&body["status"], &body["status_reason"]), (&json!("deactivated"), &json!("left")));
    assert_eq!(
        kinds(&app, id).await,
        ["user.created", "user.suspended", "user.deactivated", "user.reactivated", "user.suspended"]
    );
    app.assert_sound().await;
}

#[tokio::test]
async fn who_has_platform_roles_is_suspended_at_auth() {
    let app = start().await;
    let id = UserId::new();
    hear_registered(&app, id, "ana@example.com").await;
    let everything = app.token(Realm::Staff, None, &["*"]);
    let deactivate = || app.delete(&format!("/api/v1/users/{id}?reason=left")).token(&everything).send();
    app.hear(id, None, 2, &UserRolesChanged { user_id: id, roles: vec!["driver".to_owned()] }).await;
    deactivate().await.expect_problem(409, "USER_IS_STAFF");
    assert_eq!(user(&app, id).await["status"], json!("active"));
    app.hear(id, None, 3, &UserRolesChanged { user_id: id, roles: vec![] }).await;
    deactivate().await.expect(204);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_suspension_and_a_reactivation_of_who_never_registered_are_nothing_to_wait_for() {
    let app = start().await;
    let id = UserId::new();
    app.hear(id, None, 1, &UserSuspended { user_id: id, reason: "left".to_owned() }).await;
    app.hear(id, None, 2, &UserReactivated { user_id: id }).await;
    hear_registered(&app, id, "ana@example.com").await;
    assert_eq!(user(&app, id).await["status"], json!("active"));
    app.assert_sound().await;
}
