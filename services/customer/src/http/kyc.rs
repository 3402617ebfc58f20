//! KYC by hand: the company asks, someone of the platform decides.

use axum::extract::State;
use quenty_kernel::{Failure, contact::Text, id::CompanyId};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    DecideKyc, SubmitKyc,
    companies::{CompanyOut, shown},
    wire::staff,
};
use crate::{commands, domain::company::KycDecision};

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Verified,
    Rejected,
}

/// What was found out about who is behind a company.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KycDecisionIn {
    #[schema(inline)]
    decision: Verdict,
    /// Needed for a rejection.
    reason: Option<Text<500>>,
}

impl TryFrom<KycDecisionIn> for KycDecision {
    type Error = Failure;
    fn try_from(input: KycDecisionIn) -> std::result::Result<Self, Failure> {
        match (input.decision, input.reason) {
            (Verdict::Verified, _) => Ok(Self::Verified),
            (Verdict::Rejected, Some(reason)) => Ok(Self::Rejected(reason)),
            (Verdict::Rejected, None) => Err(Failure::invalid(
                "REASON_NEEDED",
                "/reason",
                "say why the KYC is rejected, so that the company can mend it",
            )),
        }
    }
}

/// Ask for KYC, which shipping abroad needs.
#[utoipa::path(post, path = "/api/v1/companies/{id}/kyc", operation_id = "submit_kyc", tag = "companies",
    params(("id" = CompanyId, Path)), security(("bearer" = ["kyc:submit"])),
    responses((status = 200, body = CompanyOut), (status = 409, description = "`KYC_STATE`, `DOCUMENTS_MISSING`, `COMPANY_CLOSED`")))]
pub(super) async fn submit_kyc(
    State(app): State<App>,
    caller: Can<SubmitKyc>,
    Path(id): Path<CompanyId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let company = commands::submit_kyc(&mut tx, caller.scope()?, id).await?;
    tx.answer(shown(&company)?).await
}

/// Decide a company's KYC.
#[utoipa::path(post, path = "/api/v1/companies/{id}/kyc/decision", operation_id = "decide_kyc", tag = "companies",
    params(("id" = CompanyId, Path), ("If-Match" = Option<String>, Header)), request_body = KycDecisionIn, security(("bearer" = ["kyc:decide"])),
    responses((status = 200, body = CompanyOut), (status = 403, description = "`NOT_PERMITTED`, `STAFF_ONLY`, `OWN_COMPANY`"),
        (status = 409, description = "`KYC_STATE`, `COMPANY_CLOSED`"),
        (status = 412, description = "`VERSION_MISMATCH`: someone changed it since you read it"),
        (status = 422, description = "`INVALID_BODY`, `REASON_NEEDED`")))]
pub(super) async fn decide_kyc(
    State(app): State<App>,
    caller: Can<DecideKyc>,
    Path(id): Path<CompanyId>,
    seen: IfMatch,
    Json(input): Json<KycDecisionIn>,
) -> Result<Answer> {
    let reviewer = staff(&caller)?;
    let decision = KycDecision::try_from(input)?;
    let mut tx = app.begin(&caller).await?;
    let company = commands::decide_kyc(&mut tx, reviewer, id, seen, &decision).await?;
    tx.answer(shown(&company)?).await
}
