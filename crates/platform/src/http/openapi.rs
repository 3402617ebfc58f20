//! The OpenAPI document of a service: generated from its handlers, completed with what the chassis does
//! for every operation (authentication, problem documents, idempotency).

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, RefOr, Required, ResponseBuilder,
        ServerBuilder,
        path::{Operation, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use super::problem::{Problem, ProblemField};
use crate::Service;

/// The whole document of a service, without running it.
#[must_use]
pub fn document(service: &Service) -> OpenApi {
    super::assemble(service).1
}

pub(super) fn complete(api: &mut OpenApi, service: &Service) {
    api.info = InfoBuilder::new()
        .title(format!("Quenty {}", service.name))
        .description(Some(service.about))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(utoipa::openapi::License::new("Apache-2.0")))
        .build();
    api.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    let components = api.components.get_or_insert_with(Components::new);
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    components.schemas.insert(ProblemField::name().into_owned(), ProblemField::schema());
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    for (path, item) in &mut api.paths.paths {
        let operations = [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Patch, &mut item.patch),
            (HttpMethod::Delete, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                complete_operation(operation, path, &method);
            }
        }
    }
}

fn complete_operation(operation: &mut Operation, path: &str, method: &HttpMethod) {
    // An empty requirement says that anyone may.
    let needs = |requirement: &SecurityRequirement| *requirement != SecurityRequirement::default();
    let secured = operation.security.as_ref().is_some_and(|list| list.iter().any(needs));
    let has_body = operation.request_body.is_some();
    let mut problems = vec![("503", "`DATABASE_UNAVAILABLE`, `TIMED_OUT`: try again after `Retry-After`")];
    if secured {
        problems.push(("401", "`NO_TOKEN`, `INVALID_TOKEN`"));
        problems.push(("403", "`NOT_PERMITTED`, `NO_COMPANY`"));
    }
    if path.contains('{') {
        problems.push(("404", "`NOT_FOUND`: absent, or another company's"));
    }
    if has_body {
        problems.push(("400", "`MALFORMED_JSON`"));
        problems.push(("413", "`BODY_TOO_LARGE`"));
        problems.push(("415", "`UNSUPPORTED_MEDIA_TYPE`"));
    }
    if has_body || path.contains('{') || operation.parameters.is_some() {
        problems.push(("422", "`INVALID_BODY`, `INVALID_PATH`, `INVALID_QUERY`: `errors` names the fields"));
    }
    for (status, description) in problems {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| problem(description));
    }
    // Problems named by the handler without a body get the one schema too.
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && (status.starts_with('4') || status.starts_with('5'))
            && response.content.is_empty()
        {
            response.content.insert("application/problem+json".to_owned(), RefOr::T(problem_content()));
        }
    }
    if *method == HttpMethod::Post && secured {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "Repeat a request safely: the same key and body give the first answer again, for 24 hours",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).max_length(Some(128))))
            .build();
        operation.parameters.get_or_insert_with(Vec::new).push(key.into());
    }
}

fn problem_content() -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(utoipa::openapi::Ref::from_schema_name(Problem::name()))).build()
}

fn problem(description: &str) -> RefOr<utoipa::openapi::Response> {
    RefOr::T(
        ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", problem_content())
            .build(),
    )
}
