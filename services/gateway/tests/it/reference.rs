use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use axum::Router;
use quenty_gateway::Upstream;
use quenty_kernel::id::UserId;
use quenty_platform::token::Realm;
use quenty_testkit::{keys, strangers::operations};
use serde_json::Value;

use crate::support::Door;

/// The platform's services, as they describe themselves.
fn services() -> Vec<(&'static str, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi");
    let mut pages: Vec<_> = std::fs::read_dir(folder).unwrap().map(|page| page.unwrap().path()).collect();
    pages.sort();
    let read = |page: &PathBuf| {
        let name = page.file_stem().unwrap().to_str().unwrap().to_owned();
        (&*name.leak(), serde_json::from_slice(&std::fs::read(page).unwrap()).unwrap())
    };
    pages.iter().map(read).collect()
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(references).collect(),
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(object.values().flat_map(references)).collect()
        }
        _ => Vec::new(),
    }
}

fn dangling(document: &Value) -> impl Iterator<Item = String> {
    references(document).into_iter().filter(|reference| {
        reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).is_none()
    })
}

/// The example that a service gives of an operation's JSON body.
fn example<'a>(document: &'a Value, operation: &'a Value) -> Option<&'a Value> {
    let content = &operation["requestBody"]["content"]["application/json"];
    let schema = &content["schema"];
    let component = schema["$ref"].as_str().and_then(|name| document.pointer(name.strip_prefix('#')?));
    let given =
        [&content["example"], &schema["example"], component.map_or(&Value::Null, |named| &named["example"])];
    given.into_iter().find(|example| !example.is_null())
}

#[tokio::test]
async fn no_example_of_a_service_is_refused_at_the_door() {
    let services = services();
    let taken = || Router::new().fallback(|| async { "taken" });
    let upstreams = services.iter().map(|(name, document)| Upstream::local(name, taken(), document.clone()));
    let door = Door::open(upstreams.collect(), &[]).await;
    let token = keys::sign(&keys::claims(Realm::Staff, UserId::new(), None, &["*"]));
    let mut tried = 0;
    for (name, document) in &services {
        for operation in operations(document).iter().filter(|operation| operation.path.starts_with("/api/")) {
            let method = operation.method.as_str().to_ascii_lowercase();
            let Some(body) = example(document, &document["paths"][&operation.path][method]) else { continue };
            let sent = door.call(operation.method.clone(), &operation.example_path).token(&token).json(body);
            let answer = sent.send().await;
            assert_eq!(answer.status(), 200, "{name} {}: {body}: {}", operation.operation_id, answer.text());
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried} examples");
}

#[tokio::test]
async fn in_the_merged_document_a_name_means_one_thing_and_every_reference_leads_somewhere() {
    let services = services();
    let upstreams =
        services.iter().map(|(name, document)| Upstream::local(name, Router::new(), document.clone()));
    let door = Door::open(upstreams.collect(), &[]).await;
    let answer = door.get("/openapi.json").send().await.expect(200);
    let etag = answer.header("etag").unwrap();
    let again = door.get("/openapi.json").header("if-none-match", etag).send().await.expect(304);
    assert!(again.body.is_empty());
    for _ in 0..2 {
        let smaller = door.get("/openapi.json").header("accept-encoding", "gzip").send().await.expect(200);
        assert_eq!((smaller.header("content-encoding"), smaller.header("etag")), (Some("gzip"), Some(etag)));
        assert!(smaller.body.len() < answer.body.len() / 4);
    }
    let document = answer.json();
    let ids: Vec<String> =
        operations(&document).into_iter().map(|operation| operation.operation_id).collect();
    assert!(ids.len() > 80);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "every operation has an id of its own");
    for wanted in ["auth_list_users", "customer_list_users", "login"] {
        assert!(ids.iter().any(|id| id == wanted), "{wanted}");
    }
    assert!(references(&document).len() > 100);
    let lost: Vec<String> = dangling(&document).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    assert!(schema("UserOut").is_null());
    assert!(schema("AuthUserOut")["properties"]["username"].is_object());
    assert!(schema("CustomerUserOut")["properties"]["phone"].is_object());
    assert!(schema("Problem").is_object(), "what all mean alike has one name");
}
