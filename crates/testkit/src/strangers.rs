//! The strangers test: walks a service's OpenAPI document and tries every operation without a token, with a
//! token that lacks the permission, and as another tenant. A new route is covered on the day it is born.

use http::Method;
use quenty_kernel::id::CompanyId;
use quenty_platform::token::Realm;
use serde_json::{Value, json};

use crate::app::TestApp;

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    pub path: String,
    pub operation_id: String,
    /// `None`: open to anyone. `Some("")`: any logged-in person.
    pub permission: Option<String>,
    pub has_body: bool,
}

/// Every operation that the service describes.
#[must_use]
pub fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let permission = operation["security"]
                .as_array()
                .and_then(|list| list.first())
                .and_then(|scheme| scheme["bearer"].as_array())
                .map(|scopes| scopes.first().and_then(Value::as_str).unwrap_or_default().to_owned());
            found.push(Operation {
                method,
                path: path.clone(),
                operation_id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                permission,
                has_body: !operation["requestBody"].is_null(),
            });
        }
    }
    found
}

/// Tries every operation as a stranger; `open` lists the operation ids that need no token.
pub async fn check(app: &TestApp, open: &[&str]) {
    let document = app.get("/openapi.json").send().await.expect(200).json();
    let operations = operations(&document);
    assert!(!operations.is_empty(), "the document describes no operation");
    let everything_but = |_: &str| app.token(Realm::Company, Some(CompanyId::new()), &["nothing:at-all"]);
    for operation in &operations {
        let Some(permission) = &operation.permission else {
            assert!(
                open.contains(&operation.operation_id.as_str()),
                "{} {} needs no token: is that meant?",
                operation.method,
                operation.path
            );
            continue;
        };
        let refused = send(app, operation, None).await;
        assert_eq!(
            (refused.status(), refused.code().as_str()),
            (401, "NO_TOKEN"),
            "{operation:?} without a token"
        );
        if permission.is_empty() {
            continue;
        }
        let refused = send(app, operation, Some(&everything_but(permission))).await;
        assert_eq!(
            (refused.status(), refused.code().as_str()),
            (403, "NOT_PERMITTED"),
            "{operation:?} without its permission"
        );
        assert_eq!(
            refused.json()["permission"],
            json!(permission),
            "{operation:?}: the document and the handler name different permissions"
        );
        if operation.path.contains('{') {
            let other = app.token(Realm::Company, Some(CompanyId::new()), &[permission]);
            let hidden = send(app, operation, Some(&other)).await;
            assert!(
                !hidden.status.is_success() && hidden.status() < 500,
                "{operation:?} as another tenant: {} {}",
                hidden.status,
                hidden.text()
            );
        }
    }
}

async fn send(app: &TestApp, operation: &Operation, token: Option<&str>) -> crate::http::Answer {
    let path = operation
        .path
        .split('/')
        .map(|segment| if segment.starts_with('{') { "x" } else { segment })
        .collect::<Vec<_>>()
        .join("/");
    let mut call = app.call(operation.method.clone(), &path);
    if operation.has_body {
        call = call.json(&json!({}));
    }
    if let Some(token) = token {
        call = call.token(token);
    }
    call.send().await
}
