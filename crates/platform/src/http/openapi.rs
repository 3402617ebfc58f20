//! The OpenAPI document of a service: generated from its handlers, completed with what the chassis does
//! for every operation (authentication, problem documents, idempotency).

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, RefOr, Required, ResponseBuilder,
        ServerBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
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
    let is_keyed = *method == HttpMethod::Post && secured;
    if is_keyed {
        operation.parameters.get_or_insert_with(Vec::new).push(idempotency_key().into());
    }
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let has_header = parameters.iter().any(
        |parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Header),
    );
    let takes_anything = has_body || path.contains('{') || !parameters.is_empty();
    let problems = [
        (has_body, "400", "`MALFORMED_JSON`, `UNREADABLE_BODY`"),
        (has_header, "400", "`MALFORMED_IDEMPOTENCY_KEY`, `MALFORMED_IF_MATCH`"),
        (secured, "401", "`NO_TOKEN`, `INVALID_TOKEN`"),
        (secured, "403", "`NOT_PERMITTED`, `NO_COMPANY`"),
        (path.contains('{'), "404", "`NOT_FOUND`: absent, or another company's"),
        (has_body, "408", "`BODY_TOO_SLOW`"),
        (is_keyed, "409", "`IDEMPOTENCY_IN_PROGRESS`, `ANSWERED_WITH_A_SECRET`"),
        (has_body, "413", "`BODY_TOO_LARGE`"),
        (has_body, "415", "`UNSUPPORTED_MEDIA_TYPE`"),
        (
            takes_anything,
            "422",
            "`INVALID_BODY`: `errors` names the fields; `INVALID_PATH`, `INVALID_QUERY`: `detail` says what does not fit; `IDEMPOTENCY_KEY_REUSED`",
        ),
        (true, "503", "`DATABASE_UNAVAILABLE`, `TIMED_OUT`: try again after `Retry-After`"),
    ];
    for (_, status, description) in problems.into_iter().filter(|(applies, ..)| *applies) {
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
    let streams = operation.responses.responses.values().any(
        |response| matches!(response, RefOr::T(response) if response.content.contains_key("text/event-stream")),
    );
    if streams {
        operation.parameters.get_or_insert_with(Vec::new).push(last_event_id().into());
    }
}

fn last_event_id() -> Parameter {
    ParameterBuilder::new()
        .name("Last-Event-ID")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Resume after an interruption: the `id` of the last event that came"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Repeat a request safely: the same key and body give the first answer again, for 24 hours",
        ))
        .schema(Some(
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(128)),
        ))
        .build()
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
