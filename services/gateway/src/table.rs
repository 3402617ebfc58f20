//! The route table: made of the services' OpenAPI documents and nothing else.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use axum::body::Bytes;
use hyper::{
    Method,
    header::{HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use crate::{
    bodies::Expected,
    door,
    limits::Class,
    merged,
    reference::{self, Document},
    retirement,
    timings::Timings,
    upstream::{Description, Usual},
};

/// What is routed; internal operations and the services' own health and metrics are not.
const PUBLIC_PREFIXES: [&str; 2] = ["/api/", "/.well-known/"];

/// Who may call an operation, as the service describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    Anyone,
    LoggedIn,
    Permission(String),
}

/// What is wrong with the services' descriptions.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Misdescribed {
    #[error("two services claim {path}")]
    Twice { path: String },
    /// Nothing said is not taken for `security: [{}]`: who forgets a line would open an operation to anyone.
    #[error("{method} {path} does not say who may call it: its description has no `security`")]
    Unsaid { method: String, path: String },
}

/// What the gateway knows of an operation: all from its service's description.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) upstream: usize,
    pub(crate) timings: Arc<Timings>,
    pub(crate) access: Access,
    pub(crate) class: Class,
    /// Of its class's quota (`x-limit-cost`).
    pub(crate) cost: u32,
    pub(crate) body: Expected,
    pub(crate) is_read: bool,
    /// Whether an answer to a `GET` of its path has ever been one to keep.
    pub(crate) is_kept: Arc<AtomicBool>,
    pub(crate) usual: Usual,
    /// That it goes away, when, and what comes instead.
    pub(crate) retirement: Vec<(HeaderName, HeaderValue)>,
}

impl Operation {
    fn new(
        upstream: usize,
        timings: &Arc<Timings>,
        is_kept: &Arc<AtomicBool>,
        method: &str,
        description: &Description,
        described: &Value,
    ) -> Result<Self, Misdescribed> {
        let template = &*timings.route;
        let unsaid = || Misdescribed::Unsaid { method: method.to_owned(), path: template.to_owned() };
        let access = access(described).ok_or_else(unsaid)?;
        let cost = described["x-limit-cost"].as_u64().and_then(|cost| cost.try_into().ok());
        Ok(Self {
            upstream,
            timings: Arc::clone(timings),
            class: Class::of(method, described, access == Access::Anyone),
            access,
            cost: cost.unwrap_or(1),
            is_read: method == "GET",
            is_kept: Arc::clone(is_kept),
            usual: Usual::of(described),
            body: Expected::of(description, template, method, described),
            retirement: retirement::headers(described),
        })
    }
}

#[derive(Debug)]
struct Route {
    operations: BTreeMap<String, Arc<Operation>>,
}

/// The outcome of a look-up.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Operation(&'a Arc<Operation>),
    /// The path exists, with these methods.
    OtherMethods(Vec<&'a str>),
    Nothing,
}

/// Which path goes to which service.
#[derive(Debug)]
pub(crate) struct Table {
    paths: matchit::Router<Route>,
    has_routes: bool,
    /// Whether every service has described itself.
    pub(crate) complete: bool,
    /// All descriptions in one document, as JSON.
    pub(crate) merged: Document,
    /// The versions of the API, as JSON.
    pub(crate) versions: Bytes,
}

impl Table {
    /// # Errors
    /// When two services claim the same path, or an operation does not say who may call it.
    pub(crate) fn new(services: &[(&'static str, Option<Description>)]) -> Result<Self, Misdescribed> {
        let mut paths = matchit::Router::new();
        let known = services.iter().enumerate().filter_map(|(at, (_, known))| Some((at, known.as_ref()?)));
        for (upstream, description) in known {
            for (template, item) in public_paths(description) {
                let (timings, is_kept) = (Arc::new(Timings::of(template.as_str())), Arc::default());
                let operations = item.as_object().into_iter().flatten().map(|(method, described)| {
                    let method = method.to_ascii_uppercase();
                    let operation =
                        Operation::new(upstream, &timings, &is_kept, &method, description, described)?;
                    Ok((method, Arc::new(operation)))
                });
                let route = Route { operations: operations.collect::<Result<_, Misdescribed>>()? };
                paths
                    .insert(with_numbered_parameters(template), route)
                    .map_err(|_| Misdescribed::Twice { path: template.clone() })?;
            }
        }
        let merged = merged::document(services);
        Ok(Self {
            paths,
            has_routes: merged["paths"].as_object().is_some_and(|paths| !paths.is_empty()),
            complete: services.iter().all(|(_, description)| description.is_some()),
            versions: reference::versions_in(&merged["paths"]).to_string().into(),
            merged: Document::new(merged.to_string()),
        })
    }

    pub(crate) fn has_routes(&self) -> bool {
        self.has_routes
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Some(route) = self.route(path) else { return Found::Nothing };
        let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
        match route.operations.get(wanted) {
            Some(operation) => Found::Operation(operation),
            None => Found::OtherMethods(route.methods()),
        }
    }

    /// The methods of a path; none if there is no such path.
    pub(crate) fn methods(&self, path: &str) -> Vec<&str> {
        self.route(path).map(Route::methods).unwrap_or_default()
    }

    fn route(&self, path: &str) -> Option<&Route> {
        if door::climbs(path) { None } else { self.paths.at(path).ok().map(|matched| matched.value) }
    }
}

impl Route {
    fn methods(&self) -> Vec<&str> {
        let head = self.operations.contains_key("GET").then_some("HEAD");
        self.operations.keys().map(String::as_str).chain(head).collect()
    }
}

/// The paths of a description that are routed.
pub(crate) fn public_paths(description: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let paths = description["paths"].as_object().into_iter().flatten();
    paths.filter(|(template, _)| PUBLIC_PREFIXES.iter().any(|prefix| template.starts_with(prefix)))
}

/// Who may call it, if it says so: anyone where the list or its first requirement is empty.
fn access(operation: &Value) -> Option<Access> {
    let requirements = operation["security"].as_array()?;
    let Some(requirement) = requirements.first().filter(|first| **first != json!({})) else {
        return Some(Access::Anyone);
    };
    let permission =
        requirement["bearer"].as_array().and_then(|scopes| scopes.first()).and_then(Value::as_str);
    Some(permission.map_or(Access::LoggedIn, |permission| Access::Permission(permission.to_owned())))
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
    use super::*;

    fn description(paths: Value) -> (&'static str, Option<Description>) {
        ("a", Some(Arc::new(json!({"paths": paths}))))
    }

    #[test]
    fn a_path_goes_to_the_service_that_describes_it() {
        let orders =
            description(json!({"/api/v1/orders/{id}": {"get": {"security": [{"bearer": ["orders:read"]}]}}}));
        let auth = description(
            json!({"/api/v1/auth/login": {"post": {"security": [{}]}}, "/internal/x": {"get": {}}}),
        );
        let table = Table::new(&[orders, auth]).unwrap();
        let found = |method, path| match table.find(&method, path) {
            Found::Operation(operation) => (operation.upstream, operation.access.clone()),
            other => panic!("{other:?}"),
        };
        let permission = Access::Permission("orders:read".to_owned());
        assert_eq!(found(Method::GET, "/api/v1/orders/ORD-1"), (0, permission));
        assert_eq!(found(Method::POST, "/api/v1/auth/login"), (1, Access::Anyone));
        assert!(
            matches!(table.find(&Method::DELETE, "/api/v1/auth/login"), Found::OtherMethods(methods) if methods == ["POST"])
        );
        for path in [
            "/internal/x",
            "/api/v1/../internal/x",
            "/api/v1/orders/..",
            "/api/v1/orders/%2e%2e",
            "/API/v1/orders/1",
        ] {
            assert!(matches!(table.find(&Method::GET, path), Found::Nothing), "{path}");
        }
    }

    #[test]
    fn parameters_may_have_other_names_but_two_services_may_not_share_a_path() {
        let open = json!({"get": {"security": []}});
        let one = || description(json!({"/api/v1/a/{id}": open, "/api/v1/a/{a_id}/b": open}));
        assert!(Table::new(&[one()]).is_ok());
        assert_eq!(
            Table::new(&[one(), one()]).unwrap_err(),
            Misdescribed::Twice { path: "/api/v1/a/{a_id}/b".to_owned() }
        );
    }

    #[test]
    fn what_does_not_say_who_may_call_it_is_open_to_nobody() {
        let unsaid = description(json!({"/api/v1/a": {"post": {"security": [{}]}, "get": {}}}));
        let refused = Table::new(&[unsaid]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "GET /api/v1/a does not say who may call it: its description has no `security`"
        );
    }

    #[test]
    fn it_knows_when_a_service_has_not_described_itself_yet() {
        assert!(!Table::new(&[("a", None)]).unwrap().complete);
    }
}
