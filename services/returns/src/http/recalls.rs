//! Calling a product back.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{
    Actor, Failure, Page,
    contact::Text,
    id::{CompanyId, ProductId, RecallId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path, Query},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ReadReturns, RecallProducts};
use crate::{
    Error, commands,
    domain::{
        recall::{Recall, RecallTerms},
        words::{Reason, Resolution, WayBack},
    },
    store,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"product_id": "PROD-01JD3ZK8Q5V0E8XW4T2M9R6B7C", "reason": "defective", "resolution": "refund",
    "way_back": "pickup", "notes": "The battery overheats."}))]
pub(super) struct RecallProductIn {
    product_id: ProductId,
    /// Orders delivered before are left alone.
    delivered_since: Option<Timestamp>,
    #[schema(inline)]
    reason: Reason,
    /// `refund` or `store_credit`.
    resolution: Resolution,
    #[schema(inline)]
    way_back: WayBack,
    notes: Option<Text<1000>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecallOut {
    id: RecallId,
    company_id: CompanyId,
    product_id: ProductId,
    #[serde(flatten)]
    terms: RecallTerms,
    delivered_since: Option<Timestamp>,
    /// `running` or `done`.
    #[schema(example = "running")]
    status: &'static str,
    /// Returns that were opened so far: `GET /api/v1/returns?recall_id=…` lists them.
    opened: u32,
    /// Orders of which nothing could be asked back: nothing is left with the buyer, or the rules refuse it.
    passed_over: u32,
    #[schema(value_type = String)]
    requested_by: Actor,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Recall> for RecallOut {
    fn from(of: Recall) -> Self {
        Self {
            id: of.id,
            company_id: of.company_id,
            product_id: of.product_id,
            terms: of.terms,
            delivered_since: of.delivered_since,
            status: if of.is_done { "done" } else { "running" },
            opened: of.opened,
            passed_over: of.passed_over,
            requested_by: of.requested_by,
            created_at: of.created_at,
            updated_at: of.updated_at,
        }
    }
}

/// Call a product back: a return is opened, and approved, for every delivered order whose buyer still has some of it. That
/// goes on beside this answer; the recall shows how far it has come.
#[utoipa::path(post, path = "/api/v1/recalls", operation_id = "recall_product", tag = "recalls",
    request_body = RecallProductIn, security(("bearer" = ["returns:recall"])),
    responses((status = 202, body = RecallOut), (status = 422, description = "`REASON_NOT_ACCEPTED`")))]
pub(super) async fn recall_product(
    State(app): State<App>,
    caller: Can<RecallProducts>,
    Json(input): Json<RecallProductIn>,
) -> Result<Answer> {
    let RecallProductIn { product_id, delivered_since, reason, resolution, way_back, notes } = input;
    if resolution == Resolution::Exchange {
        let detail = "a recall names no replacement goods; pay the buyers back, in money or as credit";
        return Err(Failure::invalid("INVALID_FIELD", "/resolution", detail).into());
    }
    let terms = RecallTerms { reason, resolution, way_back, notes };
    let company = caller.company()?;
    let mut tx = app.begin(&caller).await?;
    let recall = commands::recall_product(&mut tx, company, product_id, terms, delivered_since).await?;
    let location = format!("/api/v1/recalls/{}", recall.id);
    tx.answer(Answer::accepted(location, &RecallOut::from(recall))?).await
}

list_query!(RecallsQuery {});

/// List recalls, the newest first.
#[utoipa::path(get, path = "/api/v1/recalls", operation_id = "list_recalls", tag = "recalls",
    params(RecallsQuery), security(("bearer" = ["returns:read"])), responses((status = 200, body = Page<RecallOut>)))]
pub(super) async fn list_recalls(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Query(query): Query<RecallsQuery>,
) -> Result<Json<Page<RecallOut>>> {
    let recalls = store::recalls::list(app.db(), caller.scope()?, &query.page()).await?;
    Ok(Json(recalls.map(RecallOut::from)))
}

/// See how far a recall has come.
#[utoipa::path(get, path = "/api/v1/recalls/{id}", operation_id = "get_recall", tag = "recalls",
    params(("id" = RecallId, Path)), security(("bearer" = ["returns:read"])), responses((status = 200, body = RecallOut)))]
pub(super) async fn get_recall(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Path(id): Path<RecallId>,
) -> Result<Json<RecallOut>> {
    let recall =
        store::recalls::find(app.db(), caller.scope()?, id).await?.ok_or(Error::NotFound("recall"))?;
    Ok(Json(recall.into()))
}
