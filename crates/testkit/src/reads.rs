//! Which of a service's operations leave a record when the platform's own people read by them (ADR 18).

use std::collections::BTreeSet;

use http::Method;
use quenty_kernel::id::UserId;
use quenty_platform::{
    access::{self, Filter},
    token::Realm,
};

use crate::{app::TestApp, strangers};

/// Asks every `GET` that needs a permission, as staff who hold it. What may answer with people's names, addresses or
/// documents is `personal` and leaves a record; `others` do not. A permission that is in neither makes this fail: somebody
/// has to decide.
pub async fn check(app: &TestApp, personal: &[&str], others: &[&str]) {
    let document = app.get("/openapi.json").send().await.expect(200).json();
    let is_asked = |operation: &strangers::Operation| {
        operation.method == Method::GET && !operation.streams && operation.permission.is_some()
    };
    let mut found = BTreeSet::new();
    for operation in strangers::operations(&document).into_iter().filter(is_asked) {
        let permission = operation.permission.unwrap_or_default();
        if permission.is_empty() || permission.starts_with("internal.") {
            continue;
        }
        let reader = UserId::new();
        let token = app.token_of(reader, Realm::Staff, None, &[&permission]);
        let answer = app.get(&operation.example_path).token(&token).send().await;
        assert!(answer.status() < 500, "{}: {}", operation.path, answer.text());
        let filter = Filter { actor: Some(reader), ..Filter::default() };
        let reads = access::reads(app.app.db(), &filter, 10).await.expect("the journal can be read");
        let told: Vec<_> = reads.iter().map(|read| (read.operation.as_str(), read.path.as_str())).collect();
        let operation_name = format!("GET {}", operation.path);
        let expected = [(operation_name.as_str(), operation.example_path.as_str())];
        let is_personal = personal.contains(&permission.as_str());
        assert_eq!(told, expected[usize::from(!is_personal)..], "{permission}");
        found.insert(permission);
    }
    let decided: BTreeSet<_> = personal.iter().chain(others).map(|name| (*name).to_owned()).collect();
    assert_eq!(found, decided, "each permission to read is decided on, and no other");
}
