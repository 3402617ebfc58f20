//! Requests of people about what is held about them.

use std::collections::BTreeMap;

use axum::extract::State;
use quenty_kernel::{
    Actor, Page, Timestamp,
    id::{CompanyId, CustomerId, OrderId, PrivacyRequestId, ReturnId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path, Query},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreatePrivacyRequests, ReadPrivacyRequests};
use crate::{
    commands,
    domain::privacy_request::{Erased, PrivacyError, PrivacyKind, PrivacyRequest, PrivacyStatus},
    store,
};

/// What is asked for about whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PrivacyRequestIn {
    #[schema(inline)]
    kind: PrivacyKind,
    customer_id: CustomerId,
}

/// A privacy request, and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PrivacyRequestOut {
    id: PrivacyRequestId,
    company_id: CompanyId,
    customer_id: CustomerId,
    #[schema(inline)]
    kind: PrivacyKind,
    #[schema(inline)]
    status: PrivacyStatus,
    /// Orders of the person that have not ended: it goes on by itself when they have.
    waits_for_orders: Vec<OrderId>,
    waits_for_returns: Vec<ReturnId>,
    /// Services that have not answered, or have not erased yet.
    waits_for_services: Vec<String>,
    /// What each service erased.
    erased: BTreeMap<String, Erased>,
    #[schema(value_type = String)]
    requested_by: Actor,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    completed_at: Option<Timestamp>,
}

impl From<PrivacyRequest> for PrivacyRequestOut {
    fn from(request: PrivacyRequest) -> Self {
        let mut waits_for_services: Vec<String> = request.open.into_iter().collect();
        if request.status != PrivacyStatus::Erasing {
            let unheard = [("order", request.orders.is_none()), ("returns", request.returns.is_none())];
            waits_for_services = unheard.iter().filter(|of| of.1).map(|of| of.0.to_owned()).collect();
        }
        Self {
            id: request.id,
            company_id: request.company_id,
            customer_id: request.customer_id,
            kind: request.kind,
            status: request.status,
            waits_for_orders: request.orders.map(|held| held.under_way).unwrap_or_default(),
            waits_for_returns: request.returns.map(|held| held.under_way).unwrap_or_default(),
            waits_for_services,
            erased: request.erased,
            requested_by: request.requested_by,
            version: request.version,
            created_at: request.created_at,
            updated_at: request.updated_at,
            completed_at: request.completed_at,
        }
    }
}

/// Have all that is held about a customer erased: name, phone, e-mail, document and address, in every service and its
/// history.
///
/// Orders and returns under way are waited for. What is not the person's stays: goods, money, country and state. What
/// names no customer is not found: orders of guests, and shipments that `POST /api/v1/shipments` made.
#[utoipa::path(post, path = "/api/v1/privacy-requests", operation_id = "create_privacy_request", tag = "privacy",
    request_body = PrivacyRequestIn, security(("bearer" = ["privacy:create"])),
    responses((status = 202, body = PrivacyRequestOut),
        (status = 404, description = "`NOT_FOUND`: there is no such customer"),
        (status = 409, description = "`PRIVACY_REQUEST_UNDER_WAY`: `privacy_request_id` says which")))]
pub(super) async fn create_privacy_request(
    State(app): State<App>,
    caller: Can<CreatePrivacyRequests>,
    Json(input): Json<PrivacyRequestIn>,
) -> Result<Answer> {
    let PrivacyRequestIn { kind: PrivacyKind::Erase, customer_id } = input;
    let scope = caller.scope()?;
    let mut tx = app.begin(&caller).await?;
    let request = commands::create_privacy_request(&mut tx, scope, customer_id).await?;
    let location = format!("/api/v1/privacy-requests/{}", request.id);
    tx.answer(Answer::accepted(location, &PrivacyRequestOut::from(request))?).await
}

list_query!(PrivacyRequestsQuery {
    #[param(value_type = Option<String>)]
    customer_id: Option<CustomerId>,
});

/// List privacy requests, the newest first.
#[utoipa::path(get, path = "/api/v1/privacy-requests", operation_id = "list_privacy_requests", tag = "privacy",
    params(PrivacyRequestsQuery), security(("bearer" = ["privacy:read"])), responses((status = 200, body = Page<PrivacyRequestOut>)))]
pub(super) async fn list_privacy_requests(
    State(app): State<App>,
    caller: Can<ReadPrivacyRequests>,
    Query(query): Query<PrivacyRequestsQuery>,
) -> Result<Json<Page<PrivacyRequestOut>>> {
    let (scope, customer) = (caller.scope()?, query.customer_id);
    let page = store::privacy_requests::list(app.db(), scope, customer, &query.page()).await?;
    Ok(Json(page.map(PrivacyRequestOut::from)))
}

/// See how far a privacy request has come, and what it waits for.
#[utoipa::path(get, path = "/api/v1/privacy-requests/{id}", operation_id = "get_privacy_request", tag = "privacy",
    params(("id" = PrivacyRequestId, Path)), security(("bearer" = ["privacy:read"])), responses((status = 200, body = PrivacyRequestOut)))]
pub(super) async fn get_privacy_request(
    State(app): State<App>,
    caller: Can<ReadPrivacyRequests>,
    Path(id): Path<PrivacyRequestId>,
) -> Result<Json<PrivacyRequestOut>> {
    let request = store::privacy_requests::find(app.db(), caller.scope()?, id).await?;
    Ok(Json(request.ok_or(PrivacyError::NotFound).map_err(crate::Error::from)?.into()))
}
