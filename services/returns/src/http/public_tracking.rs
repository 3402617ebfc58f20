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
    domain::{
        goods_return::{Return, Status},
        processing,
        words::Resolution,
    },
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
    /// left to be. Nothing where no money comes, or not before a replacement is ordered. What the way back costs the
    /// buyer is taken off as soon as it is known.
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
    let refund = refund(&app, &of).await?;
    let facts = journal::facts(app.db(), Scope::All, &of.id.to_string(), None).await?;
    let line = |line: &quenty_contracts::returns::ReturnedLine| PublicLineOut {
        name: line.name.clone(),
        quantity: line.quantity,
    };
    // Whoever was promised once it was to end is called off: the buyer hears of them when they come for all that.
    let promised = (of.status != Status::Approved).then_some(&of.booking);
    Ok(Json(PublicReturnOut {
        status: of.status,
        lines: of.request.lines.iter().map(line).collect(),
        way_back: of.request.way_back.clone(),
        pickup_window_start: promised.and_then(|booking| booking.window_start),
        pickup_window_end: promised.and_then(|booking| booking.window_end),
        tracking_number: promised.and_then(|booking| booking.tracking_number.clone()),
        expires_at: of.approval.as_ref().map(|approval| approval.expires_at),
        rejection: of.rejection.clone(),
        refund,
        steps: steps(facts),
    }))
}

async fn refund(app: &App, of: &Return) -> Result<Option<Money>, Error> {
    if matches!(of.status, Status::Rejected | Status::Cancelled | Status::Expired) {
        return Ok(None);
    }
    if let Some(settlement) = &of.settlement {
        return Ok(settlement.refunded.or(of.left_of_credit));
    }
    // Other goods come; what they leave to be paid is known once they are ordered.
    let is_exchange = of.request.resolution == Resolution::Exchange.as_str() && !of.exchange_failed;
    if is_exchange && (of.amounts.is_none() || of.check_may_exchange().is_ok()) {
        return Ok(None);
    }
    if let Some(amounts) = of.amounts {
        return Ok(Some(amounts.refund));
    }
    let version = Some(of.request.policy_version);
    let policy = store::policies::find(app.db(), of.company_id(), version).await?;
    let terms = policy.ok_or(Error::NotFound("policy"))?.terms;
    Ok(Some(processing::expected_refund(of, &terms)?))
}
