//! What happens to the goods once they are here.

use axum::extract::State;
use quenty_contracts::returns::{InspectedUnit, LineQuantity};
use quenty_kernel::{Failure, contact::Text, id::ReturnId, money::Money};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    InspectReturns, ProcessReturns, ReadReturns, ReceiveReturns, return_out::ReturnOut, returns::shown,
};
use crate::{
    commands::{self, Choice, UnitOptions},
    domain::{
        disposition::{Condition, DispositionOption, Kind, best},
        words::Claim,
    },
};

const MAX_UNITS: usize = 1_000;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lines": [{"line": 1, "quantity": 1}]}))]
pub(super) struct ReceiveReturnIn {
    /// What arrived this time; the rest may follow.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<LineQuantity>,
}

/// Report that goods arrived, all or some; a driver who is still to come for them is not needed then.
#[utoipa::path(post, path = "/api/v1/returns/{id}/receive", operation_id = "receive_return", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = ReceiveReturnIn, security(("bearer" = ["returns:receive"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`ILLEGAL_TRANSITION`, `NOT_SO_MANY_LEFT`")))]
pub(super) async fn receive_return(
    State(app): State<App>,
    caller: Can<ReceiveReturns>,
    Path(id): Path<ReturnId>,
    Json(input): Json<ReceiveReturnIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::receive_return(&mut tx, caller.scope()?, id, &input.lines).await?;
    tx.answer(shown(&of)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InspectedUnitIn {
    /// The line's place in its order, from 1.
    line: u32,
    /// The unit's number within what was received of the line, from 1.
    unit: u32,
    #[schema(inline)]
    condition: Condition,
    working: bool,
    complete: bool,
    #[schema(inline)]
    claim: Claim,
    #[serde(default)]
    #[schema(max_items = 20)]
    defects: Vec<Text<200>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"units": [{"line": 1, "unit": 1, "condition": "good", "working": true, "complete": true,
    "claim": "confirmed", "defects": ["scratch on the left side"]}]}))]
pub(super) struct InspectReturnIn {
    #[schema(min_items = 1, max_items = 1000)]
    units: Vec<InspectedUnitIn>,
}

impl InspectReturnIn {
    fn units(self) -> Result<Vec<InspectedUnit>, Failure> {
        if !(1..=MAX_UNITS).contains(&self.units.len()) {
            return Err(Failure::invalid("INVALID_FIELD", "/units", "must hold 1 to 1000 units"));
        }
        if let Some(index) = self.units.iter().position(|unit| unit.defects.len() > 20) {
            let pointer = format!("/units/{index}/defects");
            return Err(Failure::invalid("INVALID_FIELD", pointer, "must hold at most 20 defects"));
        }
        let unit = |of: InspectedUnitIn| InspectedUnit {
            line: of.line,
            unit: of.unit,
            condition: of.condition.as_str().to_owned(),
            working: of.working,
            complete: of.complete,
            claim: of.claim.as_str().to_owned(),
            defects: of.defects.into_iter().map(String::from).collect(),
        };
        Ok(self.units.into_iter().map(unit).collect())
    }
}

/// Record what was found of some units, or of all. Whoever asked for the return does not inspect it; after a dispute,
/// somebody else does it again.
#[utoipa::path(post, path = "/api/v1/returns/{id}/inspection", operation_id = "inspect_return", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = InspectReturnIn, security(("bearer" = ["returns:inspect"])),
    responses((status = 200, body = ReturnOut), (status = 403, description = "`SAME_PERSON`"),
        (status = 409, description = "`ILLEGAL_TRANSITION`, `INSPECTED_ALREADY`"), (status = 422, description = "`NO_SUCH_UNIT`")))]
pub(super) async fn inspect_return(
    State(app): State<App>,
    caller: Can<InspectReturns>,
    Path(id): Path<ReturnId>,
    Json(input): Json<InspectReturnIn>,
) -> Result<Answer> {
    let units = input.units()?;
    let mut tx = app.begin(&caller).await?;
    let of = commands::inspect_return(&mut tx, caller.scope()?, id, units).await?;
    tx.answer(shown(&of)?).await
}

/// All ways to use one unit, and the best of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UnitOptionsOut {
    line: u32,
    unit: u32,
    /// What the buyer paid for it.
    value: Money,
    #[schema(inline)]
    best: Kind,
    options: Vec<DispositionOption>,
}

impl From<UnitOptions> for UnitOptionsOut {
    fn from(of: UnitOptions) -> Self {
        Self {
            line: of.line,
            unit: of.unit,
            value: of.value,
            best: best(&of.options).kind,
            options: of.options.to_vec(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DispositionOptionsOut {
    items: Vec<UnitOptionsOut>,
}

/// What could become of the inspected units, and what each way would bring.
#[utoipa::path(get, path = "/api/v1/returns/{id}/dispositions/options", operation_id = "list_disposition_options", tag = "returns",
    params(("id" = ReturnId, Path)), security(("bearer" = ["returns:read"])), responses((status = 200, body = DispositionOptionsOut)))]
pub(super) async fn list_disposition_options(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Path(id): Path<ReturnId>,
) -> Result<Json<DispositionOptionsOut>> {
    let mut connection = app.db().acquire().await?;
    let units = commands::disposition_options(&mut connection, caller.scope()?, id).await?;
    Ok(Json(DispositionOptionsOut { items: units.into_iter().map(UnitOptionsOut::from).collect() }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChoiceIn {
    line: u32,
    unit: u32,
    /// The best one unless told.
    #[schema(inline)]
    disposition: Option<Kind>,
    /// Who takes it: a workshop, a recycler, a charity.
    partner: Option<Text<120>>,
    /// Needed for another disposition than the best.
    reason: Option<Text<300>>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"units": [{"line": 1, "unit": 1, "disposition": "donate", "partner": "Banco de Ropa",
    "reason": "the family that asked for it"}]}))]
pub(super) struct ProcessReturnIn {
    /// What differs from the best for each unit.
    #[serde(default)]
    #[schema(max_items = 1000)]
    units: Vec<ChoiceIn>,
}

/// Decide what becomes of every unit, and fix what the buyer gets. With neither money nor a replacement owed, the return
/// ends here. A replacement is ordered by itself, unless nothing was paid for the goods, as `attention` tells.
#[utoipa::path(post, path = "/api/v1/returns/{id}/process", operation_id = "process_return", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = ProcessReturnIn, security(("bearer" = ["returns:process"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`ILLEGAL_TRANSITION`: it is not inspected as a whole"),
        (status = 422, description = "`NO_SUCH_UNIT`, `DISPOSITION_FORBIDDEN`, `REASON_REQUIRED`")))]
pub(super) async fn process_return(
    State(app): State<App>,
    caller: Can<ProcessReturns>,
    Path(id): Path<ReturnId>,
    Json(input): Json<ProcessReturnIn>,
) -> Result<Answer> {
    if input.units.len() > MAX_UNITS {
        return Err(Failure::invalid("INVALID_FIELD", "/units", "must hold at most 1000 units").into());
    }
    let choice = |of: ChoiceIn| Choice {
        line: of.line,
        unit: of.unit,
        kind: of.disposition,
        partner: of.partner,
        reason: of.reason,
    };
    let choices: Vec<Choice> = input.units.into_iter().map(choice).collect();
    let mut tx = app.begin(&caller).await?;
    let of = commands::process_return(&mut tx, caller.scope()?, id, &choices).await?;
    tx.answer(shown(&of)?).await
}
