//! The strangers test: walks a service's OpenAPI document and tries every operation without a token, with a
//! token that lacks the permission, and as a tenant who owns nothing. A new route is covered on the day it is born.
//!
//! Here nobody has anything: that one tenant cannot reach another's things is told in `tests/journeys/strangers.rs`,
//! over real ones.

use std::collections::BTreeSet;

use http::Method;
use quenty_kernel::id::CompanyId;
use quenty_platform::token::Realm;
use serde_json::{Value, json};

use crate::{app::TestApp, http::Answer};

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    pub path: String,
    pub operation_id: String,
    /// `None`: open to anyone. `Some("")`: any logged-in person.
    pub permission: Option<String>,
    pub has_body: bool,
    /// Answers with events and does not end.
    pub streams: bool,
    /// Names of the query's parameters, and of those among them that must be given.
    pub query: Vec<String>,
    pub required_query: Vec<String>,
    /// The path with ids in it that are well formed and belong to nothing.
    pub example_path: String,
}

impl Operation {
    #[must_use]
    pub fn has_path_id(&self) -> bool {
        self.path.contains('{')
    }
}

/// The operations that may be conditional: those that answer 412 say which header names the version, and no others.
#[must_use]
pub fn conditional_operations(document: &Value) -> BTreeSet<&str> {
    let items = document["paths"].as_object().expect("paths").values();
    let mut conditional = BTreeSet::new();
    for operation in items.flat_map(|item| item.as_object().expect("operations").values()) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        let says = parameters.any(|of| of["name"] == "If-Match" && of["in"] == "header");
        assert_eq!(says, operation["responses"]["412"].is_object(), "{id}");
        if says {
            conditional.insert(id);
        }
    }
    conditional
}

/// Every operation that the service describes.
#[must_use]
pub fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            found.push(read(document, method, path, operation));
        }
    }
    found
}

fn read(document: &Value, method: Method, path: &str, operation: &Value) -> Operation {
    let permission = operation["security"]
        .as_array()
        .and_then(|list| list.first())
        .and_then(|scheme| scheme["bearer"].as_array())
        .map(|scopes| scopes.first().and_then(Value::as_str).unwrap_or_default().to_owned());
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let queries = || parameters.iter().filter(|parameter| parameter["in"] == "query");
    let name = |parameter: &Value| parameter["name"].as_str().unwrap_or_default().to_owned();
    let mut example_path = path.to_owned();
    for parameter in parameters.iter().filter(|parameter| parameter["in"] == "path") {
        let placeholder = format!("{{{}}}", name(parameter));
        example_path = example_path.replace(&placeholder, &example(document, &parameter["schema"]));
    }
    Operation {
        method,
        path: path.to_owned(),
        operation_id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
        permission,
        has_body: !operation["requestBody"].is_null(),
        streams: operation["responses"]["200"]["content"].get("text/event-stream").is_some(),
        query: queries().map(name).collect(),
        required_query: queries().filter(|parameter| parameter["required"] == true).map(name).collect(),
        example_path,
    }
}

/// What the schema gives as an example, as every typed id does.
fn example(document: &Value, schema: &Value) -> String {
    let reference = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
    let schema = reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema);
    let text = match schema["format"].as_str() {
        Some("uuid") => "01934b3f-a7c5-7f0e-9d3b-1c2a4e5f6071",
        _ => schema["examples"][0].as_str().or(schema["example"].as_str()).unwrap_or("x"),
    };
    text.to_owned()
}

/// Tries every operation as a stranger; `open` lists the operation ids that need no token.
pub async fn check(app: &TestApp, open: &[&str]) {
    let document = app.get("/openapi.json").send().await.expect(200).json();
    let operations = operations(&document);
    assert!(!operations.is_empty(), "the document describes no operation");
    for operation in &operations {
        let Some(permission) = &operation.permission else {
            let is_meant = open.contains(&operation.operation_id.as_str());
            assert!(is_meant, "{} {} needs no token: is that meant?", operation.method, operation.path);
            continue;
        };
        let refused = send(app, operation, None).await;
        assert_refused(operation, &refused, 401, "NO_TOKEN");
        if permission.is_empty() {
            continue;
        }
        let powerless = app.token(Realm::Company, Some(CompanyId::new()), &["nothing:at-all"]);
        let refused = send(app, operation, Some(&powerless)).await;
        assert_refused(operation, &refused, 403, "NOT_PERMITTED");
        assert_eq!(
            refused.json()["permission"],
            json!(permission),
            "{operation:?}: the document and the handler name different permissions"
        );
        // What needs a body or a query is tried where there are real ones.
        if operation.has_path_id() && !operation.has_body && operation.required_query.is_empty() {
            let other = app.token(Realm::Company, Some(CompanyId::new()), &[permission]);
            let hidden = send(app, operation, Some(&other)).await;
            let is_hidden = hidden.code() == "NOT_FOUND" || hidden.status() == 403;
            assert!(is_hidden, "{operation:?} as another tenant: {} {}", hidden.status, hidden.text());
        }
    }
}

#[track_caller]
fn assert_refused(operation: &Operation, answer: &Answer, status: u16, code: &str) {
    let told = (answer.status(), answer.code());
    assert_eq!(told, (status, code.to_owned()), "{operation:?}: {}", answer.text());
}

async fn send(app: &TestApp, operation: &Operation, token: Option<&str>) -> Answer {
    let mut call = app.call(operation.method.clone(), &operation.example_path);
    if operation.has_body {
        call = call.json(&json!({}));
    }
    if let Some(token) = token {
        call = call.token(token);
    }
    call.send().await
}
