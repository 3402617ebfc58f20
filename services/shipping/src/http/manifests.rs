//! Manifests: what leaves a country on a day.

use axum::extract::State;
use jiff::{Timestamp, civil::Date};
use quenty_kernel::{
    Actor, Page,
    contact::Text,
    country::CountryCode,
    id::{CompanyId, ManifestId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query, nullable},
    journal, list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreateManifests, DeleteManifests, ReadManifests, UpdateManifests, shipments::AsOf};
use crate::{
    Error,
    commands::{self, NewManifest},
    domain::{
        manifest::{Manifest, ManifestFact, ManifestStatus},
        tariff::QTY,
    },
    store,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateManifestIn {
    /// Our own carrier unless told.
    #[serde(default)]
    #[schema(example = "QTY")]
    carrier: Option<String>,
    /// The country that its shipments leave from.
    origin: CountryCode,
    #[schema(value_type = String, format = "date", example = "2026-01-06")]
    date: Date,
    #[serde(default)]
    reference: Option<Text<60>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateManifestIn {
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date")]
    date: Option<Date>,
    /// `null` takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 60)]
    reference: Option<Option<Text<60>>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ManifestOut {
    id: ManifestId,
    company_id: CompanyId,
    carrier: String,
    origin: CountryCode,
    #[schema(value_type = String, format = "date")]
    date: Date,
    reference: Option<String>,
    status: ManifestStatus,
    shipment_count: u32,
    weight_grams: u64,
    #[schema(value_type = Option<String>)]
    submitted_by: Option<Actor>,
    rejected_reason: Option<String>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&Manifest> for ManifestOut {
    fn from(manifest: &Manifest) -> Self {
        let state = manifest.state().clone();
        Self {
            id: state.id,
            company_id: state.company_id,
            carrier: state.carrier,
            origin: state.origin,
            date: state.date,
            reference: state.reference,
            status: state.status,
            shipment_count: state.shipment_count,
            weight_grams: state.weight_grams,
            submitted_by: state.submitted_by,
            rejected_reason: state.rejected_reason,
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// The answer that shows a manifest and its version.
pub(super) fn shown(manifest: &Manifest) -> Result<Answer> {
    Ok(Answer::ok(&ManifestOut::from(manifest))?.version(manifest.state().version))
}

list_query!(ManifestsQuery { status: Option<ManifestStatus> });

/// Create an empty manifest.
#[utoipa::path(post, path = "/api/v1/manifests", operation_id = "create_manifest", tag = "manifests", request_body = CreateManifestIn,
    security(("bearer" = ["manifests:create"])), responses((status = 201, body = ManifestOut), (status = 422, description = "`INVALID_BODY`, `UNKNOWN_CARRIER`")))]
pub(super) async fn create_manifest(
    State(app): State<App>,
    caller: Can<CreateManifests>,
    Json(input): Json<CreateManifestIn>,
) -> Result<Answer> {
    let carrier = input.carrier.unwrap_or_else(|| QTY.to_owned());
    if carrier != QTY {
        return Err(Error::BadField {
            code: "UNKNOWN_CARRIER",
            pointer: "/carrier",
            detail: "the only carrier is QTY",
        }
        .into());
    }
    let reference = input.reference.map(String::from);
    let new = NewManifest {
        company_id: caller.company()?,
        carrier,
        origin: input.origin,
        date: input.date,
        reference,
    };
    let mut tx = app.begin(&caller).await?;
    let manifest = commands::create_manifest(&mut tx, new).await?;
    let location = format!("/api/v1/manifests/{}", manifest.state().id);
    tx.answer(Answer::created(location, &ManifestOut::from(&manifest))?.version(manifest.state().version))
        .await
}

/// List manifests, newest first.
#[utoipa::path(get, path = "/api/v1/manifests", operation_id = "list_manifests", tag = "manifests", params(ManifestsQuery),
    security(("bearer" = ["manifests:read"])), responses((status = 200, body = Page<ManifestOut>)))]
pub(super) async fn list_manifests(
    State(app): State<App>,
    caller: Can<ReadManifests>,
    Query(query): Query<ManifestsQuery>,
) -> Result<Json<Page<ManifestOut>>> {
    let manifests = store::manifests::list(app.db(), caller.scope()?, query.status, &query.page()).await?;
    Ok(Json(manifests.map(|manifest| ManifestOut::from(&manifest))))
}

/// Read a manifest, now or as it was.
#[utoipa::path(get, path = "/api/v1/manifests/{id}", operation_id = "get_manifest", tag = "manifests", params(("id" = ManifestId, Path), AsOf),
    security(("bearer" = ["manifests:read"])), responses((status = 200, body = ManifestOut)))]
pub(super) async fn get_manifest(
    State(app): State<App>,
    caller: Can<ReadManifests>,
    Path(id): Path<ManifestId>,
    Query(query): Query<AsOf>,
) -> Result<Answer> {
    let scope = caller.scope()?;
    let Some(as_of) = query.as_of else { return shown(&store::manifests::find(app.db(), scope, id).await?) };
    let facts = journal::facts::<ManifestFact>(app.db(), scope, &id.to_string(), Some(as_of)).await?;
    let manifest = Manifest::fold(facts).ok_or(Error::NotFound("manifest at that time"))?;
    // Without a version: what was cannot be changed.
    Answer::ok(&ManifestOut::from(&manifest))
}

/// Change a manifest's date or reference; a rejected one is a draft again.
#[utoipa::path(patch, path = "/api/v1/manifests/{id}", operation_id = "update_manifest", tag = "manifests",
    params(("id" = ManifestId, Path), ("If-Match" = Option<String>, Header)), request_body = UpdateManifestIn,
    security(("bearer" = ["manifests:update"])),
    responses((status = 200, body = ManifestOut), (status = 409, description = "`MANIFEST_CLOSED`"), (status = 412, description = "`VERSION_MISMATCH`")))]
pub(super) async fn update_manifest(
    State(app): State<App>,
    caller: Can<UpdateManifests>,
    Path(id): Path<ManifestId>,
    seen: IfMatch,
    Json(input): Json<UpdateManifestIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let reference = input.reference.map(|reference| reference.map(String::from));
    let manifest =
        commands::update_manifest(&mut tx, caller.scope()?, id, seen, input.date, reference).await?;
    tx.answer(shown(&manifest)?).await
}

/// Cancel a draft or submitted manifest, or an approved one that is empty.
#[utoipa::path(delete, path = "/api/v1/manifests/{id}", operation_id = "delete_manifest", tag = "manifests",
    params(("id" = ManifestId, Path), ("If-Match" = Option<String>, Header)), security(("bearer" = ["manifests:delete"])),
    responses((status = 204), (status = 409, description = "`ILLEGAL_TRANSITION`, `MANIFEST_NOT_EMPTY`"), (status = 412, description = "`VERSION_MISMATCH`")))]
pub(super) async fn delete_manifest(
    State(app): State<App>,
    caller: Can<DeleteManifests>,
    Path(id): Path<ManifestId>,
    seen: IfMatch,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    commands::delete_manifest(&mut tx, caller.scope()?, id, seen).await?;
    tx.answer(Answer::no_content()).await
}
