use std::{collections::BTreeSet, path::Path};

use quenty_platform::token::Realm;
use quenty_testkit::{
    app::{TestApp, TestOptions},
    reads, strangers,
};

use crate::support::{options, refusal};

/// Auth trusting the test kit's tokens instead of its own.
async fn start_trusting_the_test_kit() -> TestApp {
    let mut options: TestOptions = options(&[]);
    options.settings.retain(|(key, _)| *key != "auth_url");
    TestApp::start_with(quenty_auth::service(), options).await
}

#[tokio::test]
async fn every_operation_refuses_strangers() {
    let app = start_trusting_the_test_kit().await;
    let open = [
        "register_user",
        "verify_user",
        "resend_verification",
        "accept_invitation",
        "request_password_reset",
        "confirm_password_reset",
        "login",
        "verify_mfa",
        "ask_passkey",
        "verify_passkey",
        "ask_any_passkey",
        "login_with_passkey",
        "refresh",
        "issue_service_token",
        "introspect_token",
        "revoke_token",
        "get_jwks",
        "get_revocations",
    ];
    strangers::check(&app, &open).await;
}

#[tokio::test]
async fn staff_leave_a_record_of_what_is_personal() {
    let app = start_trusting_the_test_kit().await;
    let others = ["roles:read", "api_keys:read", "audit:verify"];
    reads::check(&app, &["users:read", "audit:read", "dead_letters:read"], &others).await;
}

#[tokio::test]
async fn accounts_are_for_the_platforms_own_people_whatever_a_companys_token_says() {
    let app = start_trusting_the_test_kit().await;
    let stranger = app.token(Realm::Company, Some(quenty_kernel::id::CompanyId::new()), &["users:read"]);
    app.get("/api/v1/admin/users").token(&stranger).send().await.expect_problem(403, "STAFF_ONLY");
}

#[tokio::test]
async fn the_page_of_permissions_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/permissions.md");
    let page = quenty_auth::permissions_markdown();
    if std::fs::read_to_string(&path).unwrap_or_default() != page {
        std::fs::write(&path, page).unwrap();
        panic!("docs/permissions.md was out of date; it is written anew, commit it");
    }
}

#[tokio::test]
async fn roles_and_permissions_are_listed() {
    let app = start_trusting_the_test_kit().await;
    let token = app.token(Realm::Staff, None, &["roles:read"]);
    let roles = app.get("/api/v1/admin/roles").token(&token).send().await.expect(200).json();
    let names: Vec<_> =
        roles["items"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
    assert!(names.starts_with(&["super_admin", "admin"]) && names.contains(&"viewer"));
    let permissions = app.get("/api/v1/admin/permissions").token(&token).send().await.expect(200).json();
    assert!(permissions["items"].as_array().unwrap().iter().any(|permission| permission == "orders:cancel"));
}

#[tokio::test]
async fn without_a_way_to_send_mails_it_says_what_to_set() {
    let mut options = options(&[]);
    options.settings.retain(|(key, _)| *key != "mail_dir");
    let text = refusal(TestApp::start_with(quenty_auth::service(), options)).await;
    assert!(text.contains("QUENTY_SMTP_URL") && text.contains("QUENTY_MAIL_DIR"), "{text}");
}

#[tokio::test]
async fn the_table_of_permissions_is_what_the_operations_ask_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi");
    let mut asked = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let document = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        let permissions =
            strangers::operations(&document).into_iter().filter_map(|operation| operation.permission);
        asked.extend(permissions.filter(|name| !name.is_empty() && !name.starts_with("internal.")));
    }
    let app = start_trusting_the_test_kit().await;
    let token = app.token(Realm::Staff, None, &["roles:read"]);
    let listed = app.get("/api/v1/admin/permissions").token(&token).send().await.expect(200).json();
    let listed: BTreeSet<String> = serde_json::from_value(listed["items"].clone()).unwrap();
    assert_eq!(listed, asked);
}

#[tokio::test]
async fn what_may_be_changed_under_a_version_says_which_header_names_it() {
    let app = start_trusting_the_test_kit().await;
    let document = app.get("/openapi.json").send().await.expect(200).json();
    assert_eq!(
        strangers::conditional_operations(&document),
        BTreeSet::from(["assign_roles", "update_profile", "update_role", "update_user"])
    );
}
