//! What became of each unit, and what it brought.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{
    Page,
    contact::Text,
    id::{CompanyId, DispositionId, ProductId, ReturnId},
    money::Money,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ReadDispositions, UpdateDispositions};
use crate::{
    Error,
    commands::{self, Realisation},
    domain::disposition::{Condition, Kind},
    store::{
        self,
        dispositions::{Disposition, DispositionFilter},
    },
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DispositionOut {
    id: DispositionId,
    company_id: CompanyId,
    return_id: ReturnId,
    line: u32,
    unit: u32,
    product_id: ProductId,
    sku: String,
    category: Option<String>,
    #[schema(inline)]
    kind: Kind,
    #[schema(inline)]
    condition: Condition,
    weight_grams: u32,
    /// What it was expected to bring.
    estimated: Money,
    cost: Money,
    /// What it brought; absent until somebody tells.
    realised: Option<Money>,
    partner: Option<String>,
    reason: Option<String>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Disposition> for DispositionOut {
    fn from(of: Disposition) -> Self {
        Self {
            id: of.id,
            company_id: of.company_id,
            return_id: of.return_id,
            line: of.line,
            unit: of.unit,
            product_id: of.product_id,
            sku: of.sku,
            category: of.category,
            kind: of.kind,
            condition: of.condition,
            weight_grams: of.weight_grams,
            estimated: of.estimated,
            cost: of.cost,
            realised: of.realised,
            partner: of.partner,
            reason: of.reason,
            version: of.version,
            created_at: of.created_at,
            updated_at: of.updated_at,
        }
    }
}

fn shown(of: Disposition) -> Result<Answer> {
    let version = of.version;
    Ok(Answer::ok(&DispositionOut::from(of))?.version(version))
}

list_query!(DispositionsQuery {
    #[param(inline)]
    kind: Option<Kind>,
    #[param(value_type = Option<String>)]
    return_id: Option<ReturnId>,
    #[param(value_type = Option<String>)]
    product_id: Option<ProductId>,
});

/// List what became of the units, the newest first.
#[utoipa::path(get, path = "/api/v1/dispositions", operation_id = "list_dispositions", tag = "dispositions",
    params(DispositionsQuery), security(("bearer" = ["dispositions:read"])),
    responses((status = 200, body = Page<DispositionOut>)))]
pub(super) async fn list_dispositions(
    State(app): State<App>,
    caller: Can<ReadDispositions>,
    Query(query): Query<DispositionsQuery>,
) -> Result<Json<Page<DispositionOut>>> {
    let page = query.page();
    let DispositionsQuery { kind, return_id, product_id, .. } = query;
    let filter = DispositionFilter { kind, return_id, product_id };
    let rows = store::dispositions::list(app.db(), caller.scope()?, &filter, &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |of| of.id.uuid()).map(DispositionOut::from)))
}

/// Read what became of a unit.
#[utoipa::path(get, path = "/api/v1/dispositions/{id}", operation_id = "get_disposition", tag = "dispositions",
    params(("id" = DispositionId, Path)), security(("bearer" = ["dispositions:read"])),
    responses((status = 200, body = DispositionOut)))]
pub(super) async fn get_disposition(
    State(app): State<App>,
    caller: Can<ReadDispositions>,
    Path(id): Path<DispositionId>,
) -> Result<Answer> {
    let found = store::dispositions::find(app.db(), caller.scope()?, id).await?;
    shown(found.ok_or(Error::NotFound("disposition"))?)
}

/// What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"realised": {"amount": "95000.00", "currency": "COP"}}))]
pub(super) struct UpdateDispositionIn {
    /// What the unit brought; below zero when it cost.
    realised: Option<Money>,
    partner: Option<Text<120>>,
}

/// Tell what a unit really brought; it corrects the next estimates of its category.
#[utoipa::path(patch, path = "/api/v1/dispositions/{id}", operation_id = "update_disposition", tag = "dispositions",
    params(("id" = DispositionId, Path), ("If-Match" = Option<String>, Header)), request_body = UpdateDispositionIn,
    security(("bearer" = ["dispositions:update"])),
    responses((status = 200, body = DispositionOut), (status = 412, description = "`VERSION_MISMATCH`: someone changed it meanwhile"),
        (status = 422, description = "`CURRENCY_MISMATCH`")))]
pub(super) async fn update_disposition(
    State(app): State<App>,
    caller: Can<UpdateDispositions>,
    Path(id): Path<DispositionId>,
    seen: IfMatch,
    Json(input): Json<UpdateDispositionIn>,
) -> Result<Answer> {
    let told = Realisation { realised: input.realised, partner: input.partner };
    let mut tx = app.begin(&caller).await?;
    let of = commands::realise_disposition(&mut tx, caller.scope()?, id, seen, told).await?;
    tx.answer(shown(of)?).await
}
