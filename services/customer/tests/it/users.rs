use quenty_contracts::auth::{UserReactivated, UserRolesChanged};
use quenty_kernel::id::UserId;
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, http::Answer};
use serde_json::{Value, json};

use crate::support::{admin, hear_registered, id_of, kinds, registered, start};

async fn invite(app: &TestApp, token: &str, email: &str, roles: &[&str]) -> Answer {
    let body = json!({"email": email, "given_name": "Ana", "family_name": "Gómez", "language": "es", "roles": roles});
    app.post("/api/v1/users").token(token).json(&body).send().await
}

async fn user(app: &TestApp, id: UserId) -> Value {
    app.get(&format!("/api/v1/users/{id}")).token(&admin(app)).send().await.expect(200).json()
}

#[tokio::test]
async fn staff_are_invited_and_there_once_auth_says_so() {
    let app = start().await;
    let invited = invite(&app, &admin(&app), "ana@example.com", &["driver"]).await.expect(202);
    let id: UserId = id_of(&invited.json());
    assert_eq!(app.facts(id).await[0].data["roles"], json!(["driver"]));
    app.get(&format!("/api/v1/users/{id}")).token(&admin(&app)).send().await.expect_problem(404, "NOT_FOUND");
    let again: UserId =
        id_of(&invite(&app, &admin(&app), "ANA@example.com", &["driver"]).await.expect(202).json());
    assert_eq!(again, id, "one address is promised one user id");
    hear_registered(&app, id, "ana@example.com").await;
    assert_eq!(user(&app, id).await["email"], json!("ana@example.com"));
    let refused =
        invite(&app, &admin(&app), "ana@example.com", &["driver"]).await.expect_problem(409, "USER_EXISTS");
    assert_eq!(refused.json()["user_id"], json!(id));
    assert_eq!(kinds(&app, id).await, ["user.invited", "user.invited", "user.created"]);
    app.assert_sound().await;
}

#[tokio::test]
async fn nobody_invites_to_a_role_beyond_their_reach() {
    let app = start().await;
    for role in ["super_admin", "admin", "credit_analyst", "auditor"] {
        invite(&app, &admin(&app), "ana@example.com", &["driver", role])
            .await
            .expect_problem(403, "ROLE_OUT_OF_REACH");
    }
    let everything = app.token(Realm::Staff, None, &["*"]);
    invite(&app, &everything, "ana@example.com", &["admin"]).await.expect(202);
    invite(&app, &everything, "eva@example.com", &[]).await.expect_problem(422, "NO_ROLE");
    invite(&app, &everything, "eva@example.com", &["owner"]).await.expect_problem(422, "INVALID_BODY");
}

#[tokio::test]
async fn users_are_for_staff_whatever_a_companys_token_says() {
    let app = start().await;
    let company = registered(&app).await;
    let token = app.token(Realm::Company, Some(company), &["users:*"]);
    invite(&app, &token, "ana@example.com", &["driver"]).await.expect_problem(403, "STAFF_ONLY");
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
    assert_eq!(kinds(&app, id).await, ["user.created", "user.deactivated", "user.reactivated"]);
    app.assert_sound().await;
}

#[tokio::test]
async fn nobody_deactivates_who_holds_more() {
    let app = start().await;
    let deactivate = async |token: &str, id: UserId| {
        app.delete(&format!("/api/v1/users/{id}?reason=left")).token(token).send().await
    };
    let (root, driver) = (UserId::new(), UserId::new());
    for (id, email, roles) in
        [(root, "ana@example.com", ["super_admin"]), (driver, "eva@example.com", ["driver"])]
    {
        hear_registered(&app, id, email).await;
        let roles = roles.map(str::to_owned).to_vec();
        app.hear(id, None, 2, &UserRolesChanged { user_id: id, roles }).await;
    }
    deactivate(&admin(&app), root).await.expect_problem(403, "ROLE_OUT_OF_REACH");
    assert_eq!(user(&app, root).await["status"], json!("active"));
    deactivate(&admin(&app), driver).await.expect(204);
    let everything = app.token(Realm::Staff, None, &["*"]);
    deactivate(&everything, root).await.expect(204);
    // Auth refuses the last one, and says so.
    app.hear(root, None, 3, &UserReactivated { user_id: root }).await;
    assert_eq!(user(&app, root).await["status"], json!("active"));
    app.hear(root, None, 4, &UserRolesChanged { user_id: root, roles: vec![] }).await;
    deactivate(&admin(&app), root).await.expect(204);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_reactivation_of_who_never_registered_is_nothing_to_wait_for() {
    let app = start().await;
    let id = UserId::new();
    app.hear(id, None, 2, &UserReactivated { user_id: id }).await;
    hear_registered(&app, id, "ana@example.com").await;
    assert_eq!(user(&app, id).await["status"], json!("active"));
    app.assert_sound().await;
}
