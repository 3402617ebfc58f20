//! All descriptions in one document. What two services name alike and mean differently gets the service's name in
//! front, so that a name means one thing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{table::public_paths, upstream::Description};

const SCHEMAS: &str = "#/components/schemas/";
const API_KEY: &str = "apiKey";
/// What the gateway itself answers to any request, in its service's place.
const OWN_ANSWERS: [(&str, &str); 5] = [
    ("400", "`MALFORMED_REQUEST`"),
    ("429", "`RATE_LIMITED`, `TOO_MANY_AT_ONCE`: try again after `Retry-After`"),
    ("502", "`UPSTREAM_BROKE_OFF`: what was to be changed may have been"),
    ("503", "`UPSTREAM_UNAVAILABLE`, `OVERLOADED`: try again after `Retry-After`"),
    ("504", "`UPSTREAM_TIMEOUT`"),
];

pub(crate) fn document(services: &[(&'static str, Option<Description>)]) -> Value {
    let known: Vec<(&str, &Value)> =
        services.iter().filter_map(|(name, description)| Some((*name, description.as_deref()?))).collect();
    let (schema_names, operation_ids) = (ambiguous_schemas(&known), ambiguous_operations(&known));
    let (mut paths, mut schemas, mut security_schemes) = (Map::new(), Map::new(), Map::new());
    let key = json!({
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key of a company, in place of a token. It may what its scopes say, but nothing that needs a login.",
    });
    security_schemes.insert(API_KEY.to_owned(), key);
    let mut tags = BTreeSet::new();
    for (service, description) in known {
        let rename = |name: &str| unambiguous(&schema_names, service, name);
        for (path, item) in public_paths(description) {
            let mut item = with_references(item, &rename);
            name_operations(&mut item, service, &operation_ids);
            add_own_answers(&mut item, &rename("Problem"));
            let_keys_in(&mut item);
            paths.insert(path.clone(), item);
        }
        for (name, schema) in schemas_of(description) {
            schemas.insert(rename(name), with_references(schema, &rename));
        }
        let schemes = description["components"]["securitySchemes"].as_object();
        security_schemes.extend(schemes.cloned().unwrap_or_default());
        let named = description["tags"].as_array().into_iter().flatten();
        tags.extend(named.filter_map(|tag| tag["name"].as_str().map(str::to_owned)));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Quenty",
            "description": "The API of the Quenty logistics platform: every service, through the gateway.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": security_schemes},
        "tags": tags.into_iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
    })
}

fn schemas_of(description: &Value) -> impl Iterator<Item = (&String, &Value)> {
    description["components"]["schemas"].as_object().into_iter().flatten()
}

/// Names that several services use, and not for the same: the schemas differ, or what they refer to does.
fn ambiguous_schemas(services: &[(&str, &Value)]) -> BTreeSet<String> {
    let mut by_name: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (name, schema) in services.iter().flat_map(|(_, description)| schemas_of(description)) {
        by_name.entry(name).or_default().push(schema);
    }
    by_name.retain(|_, schemas| schemas.len() > 1);
    let differs = |schemas: &[&Value]| schemas.iter().any(|schema| *schema != schemas[0]);
    let mut ambiguous: BTreeSet<String> = BTreeSet::new();
    loop {
        let refers = |schema: &Value| references(schema).iter().any(|name| ambiguous.contains(*name));
        let found: Vec<String> = by_name
            .iter()
            .filter(|(name, schemas)| {
                !ambiguous.contains(**name)
                    && (differs(schemas) || schemas.iter().any(|schema| refers(schema)))
            })
            .map(|(name, _)| (*name).to_owned())
            .collect();
        if found.is_empty() {
            return ambiguous;
        }
        ambiguous.extend(found);
    }
}

fn ambiguous_operations(services: &[(&str, &Value)]) -> BTreeSet<String> {
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    let operations = services
        .iter()
        .flat_map(|(_, description)| public_paths(description))
        .flat_map(|(_, item)| item.as_object().into_iter().flatten());
    for (_, operation) in operations {
        if let Some(id) = operation["operationId"].as_str()
            && !seen.insert(id)
        {
            twice.insert(id.to_owned());
        }
    }
    twice
}

fn name_operations(item: &mut Value, service: &str, ambiguous: &BTreeSet<String>) {
    for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(id) = operation["operationId"].as_str().filter(|id| ambiguous.contains(*id)) {
            operation["operationId"] = format!("{service}_{id}").into();
        }
    }
}

/// Whatever a service says of the same statuses stays.
fn add_own_answers(item: &mut Value, problem: &str) {
    for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else { continue };
        for (status, description) in OWN_ANSWERS {
            answers.entry(status).or_insert_with(|| {
                let schema = json!({"$ref": format!("{SCHEMAS}{problem}")});
                json!({"description": description, "content": {"application/problem+json": {"schema": schema}}})
            });
        }
        for (status, answer) in answers {
            if let Some(headers) = headers_with(status) {
                answer["headers"] = headers;
            }
        }
    }
}

/// Where a permission is enough, a key may have it, too; not where it also needs a login.
fn let_keys_in(item: &mut Value) {
    for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let refusals = operation["responses"]["403"]["description"].as_str();
        if refusals.is_some_and(|codes| codes.contains("`NO_SESSION`")) {
            continue;
        }
        let permissions = operation["security"][0]["bearer"].clone();
        if let Some(ways) = operation.get_mut("security").and_then(Value::as_array_mut)
            && permissions.as_array().is_some_and(|permissions| !permissions.is_empty())
        {
            ways.push(json!({API_KEY: permissions}));
        }
    }
}

/// The headers that an answer with this status has.
fn headers_with(status: &str) -> Option<Value> {
    let header = |name: &str, is_required: bool, schema: Value| json!({name: {"required": is_required, "schema": schema}});
    match status {
        "201" | "202" => Some(header("Location", true, json!({"type": "string", "format": "uri-reference"}))),
        "401" => Some(header("WWW-Authenticate", true, json!({"type": "string"}))),
        "429" => Some(header("Retry-After", true, json!({"type": "integer", "minimum": 1}))),
        "503" => Some(header("Retry-After", false, json!({"type": "integer", "minimum": 1}))),
        _ => None,
    }
}

/// `UserOut` of auth becomes `AuthUserOut`.
fn unambiguous(ambiguous: &BTreeSet<String>, service: &str, name: &str) -> String {
    let mut letters = service.chars();
    match letters.next().filter(|_| ambiguous.contains(name)) {
        Some(first) => format!("{}{}{name}", first.to_ascii_uppercase(), letters.as_str()),
        None => name.to_owned(),
    }
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => text.strip_prefix(SCHEMAS).into_iter().collect(),
        Value::Array(list) => list.iter().flat_map(references).collect(),
        Value::Object(object) => object.values().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn with_references(value: &Value, rename: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix(SCHEMAS) {
            Some(name) => format!("{SCHEMAS}{}", rename(name)).into(),
            None => value.clone(),
        },
        Value::Array(list) => list.iter().map(|value| with_references(value, rename)).collect(),
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), with_references(value, rename))).collect()
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn service(name: &'static str, user: &str) -> (&'static str, Option<Description>) {
        let description = json!({
            "paths": {format!("/api/v1/{name}/users"): {"get": {"operationId": "list_users", "schema": {"$ref": "#/components/schemas/Page_User"}}}},
            "components": {"schemas": {
                "User": {"type": user},
                "Page_User": {"items": {"$ref": "#/components/schemas/User"}},
                "Money": {"type": "object"},
            }},
        });
        (name, Some(Arc::new(description)))
    }

    #[test]
    fn what_is_named_alike_and_differs_is_told_apart_with_all_that_refers_to_it() {
        let merged = document(&[service("auth", "string"), service("customer", "object"), ("order", None)]);
        let schemas: Vec<_> = merged["components"]["schemas"].as_object().unwrap().keys().collect();
        assert_eq!(schemas, ["AuthPage_User", "AuthUser", "CustomerPage_User", "CustomerUser", "Money"]);
        let operation = &merged["paths"]["/api/v1/customer/users"]["get"];
        assert_eq!(
            (&operation["operationId"], &operation["schema"]["$ref"]),
            (&json!("customer_list_users"), &json!("#/components/schemas/CustomerPage_User"))
        );
        assert_eq!(
            merged["components"]["schemas"]["AuthPage_User"]["items"]["$ref"],
            "#/components/schemas/AuthUser"
        );
    }

    #[test]
    fn what_is_the_same_keeps_its_name() {
        let merged = document(&[service("auth", "string"), service("customer", "string")]);
        let schemas: Vec<_> = merged["components"]["schemas"].as_object().unwrap().keys().collect();
        assert_eq!(schemas, ["Money", "Page_User", "User"]);
    }

    #[test]
    fn what_the_gateway_answers_by_itself_is_told_beside_what_the_service_says() {
        let own = json!({"responses": {"201": {"description": "made"}, "503": {"description": "own"}}});
        let merged = document(&[("a", Some(Arc::new(json!({"paths": {"/api/v1/a": {"post": own}}}))))]);
        let answers = merged["paths"]["/api/v1/a"]["post"]["responses"].as_object().unwrap();
        assert_eq!(answers.keys().collect::<Vec<_>>(), ["201", "400", "429", "502", "503", "504"]);
        assert_eq!(answers["503"]["description"], "own");
        let problem = &answers["429"]["content"]["application/problem+json"]["schema"];
        assert_eq!(problem["$ref"], "#/components/schemas/Problem");
        let required = |status: &str, header: &str| answers[status]["headers"][header]["required"].clone();
        assert_eq!((required("201", "Location"), required("429", "Retry-After")), (json!(true), json!(true)));
    }

    #[test]
    fn a_key_is_another_way_where_a_permission_is_enough() {
        let refused = |codes: &str| json!({"403": {"description": codes}});
        let paths = json!({
            "/api/v1/orders": {"get": {"security": [{"bearer": ["orders:read"]}], "responses": refused("`NOT_PERMITTED`")}},
            "/api/v1/keys": {"get": {"security": [{"bearer": ["keys:read"]}], "responses": refused("`NO_COMPANY`, `NO_SESSION`")}},
            "/api/v1/me": {"get": {"security": [{"bearer": []}]}},
            "/api/v1/tracking": {"get": {"security": [{}]}},
        });
        let merged = document(&[("a", Some(Arc::new(json!({"paths": paths}))))]);
        let ways = |path: &str| merged["paths"][path]["get"]["security"].clone();
        assert_eq!(ways("/api/v1/orders"), json!([{"bearer": ["orders:read"]}, {"apiKey": ["orders:read"]}]));
        assert_eq!(ways("/api/v1/keys"), json!([{"bearer": ["keys:read"]}]), "only who is logged in");
        assert_eq!(ways("/api/v1/me"), json!([{"bearer": []}]));
        assert_eq!(ways("/api/v1/tracking"), json!([{}]));
        assert_eq!(merged["components"]["securitySchemes"]["apiKey"]["name"], "X-API-Key");
    }
}
