//! Handlers of one type, whatever they take: what axum builds around a handler is compiled once and not for each of them,
//! which was a quarter of the time that a service takes to compile (docs/adr/0016-what-the-tests-take.md).

use std::sync::Arc;

use axum::{extract::Request, handler::Handler, response::Response};
use futures_util::future::BoxFuture;

use crate::App;

/// A handler as the route table has it.
#[derive(Clone)]
pub struct Endpoint(Arc<dyn Fn(Request, App) -> BoxFuture<'static, Response> + Send + Sync>);

impl Endpoint {
    #[must_use]
    pub fn of<T, H>(handler: H) -> Self
    where
        H: Handler<T, App, Future = BoxFuture<'static, Response>>,
    {
        Self(Arc::new(move |request, app| handler.clone().call(request, app)))
    }
}

/// axum asks for a type that tells this from its handlers that are functions.
impl Handler<Endpoint, App> for Endpoint {
    type Future = BoxFuture<'static, Response>;

    fn call(self, request: Request, app: App) -> Self::Future {
        (self.0)(request, app)
    }
}

/// As `utoipa_axum::routes!`: the handlers of one path, with what their `utoipa::path` says of them.
#[macro_export]
macro_rules! routes {
    ($($handler:path),+ $(,)?) => {{
        use utoipa_axum::PathItemExt as _;
        let (mut schemas, mut paths) = (Vec::new(), utoipa::openapi::path::Paths::new());
        let mut router = axum::routing::MethodRouter::new();
        $(
            let (path, operation, methods) = utoipa_axum::routes!(@resolve_types $handler : schemas);
            for method in &methods {
                router = router.on(method.to_method_filter(), $crate::http::Endpoint::of($handler));
            }
            paths.add_path_operation(&path, methods, operation);
        )+
        (schemas, paths, router)
    }};
}
