//! On what terms a company takes goods back.

use axum::extract::State;
use quenty_kernel::id::CompanyId;
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ReadPolicies, UpdatePolicies};
use crate::{
    Error, commands,
    domain::policy::{PolicyTerms, ReturnPolicy},
    store,
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReturnPolicyOut {
    company_id: CompanyId,
    /// Zero: what every company starts with.
    version: u32,
    #[serde(flatten)]
    terms: PolicyTerms,
}

fn shown(policy: ReturnPolicy) -> Result<Answer> {
    let ReturnPolicy { company_id, version, terms } = policy;
    Ok(Answer::ok(&ReturnPolicyOut { company_id, version, terms })?.version(i64::from(version)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PolicyQuery {
    /// An earlier version; the present one unless told.
    #[param(minimum = 0)]
    version: Option<u32>,
}

/// Read the company's return policy.
#[utoipa::path(get, path = "/api/v1/return-policies", operation_id = "get_return_policy", tag = "return policies",
    params(PolicyQuery), security(("bearer" = ["return_policies:read"])),
    responses((status = 200, body = ReturnPolicyOut), (status = 404, description = "`NOT_FOUND`: there is no such version")))]
pub(super) async fn get_return_policy(
    State(app): State<App>,
    caller: Can<ReadPolicies>,
    Query(query): Query<PolicyQuery>,
) -> Result<Answer> {
    let policy = store::policies::find(app.db(), caller.company()?, query.version).await?;
    shown(policy.ok_or(Error::NotFound("version of the policy"))?)
}

/// Change the company's return policy: a new version, for returns that are opened from now on.
#[utoipa::path(put, path = "/api/v1/return-policies", operation_id = "update_return_policy", tag = "return policies",
    params(("If-Match" = Option<String>, Header)), request_body = PolicyTerms, security(("bearer" = ["return_policies:update"])),
    responses((status = 200, body = ReturnPolicyOut), (status = 412, description = "`VERSION_MISMATCH`: someone changed it meanwhile")))]
pub(super) async fn update_return_policy(
    State(app): State<App>,
    caller: Can<UpdatePolicies>,
    seen: IfMatch,
    Json(terms): Json<PolicyTerms>,
) -> Result<Answer> {
    let company = caller.company()?;
    let mut tx = app.begin(&caller).await?;
    let policy = commands::change_policy(&mut tx, company, seen, terms).await?;
    tx.answer(shown(policy)?).await
}
