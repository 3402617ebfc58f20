//! What happened to a return.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{Failure, id::ReturnId};
use quenty_platform::{
    App, Result,
    http::{Can, Json, Path},
    journal::{self, Entry},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ReadReturns, returns::find};
use crate::{
    Error,
    domain::goods_return::{ReturnFact, ReturnState, Status, step_of},
    store,
};

/// All facts of a return, in order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReturnEventsOut {
    items: Vec<Entry>,
}

/// The facts of a return, as the journal keeps them.
#[utoipa::path(get, path = "/api/v1/returns/{id}/events", operation_id = "list_return_events", tag = "returns",
    params(("id" = ReturnId, Path)), security(("bearer" = ["returns:read"])), responses((status = 200, body = ReturnEventsOut)))]
pub(super) async fn list_return_events(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Path(id): Path<ReturnId>,
) -> Result<Json<ReturnEventsOut>> {
    let items = journal::entries(app.db(), caller.scope()?, &id.to_string(), None).await?;
    if items.is_empty() {
        return Err(Failure::not_found("return").into());
    }
    Ok(Json(ReturnEventsOut { items }))
}

/// A step that a buyer understands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StepOut {
    #[schema(example = "picked_up")]
    step: String,
    at: Timestamp,
}

/// Where the goods are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReturnTrackingOut {
    #[schema(inline)]
    status: Status,
    way_back: String,
    pickup_window_start: Option<Timestamp>,
    pickup_window_end: Option<Timestamp>,
    tracking_number: Option<String>,
    /// What has not arrived by then expires.
    expires_at: Option<Timestamp>,
    steps: Vec<StepOut>,
    /// The buyer's page, without logging in.
    tracking_path: String,
}

pub(super) fn steps(facts: impl IntoIterator<Item = (ReturnFact, Timestamp)>) -> Vec<StepOut> {
    let step = |(fact, at): (ReturnFact, Timestamp)| {
        step_of(&fact).map(|step| StepOut { step: step.to_owned(), at })
    };
    facts.into_iter().filter_map(step).collect()
}

fn tracking(state: &ReturnState, steps: Vec<StepOut>, token: &str) -> ReturnTrackingOut {
    ReturnTrackingOut {
        status: state.status,
        way_back: state.request.way_back.clone(),
        pickup_window_start: state.booking.window_start,
        pickup_window_end: state.booking.window_end,
        tracking_number: state.booking.tracking_number.clone(),
        expires_at: state.approval.as_ref().map(|approval| approval.expires_at),
        steps,
        tracking_path: format!("/api/v1/returns/track/{token}"),
    }
}

/// Where the goods are, and every step so far.
#[utoipa::path(get, path = "/api/v1/returns/{id}/tracking", operation_id = "get_return_tracking", tag = "returns",
    params(("id" = ReturnId, Path)), security(("bearer" = ["returns:read"])), responses((status = 200, body = ReturnTrackingOut)))]
pub(super) async fn get_return_tracking(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Path(id): Path<ReturnId>,
) -> Result<Json<ReturnTrackingOut>> {
    let scope = caller.scope()?;
    let of = find(&app, scope, id).await?;
    let token = store::returns::token_of(app.db(), scope, id).await?.ok_or(Error::NotFound("return"))?;
    let facts = journal::facts(app.db(), scope, &id.to_string(), None).await?;
    Ok(Json(tracking(&of, steps(facts), &token)))
}
