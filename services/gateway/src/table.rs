//! The route table: made of the services' OpenAPI documents and nothing else.

use std::collections::BTreeMap;

use hyper::Method;
use serde_json::Value;

use crate::{merged, upstream::Description};

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
    pub(crate) fn new(services: Vec<(&'static str, Option<Description>)>) -> Result<Self, Conflict> {
        let mut paths = matchit::Router::new();
        for (upstream, (_, description)) in services.iter().enumerate() {
            for (template, item) in description.iter().flat_map(|description| public_paths(description)) {
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
            }
        }
        let complete = services.iter().all(|(_, description)| description.is_some());
        Ok(Self { paths, complete, merged: merged::document(&services) })
    }

    pub(crate) fn has_routes(&self) -> bool {
        self.merged["paths"].as_object().is_some_and(|paths| !paths.is_empty())
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Ok(matched) = self.paths.at(path) else { return Found::Nothing };
        let route = matched.value;
        let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
        match route.operations.get(wanted) {
            Some(access) => Found::Operation { upstream: route.upstream, template: &route.template, access },
            None => {
                let head = route.operations.contains_key("GET").then_some("HEAD");
                Found::OtherMethods(route.operations.keys().map(String::as_str).chain(head).collect())
            }
        }
    }
}

/// The paths of a description that are routed.
pub(crate) fn public_paths(description: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let paths = description["paths"].as_object().into_iter().flatten();
    paths.filter(|(template, _)| PUBLIC_PREFIXES.iter().any(|prefix| template.starts_with(prefix)))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn description(paths: Value) -> (&'static str, Option<Description>) {
        ("a", Some(Arc::new(json!({"paths": paths}))))
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
        assert!(!Table::new(vec![("a", None)]).unwrap().complete);
    }
}
