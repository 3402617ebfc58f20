//! The moves of a company from its registration to its end. Deciding is for the platform's staff.

use axum::extract::State;
use quenty_kernel::id::CompanyId;
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path},
};

use super::{
    ApproveCompanies, CloseCompanies, ReactivateCompanies, RejectCompanies, SubmitCompanies,
    SuspendCompanies,
    companies::{CompanyOut, shown},
    wire::{ReasonIn, staff},
};
use crate::commands;

/// Ask for approval: `documents_pending` while something is missing, else `in_review`.
#[utoipa::path(post, path = "/api/v1/companies/{id}/submit", operation_id = "submit_company", tag = "companies",
    params(("id" = CompanyId, Path)), security(("bearer" = ["companies:submit"])),
    responses((status = 200, body = CompanyOut),
        (status = 409, description = "`COMPANY_STATE`: not from its present status; `DOCUMENT_NUMBER_TAKEN`: by one in review or approved")))]
pub(super) async fn submit_company(
    State(app): State<App>,
    caller: Can<SubmitCompanies>,
    Path(id): Path<CompanyId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let company = commands::submit_company(&mut tx, caller.scope()?, id).await?;
    tx.answer(shown(&company)?).await
}

/// Approve a company after its review: it may order from now on.
#[utoipa::path(post, path = "/api/v1/companies/{id}/approve", operation_id = "approve_company", tag = "companies",
    params(("id" = CompanyId, Path), ("If-Match" = Option<String>, Header)), security(("bearer" = ["companies:approve"])),
    responses((status = 200, body = CompanyOut), (status = 403, description = "`NOT_PERMITTED`, `STAFF_ONLY`, `OWN_COMPANY`"),
        (status = 409, description = "`COMPANY_STATE`: not in review"),
        (status = 412, description = "`VERSION_MISMATCH`: someone changed it since you read it")))]
pub(super) async fn approve_company(
    State(app): State<App>,
    caller: Can<ApproveCompanies>,
    Path(id): Path<CompanyId>,
    seen: IfMatch,
) -> Result<Answer> {
    let reviewer = staff(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let company = commands::approve_company(&mut tx, reviewer, id, seen).await?;
    tx.answer(shown(&company)?).await
}

/// Reject a company after its review: it may mend what is wrong and submit again.
#[utoipa::path(post, path = "/api/v1/companies/{id}/reject", operation_id = "reject_company", tag = "companies",
    params(("id" = CompanyId, Path), ("If-Match" = Option<String>, Header)), request_body = ReasonIn, security(("bearer" = ["companies:reject"])),
    responses((status = 200, body = CompanyOut), (status = 403, description = "`NOT_PERMITTED`, `STAFF_ONLY`, `OWN_COMPANY`"),
        (status = 409, description = "`COMPANY_STATE`: not in review"),
        (status = 412, description = "`VERSION_MISMATCH`: someone changed it since you read it")))]
pub(super) async fn reject_company(
    State(app): State<App>,
    caller: Can<RejectCompanies>,
    Path(id): Path<CompanyId>,
    seen: IfMatch,
    Json(input): Json<ReasonIn>,
) -> Result<Answer> {
    let reviewer = staff(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let company = commands::reject_company(&mut tx, reviewer, id, seen, &input.reason).await?;
    tx.answer(shown(&company)?).await
}

/// Suspend an active company: no new orders until it is reactivated.
#[utoipa::path(post, path = "/api/v1/companies/{id}/suspend", operation_id = "suspend_company", tag = "companies",
    params(("id" = CompanyId, Path)), request_body = ReasonIn, security(("bearer" = ["companies:suspend"])),
    responses((status = 200, body = CompanyOut), (status = 403, description = "`NOT_PERMITTED`, `STAFF_ONLY`, `OWN_COMPANY`"),
        (status = 409, description = "`COMPANY_STATE`: not active")))]
pub(super) async fn suspend_company(
    State(app): State<App>,
    caller: Can<SuspendCompanies>,
    Path(id): Path<CompanyId>,
    Json(input): Json<ReasonIn>,
) -> Result<Answer> {
    let reviewer = staff(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let company = commands::suspend_company(&mut tx, reviewer, id, &input.reason).await?;
    tx.answer(shown(&company)?).await
}

/// Reactivate a suspended company.
#[utoipa::path(post, path = "/api/v1/companies/{id}/reactivate", operation_id = "reactivate_company", tag = "companies",
    params(("id" = CompanyId, Path)), security(("bearer" = ["companies:reactivate"])),
    responses((status = 200, body = CompanyOut), (status = 403, description = "`NOT_PERMITTED`, `STAFF_ONLY`, `OWN_COMPANY`"),
        (status = 409, description = "`COMPANY_STATE`: not suspended")))]
pub(super) async fn reactivate_company(
    State(app): State<App>,
    caller: Can<ReactivateCompanies>,
    Path(id): Path<CompanyId>,
) -> Result<Answer> {
    let reviewer = staff(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let company = commands::reactivate_company(&mut tx, reviewer, id).await?;
    tx.answer(shown(&company)?).await
}

/// Close a company for good: its own people may, and staff.
#[utoipa::path(post, path = "/api/v1/companies/{id}/close", operation_id = "close_company", tag = "companies",
    params(("id" = CompanyId, Path)), request_body = ReasonIn, security(("bearer" = ["companies:close"])),
    responses((status = 200, body = CompanyOut), (status = 409, description = "`COMPANY_STATE`: closed before")))]
pub(super) async fn close_company(
    State(app): State<App>,
    caller: Can<CloseCompanies>,
    Path(id): Path<CompanyId>,
    Json(input): Json<ReasonIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let company = commands::close_company(&mut tx, caller.scope()?, id, &input.reason).await?;
    tx.answer(shown(&company)?).await
}
