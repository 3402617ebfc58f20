//! A manifest's way: submitted, approved or rejected by a second person, shipped.

use axum::extract::State;
use quenty_kernel::{contact::Text, id::ManifestId};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ApproveManifests, RejectManifests, ShipManifests, SubmitManifests,
    manifests::{ManifestOut, shown},
};
use crate::commands;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectManifestIn {
    #[schema(inline)]
    reason: Text<300>,
}

/// Hand a manifest to a second person.
#[utoipa::path(post, path = "/api/v1/manifests/{id}/submit", operation_id = "submit_manifest", tag = "manifests", params(("id" = ManifestId, Path)),
    security(("bearer" = ["manifests:submit"])),
    responses((status = 200, body = ManifestOut), (status = 409, description = "`MANIFEST_EMPTY`, `ILLEGAL_TRANSITION`")))]
pub(super) async fn submit_manifest(
    State(app): State<App>,
    caller: Can<SubmitManifests>,
    Path(id): Path<ManifestId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let manifest = commands::submit_manifest(&mut tx, caller.scope()?, id).await?;
    tx.answer(shown(&manifest)?).await
}

/// Approve a manifest that someone else submitted.
#[utoipa::path(post, path = "/api/v1/manifests/{id}/approve", operation_id = "approve_manifest", tag = "manifests",
    params(("id" = ManifestId, Path), ("If-Match" = Option<String>, Header)), security(("bearer" = ["manifests:approve"])),
    responses((status = 200, body = ManifestOut), (status = 403, description = "`FOUR_EYES`: you submitted it"), (status = 409, description = "`ILLEGAL_TRANSITION`"),
        (status = 412, description = "`VERSION_MISMATCH`: it is not what you saw any more")))]
pub(super) async fn approve_manifest(
    State(app): State<App>,
    caller: Can<ApproveManifests>,
    Path(id): Path<ManifestId>,
    seen: IfMatch,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let manifest = commands::approve_manifest(&mut tx, caller.scope()?, id, seen).await?;
    tx.answer(shown(&manifest)?).await
}

/// Send a submitted manifest back.
#[utoipa::path(post, path = "/api/v1/manifests/{id}/reject", operation_id = "reject_manifest", tag = "manifests",
    params(("id" = ManifestId, Path), ("If-Match" = Option<String>, Header)), request_body = RejectManifestIn,
    security(("bearer" = ["manifests:reject"])),
    responses((status = 200, body = ManifestOut), (status = 409, description = "`ILLEGAL_TRANSITION`"), (status = 412, description = "`VERSION_MISMATCH`: it is not what you saw any more")))]
pub(super) async fn reject_manifest(
    State(app): State<App>,
    caller: Can<RejectManifests>,
    Path(id): Path<ManifestId>,
    seen: IfMatch,
    Json(input): Json<RejectManifestIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let manifest = commands::reject_manifest(&mut tx, caller.scope()?, id, seen, input.reason.into()).await?;
    tx.answer(shown(&manifest)?).await
}

/// Send an approved manifest off; all its shipments must be collected.
#[utoipa::path(post, path = "/api/v1/manifests/{id}/ship", operation_id = "ship_manifest", tag = "manifests", params(("id" = ManifestId, Path)),
    security(("bearer" = ["manifests:ship"])),
    responses((status = 200, body = ManifestOut), (status = 409, description = "`SHIPMENTS_NOT_COLLECTED`, `MANIFEST_EMPTY`, `ILLEGAL_TRANSITION`")))]
pub(super) async fn ship_manifest(
    State(app): State<App>,
    caller: Can<ShipManifests>,
    Path(id): Path<ManifestId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let manifest = commands::ship_manifest(&mut tx, caller.scope()?, id).await?;
    tx.answer(shown(&manifest)?).await
}
