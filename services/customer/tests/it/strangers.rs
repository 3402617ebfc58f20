use std::collections::BTreeSet;

use quenty_kernel::id::UserId;
use quenty_platform::access::{self, Filter};
use quenty_testkit::{TestApp, reads, strangers};
use serde_json::json;

use crate::support::{admin_named, hear_registered, owner, registered, start};

#[tokio::test]
async fn strangers_reach_nothing() {
    let app = TestApp::start(quenty_customer::service()).await;
    strangers::check(&app, &[]).await;
}

#[tokio::test]
async fn staff_leave_a_record_of_what_is_personal() {
    let app = TestApp::start(quenty_customer::service()).await;
    let personal = ["companies:read", "members:read", "users:read", "customers:read", "dead_letters:read"];
    reads::check(&app, &personal, &["privacy:read"]).await;
}

#[tokio::test]
async fn staff_who_change_nothing_have_read() {
    let app = start().await;
    let (company, user) = (registered(&app).await, UserId::new());
    hear_registered(&app, user, "ana@example.com").await;
    let ana = json!({"kind": "individual", "name": "Ana"});
    let customer = app.post("/api/v1/customers").token(&owner(&app, company)).json(&ana).send().await;
    let customer = customer.expect(201).json()["id"].as_str().unwrap().to_owned();
    let told = async |path: &str, body: serde_json::Value| {
        let reader = UserId::new();
        app.patch(path).token(&admin_named(&app, reader)).json(&body).send().await.expect(200);
        let filter = Filter { actor: Some(reader), ..Filter::default() };
        let reads = access::reads(app.app.db(), &filter, 10).await.unwrap();
        reads.into_iter().map(|read| (read.operation, read.path)).collect::<Vec<_>>()
    };
    for (resource, id) in
        [("companies", company.to_string()), ("users", user.to_string()), ("customers", customer.clone())]
    {
        let path = format!("/api/v1/{resource}/{id}");
        let route = format!("PATCH /api/v1/{resource}/{{id}}");
        assert_eq!(told(&path, json!({})).await, [(route, path)]);
    }
    // What is changed has a fact that says so.
    assert!(told(&format!("/api/v1/customers/{customer}"), json!({"blocked": true})).await.is_empty());
    app.assert_sound().await;
}

#[tokio::test]
async fn what_may_be_changed_under_a_version_says_which_header_names_it() {
    let app = TestApp::start(quenty_customer::service()).await;
    let document = app.get("/openapi.json").send().await.expect(200).json();
    assert_eq!(
        strangers::conditional_operations(&document),
        BTreeSet::from([
            "approve_company",
            "decide_kyc",
            "reject_company",
            "update_company",
            "update_customer",
            "update_user"
        ])
    );
}
