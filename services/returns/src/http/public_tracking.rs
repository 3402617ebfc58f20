//! The buyer's page: for anyone who has its link, without logging in. It names no person and no place.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{Scope, money::Money};
use quenty_platform::{
    App, Result,
    http::{Anyone, Json, Path},
    journal,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::history::{StepOut, steps};
use crate::{
    Error,
    domain::goods_return::{Return, Status},
    store,
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublicLineOut {
    name: String,
    quantity: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublicReturnOut {
    #[schema(inline)]
    status: Status,
    lines: Vec<PublicLineOut>,
    /// `pickup`, `label` or `drop_off`.
    way_back: String,
    pickup_window_start: Option<Timestamp>,
    pickup_window_end: Option<Timestamp>,
    tracking_number: Option<String>,
    /// What has not arrived by then expires.
    expires_at: Option<Timestamp>,
    /// Why it was rejected.
    rejection: Option<String>,
    /// What the buyer gets, as expected or as decided; once it is settled, what was paid back, or what a replacement
    /// left to be. Nothing where no money comes.
    refund: Option<Money>,
    steps: Vec<StepOut>,
}

/// Follow a return by its link.
#[utoipa::path(get, path = "/api/v1/returns/track/{token}", operation_id = "track_return", tag = "tracking", security(()),
    params(("token" = String, Path, description = "As it stands in the link.")), responses((status = 200, body = PublicReturnOut)))]
pub(super) async fn track_return(
    State(app): State<App>,
    _: Anyone,
    Path(token): Path<String>,
) -> Result<Json<PublicReturnOut>> {
    let of = store::returns::find_by_token(app.db(), &token).await?.ok_or(Error::NotFound("return"))?;
    let facts = journal::facts(app.db(), Scope::All, &of.id.to_string(), None).await?;
    let line = |line: &quenty_contracts::returns::ReturnedLine| PublicLineOut {
        name: line.name.clone(),
        quantity: line.quantity,
    };
    Ok(Json(PublicReturnOut {
        status: of.status,
        lines: of.request.lines.iter().map(line).collect(),
        way_back: of.request.way_back.clone(),
        pickup_window_start: of.booking.window_start,
        pickup_window_end: of.booking.window_end,
        tracking_number: of.booking.tracking_number.clone(),
        expires_at: of.approval.as_ref().map(|approval| approval.expires_at),
        rejection: of.rejection.clone(),
        refund: refund(&of),
        steps: steps(facts),
    }))
}

fn refund(of: &Return) -> Option<Money> {
    match (of.status, &of.settlement) {
        (Status::Rejected | Status::Cancelled | Status::Expired, _) => None,
        (_, Some(settlement)) => settlement.refunded.or(of.left_of_credit),
        (_, None) => Some(of.amounts.unwrap_or(of.request.expected).refund),
    }
}
