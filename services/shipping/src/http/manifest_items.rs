//! The shipments of a manifest.

use axum::extract::State;
use quenty_kernel::{
    Page,
    country::CountryCode,
    id::{ManifestId, ShipmentId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path, Query},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ReadManifests, UpdateManifests,
    manifests::{ManifestOut, shown},
};
use crate::{commands, store};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddManifestItemIn {
    shipment_id: ShipmentId,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ManifestItemOut {
    shipment_id: ShipmentId,
    tracking_number: String,
    reference: Option<String>,
    destination: CountryCode,
    parcels: u32,
    weight_grams: u64,
    #[schema(example = "booked")]
    status: String,
}

list_query!(ManifestItemsQuery {});

/// List the shipments of a manifest, newest first.
#[utoipa::path(get, path = "/api/v1/manifests/{id}/items", operation_id = "list_manifest_items", tag = "manifests",
    params(("id" = ManifestId, Path), ManifestItemsQuery), security(("bearer" = ["manifests:read"])), responses((status = 200, body = Page<ManifestItemOut>)))]
pub(super) async fn list_manifest_items(
    State(app): State<App>,
    caller: Can<ReadManifests>,
    Path(id): Path<ManifestId>,
    Query(query): Query<ManifestItemsQuery>,
) -> Result<Json<Page<ManifestItemOut>>> {
    let scope = caller.scope()?;
    store::manifests::find(app.db(), scope, id).await?;
    let items = store::manifest_items::list(app.db(), scope, id, &query.page()).await?;
    Ok(Json(items.map(|item| ManifestItemOut {
        shipment_id: item.shipment_id,
        tracking_number: item.line.tracking_number,
        reference: item.line.reference,
        destination: item.line.destination,
        parcels: item.line.parcels,
        weight_grams: item.line.weight_grams,
        status: item.status,
    })))
}

/// Put a shipment on a manifest; a rejected manifest is a draft again.
#[utoipa::path(post, path = "/api/v1/manifests/{id}/items", operation_id = "add_manifest_item", tag = "manifests",
    params(("id" = ManifestId, Path)), request_body = AddManifestItemIn, security(("bearer" = ["manifests:update"])),
    responses((status = 200, body = ManifestOut), (status = 409, description = "`ON_A_MANIFEST`, `MANIFEST_CLOSED`"),
        (status = 422, description = "`NOT_FOR_THIS_MANIFEST`: another carrier or origin, or not booked")))]
pub(super) async fn add_manifest_item(
    State(app): State<App>,
    caller: Can<UpdateManifests>,
    Path(id): Path<ManifestId>,
    Json(input): Json<AddManifestItemIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let manifest = commands::add_manifest_item(&mut tx, caller.scope()?, id, input.shipment_id).await?;
    tx.answer(shown(&manifest)?).await
}

/// Take a shipment off a manifest; off an approved one, while it is not collected.
#[utoipa::path(delete, path = "/api/v1/manifests/{id}/items/{shipment}", operation_id = "remove_manifest_item", tag = "manifests",
    params(("id" = ManifestId, Path), ("shipment" = ShipmentId, Path)), security(("bearer" = ["manifests:update"])),
    responses((status = 204), (status = 409, description = "`MANIFEST_CLOSED`")))]
pub(super) async fn remove_manifest_item(
    State(app): State<App>,
    caller: Can<UpdateManifests>,
    Path((id, shipment)): Path<(ManifestId, ShipmentId)>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    commands::remove_manifest_item(&mut tx, caller.scope()?, id, shipment).await?;
    tx.answer(Answer::no_content()).await
}
