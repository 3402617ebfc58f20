//! The route table: made of the services' OpenAPI documents and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use hyper::Method;
use serde_json::{Map, Value, json};

use crate::upstream::Description;

/// What is routed; internal operations and the services' own health and metrics are not.
const PUBLIC_PREFIXES: [&str; 2] = ["/api/", "/.well-known/"];

/// Who may call an operation, as the service describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    Anyone,
    LoggedIn,
    Permission(String),
}

/// Two services describe the same path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("two services claim {path}")]
pub struct Conflict {
    path: String,
}

#[derive(Debug)]
struct Route {
    upstream: usize,
    template: String,
    operations: BTreeMap<String, Access>,
}

/// The outcome of a look-up.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Operation {
        upstream: usize,
        template: &'a str,
        access: &'a Access,
    },
    /// The path exists, with these methods.
    OtherMethods(Vec<&'a str>),
    Nothing,
}

/// Which path goes to which service.
#[derive(Debug)]
pub(crate) struct Table {
    paths: matchit::Router<Route>,
    /// Whether every service has described itself.
    pub(crate) complete: bool,
    /// All descriptions in one document.
    pub(crate) merged: Value,
}

impl Table {
    /// # Errors
    /// When two services claim the same path.
    pub(crate) fn new(descriptions: Vec<Option<Description>>) -> Result<Self, Conflict> {
        let mut paths = matchit::Router::new();
        let complete = descriptions.iter().all(Option::is_some);
        let mut merged = Merged::default();
        for (upstream, description) in descriptions.into_iter().enumerate() {
            let Some(description) = description else { continue };
            for (template, item) in description["paths"].as_object().into_iter().flatten() {
                if !PUBLIC_PREFIXES.iter().any(|prefix| template.starts_with(prefix)) {
                    continue;
                }
                let operations = item
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(method, operation)| (method.to_ascii_uppercase(), access(operation)))
                    .collect();
                let route = Route { upstream, template: template.clone(), operations };
                paths
                    .insert(with_numbered_parameters(template), route)
                    .map_err(|_| Conflict { path: template.clone() })?;
                merged.paths.insert(template.clone(), item.clone());
            }
            merged.take_components(&description);
        }
        Ok(Self { paths, complete, merged: merged.document() })
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Ok(matched) = self.paths.at(path) else { return Found::Nothing };
        let route = matched.value;
        let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
        match route.operations.get(wanted) {
            Some(access) => Found::Operation { upstream: route.upstream, template: &route.template, access },
            None => Found::OtherMethods(route.operations.keys().map(String::as_str).collect()),
        }
    }
}

fn access(operation: &Value) -> Access {
    let Some(requirement) = operation["security"].as_array().and_then(|list| list.first()) else {
        return Access::Anyone;
    };
    let permission =
        requirement["bearer"].as_array().and_then(|scopes| scopes.first()).and_then(Value::as_str);
    permission.map_or(Access::LoggedIn, |permission| Access::Permission(permission.to_owned()))
}

/// Services name the same parameter differently (`{id}`, `{company_id}`); the table does not care.
fn with_numbered_parameters(template: &str) -> String {
    template
        .split('/')
        .enumerate()
        .map(
            |(position, segment)| {
                if segment.starts_with('{') { format!("{{p{position}}}") } else { segment.to_owned() }
            },
        )
        .collect::<Vec<_>>()
        .join("/")
}

#[derive(Default)]
struct Merged {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
    security_schemes: Map<String, Value>,
    tags: BTreeSet<String>,
}

impl Merged {
    fn take_components(&mut self, description: &Value) {
        let components = &description["components"];
        self.schemas.extend(components["schemas"].as_object().cloned().unwrap_or_default());
        self.security_schemes.extend(components["securitySchemes"].as_object().cloned().unwrap_or_default());
        for tag in description["tags"].as_array().into_iter().flatten() {
            self.tags.extend(tag["name"].as_str().map(str::to_owned));
        }
    }

    fn document(self) -> Value {
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Quenty",
                "description": "The API of the Quenty logistics platform: every service, through the gateway.",
                "version": env!("CARGO_PKG_VERSION"),
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "paths": self.paths,
            "components": {"schemas": self.schemas, "securitySchemes": self.security_schemes},
            "tags": self.tags.into_iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn description(paths: Value) -> Option<Description> {
        Some(Arc::new(json!({"paths": paths})))
    }

    #[test]
    fn a_path_goes_to_the_service_that_describes_it() {
        let orders =
            description(json!({"/api/v1/orders/{id}": {"get": {"security": [{"bearer": ["orders:read"]}]}}}));
        let auth = description(json!({"/api/v1/auth/login": {"post": {}}, "/internal/x": {"get": {}}}));
        let table = Table::new(vec![orders, auth]).unwrap();
        assert!(
            matches!(table.find(&Method::GET, "/api/v1/orders/ORD-1"), Found::Operation { upstream: 0, access: Access::Permission(p), .. } if p == "orders:read")
        );
        assert!(matches!(
            table.find(&Method::POST, "/api/v1/auth/login"),
            Found::Operation { upstream: 1, access: Access::Anyone, .. }
        ));
        assert!(
            matches!(table.find(&Method::DELETE, "/api/v1/auth/login"), Found::OtherMethods(methods) if methods == ["POST"])
        );
        assert!(matches!(table.find(&Method::GET, "/internal/x"), Found::Nothing));
        assert!(matches!(table.find(&Method::GET, "/api/v1/../internal/x"), Found::Nothing));
    }

    #[test]
    fn parameters_may_have_other_names_but_two_services_may_not_share_a_path() {
        let one = || description(json!({"/api/v1/a/{id}": {"get": {}}, "/api/v1/a/{a_id}/b": {"get": {}}}));
        assert!(Table::new(vec![one()]).is_ok());
        assert_eq!(
            Table::new(vec![one(), one()]).unwrap_err(),
            Conflict { path: "/api/v1/a/{a_id}/b".to_owned() }
        );
    }

    #[test]
    fn it_knows_when_a_service_has_not_described_itself_yet() {
        assert!(!Table::new(vec![None]).unwrap().complete);
    }
}
