use quenty_kernel::{
    Scope,
    id::{ManifestId, ShipmentId},
};
use quenty_platform::Tx;

use crate::{Error, store};

use super::save_manifest;

/// Takes a shipment off a manifest.
pub async fn remove_manifest_item(
    tx: &mut Tx,
    scope: Scope,
    id: ManifestId,
    shipment: ShipmentId,
) -> Result<(), Error> {
    let is_collected =
        store::shipments::lock(tx.conn(), scope, shipment).await?.state().status.is_collected();
    let mut manifest = store::manifests::lock(tx.conn(), scope, id).await?;
    let weight = store::manifest_items::delete(tx.conn(), id, shipment)
        .await?
        .ok_or(Error::NotFound("shipment on this manifest"))?;
    let facts = manifest.remove_item(shipment, weight, is_collected, tx.now())?;
    save_manifest(tx, &manifest, facts).await
}
