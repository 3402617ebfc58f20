use quenty_kernel::id::{RoleId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{app::TestApp, http::Answer};
use serde_json::{Value, json};

use crate::support::{
    PASSWORD, access_token, admin_token, claims, login, member_of_nothing, refresh, refresh_token, start,
};

const ANA: &str = "ana@example.com";

async fn create(app: &TestApp, token: &str, name: &str, permissions: &[&str]) -> Answer {
    let body = json!({"name": name, "about": "a test", "permissions": permissions});
    app.post("/api/v1/admin/roles").token(token).json(&body).send().await
}

async fn update(app: &TestApp, token: &str, role: &str, patch: Value) -> Answer {
    app.patch(&format!("/api/v1/admin/roles/{role}")).token(token).json(&patch).send().await
}

async fn delete(app: &TestApp, token: &str, role: &str) -> Answer {
    app.delete(&format!("/api/v1/admin/roles/{role}")).token(token).send().await
}

async fn assign(app: &TestApp, token: &str, user: UserId, roles: &[&str]) -> Answer {
    let path = format!("/api/v1/admin/users/{user}/roles");
    app.put(&path).token(token).json(&json!({"roles": roles})).send().await
}

fn id(role: &Value) -> String {
    role["id"].as_str().unwrap().to_owned()
}

/// A person who runs the platform, without being everything.
async fn an_admin(app: &TestApp, root: &str) -> String {
    let user = member_of_nothing(app, "admin2@example.com").await;
    assign(app, root, user, &["admin"]).await.expect(200);
    access_token(&login(app, "admin2@example.com", PASSWORD).await.expect(200).json())
}

#[tokio::test]
async fn a_made_role_gives_what_it_holds_changes_with_it_and_goes_when_nobody_has_it() {
    let app = start().await;
    let (root, ana) = (admin_token(&app).await, member_of_nothing(&app, ANA).await);
    let made = create(&app, &root, "night_shift", &["pickups:*", "orders:read"]).await.expect(201);
    let role = id(&made.json());
    let listed = app.get("/api/v1/admin/roles").token(&root).send().await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().last().unwrap(), &made.json());
    assign(&app, &root, ana, &["night_shift", "driver"]).await.expect(200);
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let held = claims(&app, &tokens).await;
    assert_eq!(held.realm, Realm::Staff);
    assert!(held.allows("pickups:assign") && held.allows("shipments:scan") && !held.allows("orders:cancel"));
    let stale = app.patch(&format!("/api/v1/admin/roles/{role}")).token(&root).header("if-match", "\"7\"");
    stale.json(&json!({"about": "x"})).send().await.expect_problem(412, "VERSION_MISMATCH");
    update(&app, &root, &role, json!({"permissions": ["orders:cancel"]})).await.expect(200);
    let renewed = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    let held = claims(&app, &renewed).await;
    assert!(held.allows("orders:cancel") && !held.allows("pickups:assign"));
    delete(&app, &root, &role).await.expect_problem(409, "ROLE_IN_USE");
    assign(&app, &root, ana, &[]).await.expect(200);
    delete(&app, &root, &role).await.expect(204);
    delete(&app, &root, &role).await.expect_problem(404, "NOT_FOUND");
    assign(&app, &root, ana, &["night_shift"]).await.expect_problem(422, "NO_SUCH_ROLE");
    let facts = app.facts(role.parse::<RoleId>().unwrap()).await;
    let removed: Vec<_> = facts.iter().map(|fact| fact.data["removed"].as_bool().unwrap()).collect();
    assert_eq!(removed, [false, false, true]);
    app.assert_sound().await;
}

#[tokio::test]
async fn nobody_makes_changes_removes_or_gives_a_role_beyond_their_own() {
    let app = start().await;
    let root = admin_token(&app).await;
    let (admin, ana) = (an_admin(&app, &root).await, member_of_nothing(&app, ANA).await);
    create(&app, &admin, "own", &["return_policies:read"])
        .await
        .expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    create(&app, &admin, "own", &["orders:*", "pickups:assign"]).await.expect(201);
    let role = id(&create(&app, &root, "beyond", &["return_policies:read"]).await.expect(201).json());
    let less = json!({"permissions": ["orders:read"]});
    update(&app, &admin, &role, less).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    update(&app, &admin, &role, json!({"about": "x"})).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    delete(&app, &admin, &role).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    assign(&app, &admin, ana, &["beyond"]).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    assign(&app, &root, ana, &["beyond"]).await.expect(200);
    assign(&app, &admin, ana, &[]).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    let own = create(&app, &admin, "mine", &["orders:read"]).await.expect(201).json();
    let more = json!({"permissions": ["orders:read", "return_policies:read"]});
    update(&app, &admin, &id(&own), more).await.expect_problem(403, "BEYOND_OWN_PERMISSIONS");
    let powerless = access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
    create(&app, &powerless, "x_role", &["return_policies:read"]).await.expect_problem(403, "NOT_PERMITTED");
}

#[tokio::test]
async fn roles_of_the_code_stay_and_what_is_no_permission_is_refused() {
    let app = start().await;
    let root = admin_token(&app).await;
    for name in ["super_admin", "owner", "Night", "a b c", "ab"] {
        let refused = create(&app, &root, name, &["orders:read"]).await.expect_problem(422, "INVALID_BODY");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/name", "{name}");
    }
    for permission in ["*", "*:read", "orders", "orders:fly", "internal.api_keys:exchange", ""] {
        create(&app, &root, "night_shift", &[permission]).await.expect_problem(422, "NO_SUCH_PERMISSION");
    }
    create(&app, &root, "night_shift", &[]).await.expect_problem(422, "INVALID_BODY");
    create(&app, &root, "night_shift", &["orders:read"]).await.expect(201);
    create(&app, &root, "night_shift", &["orders:read"]).await.expect_problem(409, "ROLE_NAME_TAKEN");
    delete(&app, &root, "super_admin").await.expect_problem(422, "INVALID_PATH");
    update(&app, &root, &RoleId::new().to_string(), json!({"about": "x"}))
        .await
        .expect_problem(404, "NOT_FOUND");
}
