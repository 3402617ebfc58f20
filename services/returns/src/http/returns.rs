//! Returns as merchants open and read them.

use axum::extract::State;
use jiff::{Timestamp, civil::Date};
use quenty_contracts::{
    party::Party,
    returns::{ExchangeLine, RefundAmounts},
};
use quenty_kernel::{
    Failure, Page, Scope,
    contact::{LanguageTag, NewEmail, Text},
    day::LocalTime,
    id::{CustomerId, OrderId, RecallId, ReturnId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path, Query},
    journal, list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{CheckReturns, CreateReturns, ReadReturns, return_out::ReturnOut};
use crate::{
    Error,
    commands::{self, Check, Checked, NewReturn, WantedLine},
    domain::{
        approval::{Finding, Verdict},
        goods_return::{Return, ReturnState, Status},
        words::{Reason, Resolution, ReturnKind, WayBack},
    },
    store::{self, returns::ReturnFilter},
};

const MAX_LINES: usize = 100;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnLineIn {
    /// The line's place in its order, from 1.
    #[schema(minimum = 1)]
    line: u32,
    #[schema(minimum = 1)]
    quantity: u32,
    #[schema(inline)]
    reason: Reason,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "order_id": "ORD-01JD3ZK8Q5V0E8XW4T2M9R6B7C", "kind": "return", "resolution": "refund",
    "lines": [{"line": 1, "quantity": 1, "reason": "size"}], "way_back": "pickup"
}))]
pub(super) struct CreateReturnIn {
    order_id: OrderId,
    #[schema(inline)]
    kind: ReturnKind,
    #[schema(inline)]
    resolution: Resolution,
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<ReturnLineIn>,
    /// For an exchange: the replacement goods.
    #[serde(default)]
    #[schema(max_items = 100)]
    exchange: Vec<ExchangeLine>,
    #[schema(inline)]
    way_back: WayBack,
    /// For a pickup: the local day; the first slot with room unless told, or once that day is over or, when it has come, has
    /// no room.
    #[schema(value_type = Option<String>, format = Date)]
    pickup_date: Option<Date>,
    /// For a pickup: the slot's local start, like `08:00`.
    pickup_slot: Option<LocalTime>,
    /// Who hands the goods over, and where, unless it is whom they were sent to.
    buyer: Option<Party>,
    /// In what the buyer is written to, unless the customer's own is known.
    language: Option<LanguageTag>,
    #[serde(default = "yes")]
    packaging_intact: bool,
    #[serde(default = "yes")]
    accessories_complete: bool,
    notes: Option<Text<1000>>,
}

impl CreateReturnIn {
    fn new_return(self) -> Result<NewReturn, Failure> {
        let refuse = |pointer: &str, detail: &str| Err(Failure::invalid("INVALID_FIELD", pointer, detail));
        if (self.resolution == Resolution::Exchange) != (self.kind == ReturnKind::Exchange) {
            return refuse("/resolution", "an exchange is of kind `exchange`, and nothing else is");
        }
        if (self.kind == ReturnKind::Exchange) == self.exchange.is_empty() {
            return refuse("/exchange", "an exchange names its replacement goods, and nothing else does");
        }
        if self.exchange.len() > MAX_LINES || self.exchange.iter().any(|line| line.quantity == 0) {
            return refuse("/exchange", "must hold at most 100 lines, each with a quantity above zero");
        }
        if self.kind == ReturnKind::Warranty && self.lines.iter().any(|line| line.reason != Reason::Defective)
        {
            return refuse("/lines", "a warranty is for what is defective");
        }
        let of_pickup = self.pickup_date.is_some() || self.pickup_slot.is_some();
        if of_pickup && self.way_back != WayBack::Pickup {
            return refuse("/pickup_date", "only a pickup has a day and a slot; leave them out");
        }
        // Events bring addresses that no mailer takes; a request does not.
        if let Some(email) = self.buyer.as_ref().and_then(|buyer| buyer.email.as_ref())
            && let Err(invalid) = email.as_str().parse::<NewEmail>()
        {
            return refuse("/buyer/email", invalid.why());
        }
        let check = CheckReturnIn {
            order_id: self.order_id,
            resolution: self.resolution,
            lines: self.lines,
            packaging_intact: self.packaging_intact,
            accessories_complete: self.accessories_complete,
        };
        Ok(NewReturn {
            kind: self.kind,
            check: check.check()?,
            exchange: self.exchange,
            way_back: self.way_back,
            pickup_date: self.pickup_date,
            pickup_slot: self.pickup_slot.map(String::from),
            buyer: self.buyer,
            language: self.language,
            notes: self.notes,
            recall: None,
        })
    }
}

/// A new return, with the page on which its buyer follows it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedReturnOut {
    #[serde(flatten)]
    of: ReturnOut,
    /// For the buyer, without logging in: whoever has it sees this return's state.
    #[schema(example = "/api/v1/returns/track/4f0c2f0e5b9d47c38b0f")]
    tracking_path: String,
}

pub(super) fn shown(of: &Return) -> Result<Answer> {
    Ok(Answer::ok(&ReturnOut::from(&**of))?.version(of.version))
}

pub(super) async fn find(app: &App, scope: Scope, id: ReturnId) -> Result<Return, Error> {
    store::returns::find(app.db(), scope, id).await?.ok_or(Error::NotFound("return"))
}

/// Ask for goods to be taken back. What the rules allow is approved at once, and its way back is arranged.
#[utoipa::path(post, path = "/api/v1/returns", operation_id = "create_return", tag = "returns",
    request_body = CreateReturnIn, security(("bearer" = ["returns:create"])),
    responses((status = 201, body = CreatedReturnOut),
        (status = 409, description = "`NOT_DELIVERED`, `NOT_SO_MANY_LEFT`, `BUYER_ERASED`"), (status = 422, description = "`REASON_NOT_ACCEPTED`")))]
pub(super) async fn create_return(
    State(app): State<App>,
    caller: Can<CreateReturns>,
    Json(input): Json<CreateReturnIn>,
) -> Result<Answer> {
    let scope = caller.scope()?;
    let new = input.new_return()?;
    let mut tx = app.begin(&caller).await?;
    let (of, token) = commands::request_return(&mut tx, scope, new).await?;
    let out = CreatedReturnOut {
        of: ReturnOut::from(&*of),
        tracking_path: format!("/api/v1/returns/track/{token}"),
    };
    let answer = Answer::created(format!("/api/v1/returns/{}", of.id), &out)?;
    tx.answer(answer.version(of.version)).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckReturnIn {
    order_id: OrderId,
    #[schema(inline)]
    resolution: Resolution,
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<ReturnLineIn>,
    #[serde(default = "yes")]
    packaging_intact: bool,
    #[serde(default = "yes")]
    accessories_complete: bool,
}

impl CheckReturnIn {
    fn check(self) -> Result<Check, Failure> {
        if !(1..=MAX_LINES).contains(&self.lines.len()) {
            return Err(Failure::invalid("INVALID_FIELD", "/lines", "must hold 1 to 100 lines"));
        }
        for (index, line) in self.lines.iter().enumerate() {
            if line.quantity == 0 {
                let pointer = format!("/lines/{index}/quantity");
                return Err(Failure::invalid("INVALID_FIELD", pointer, "must be above zero"));
            }
        }
        let line = |of: ReturnLineIn| WantedLine { line: of.line, quantity: of.quantity, reason: of.reason };
        Ok(Check {
            order_id: self.order_id,
            lines: self.lines.into_iter().map(line).collect(),
            resolution: self.resolution,
            packaging_intact: self.packaging_intact,
            accessories_complete: self.accessories_complete,
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckedOut {
    /// Whether the rules would approve it without a person.
    approved: bool,
    /// The rule that would approve it, or all that speak against it.
    findings: Vec<Finding>,
    /// What it comes to if all arrives as it was described. What the way back costs is not known yet; by the policy's
    /// `way_back_paid_by` the buyer may owe that, too.
    expected: RefundAmounts,
    policy_version: u32,
}

impl From<Checked> for CheckedOut {
    fn from(checked: Checked) -> Self {
        let (approved, findings) = match checked.verdict {
            Verdict::Approved(finding) => (true, vec![finding]),
            Verdict::ByHand(findings) => (false, findings),
        };
        Self { approved, findings, expected: checked.expected, policy_version: checked.policy.version }
    }
}

/// May this come back, and at what price? Asks for nothing.
#[utoipa::path(post, path = "/api/v1/returns/check", operation_id = "check_return", tag = "returns",
    request_body = CheckReturnIn, security(("bearer" = ["returns:check"])),
    responses((status = 200, body = CheckedOut),
        (status = 409, description = "`NOT_DELIVERED`, `NOT_SO_MANY_LEFT`"), (status = 422, description = "`REASON_NOT_ACCEPTED`")))]
pub(super) async fn check_return(
    State(app): State<App>,
    caller: Can<CheckReturns>,
    Json(input): Json<CheckReturnIn>,
) -> Result<Json<CheckedOut>> {
    let check = input.check()?;
    let mut connection = app.db().acquire().await?;
    let now = app.clock().now();
    let checked = commands::check_return(&mut connection, caller.scope()?, &check, now).await?;
    Ok(Json(checked.into()))
}

list_query!(ReturnsQuery {
    #[param(inline)]
    status: Option<Status>,
    #[param(value_type = Option<String>)]
    order_id: Option<OrderId>,
    #[param(value_type = Option<String>)]
    customer_id: Option<CustomerId>,
    /// Those that a recall has opened.
    #[param(value_type = Option<String>)]
    recall_id: Option<RecallId>,
});

/// List returns, the newest first.
#[utoipa::path(get, path = "/api/v1/returns", operation_id = "list_returns", tag = "returns",
    params(ReturnsQuery), security(("bearer" = ["returns:read"])),
    responses((status = 200, body = Page<ReturnOut>)))]
pub(super) async fn list_returns(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Query(query): Query<ReturnsQuery>,
) -> Result<Json<Page<ReturnOut>>> {
    let page = query.page();
    let ReturnsQuery { status, order_id, customer_id, recall_id, .. } = query;
    let filter = ReturnFilter { status, order_id, customer_id, recall_id };
    let rows = store::returns::list(app.db(), caller.scope()?, &filter, &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |of| of.id.uuid()).map(|of| ReturnOut::from(&*of))))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// Shows the return as it was then, rebuilt from its facts.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
}

/// Read a return, as it is or as it was.
#[utoipa::path(get, path = "/api/v1/returns/{id}", operation_id = "get_return", tag = "returns",
    params(("id" = ReturnId, Path), AsOf), security(("bearer" = ["returns:read"])),
    responses((status = 200, body = ReturnOut)))]
pub(super) async fn get_return(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Path(id): Path<ReturnId>,
    Query(query): Query<AsOf>,
) -> Result<Answer> {
    let scope = caller.scope()?;
    let of = find(&app, scope, id).await?;
    let Some(as_of) = query.as_of else { return shown(&of) };
    let facts = journal::facts(app.db(), scope, &id.to_string(), Some(as_of)).await?;
    let state = ReturnState::fold(facts).ok_or(Error::NotFound("return at that time"))?;
    // Without a version: what was cannot be changed.
    Answer::ok(&ReturnOut::from(&state))
}
