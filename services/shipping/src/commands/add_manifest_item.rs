use quenty_kernel::{
    Scope,
    id::{ManifestId, ShipmentId},
};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{manifest::Manifest, shipment::Shipment},
    store,
};

use super::save_manifest;

/// Puts a shipment on a manifest; one that is on another manifest stays there.
pub async fn add_manifest_item(
    tx: &mut Tx,
    scope: Scope,
    id: ManifestId,
    shipment: ShipmentId,
) -> Result<Manifest, Error> {
    let shipment = store::shipments::lock(tx.conn(), scope, shipment).await?;
    let mut manifest = store::manifests::lock(tx.conn(), scope, id).await?;
    check_fit(&manifest, &shipment)?;
    let (shipment_id, weight, now) = (shipment.state().id, shipment.weight_grams(), tx.now());
    let facts = manifest.add_item(shipment_id, weight, now)?;
    store::manifest_items::insert(tx.conn(), id, shipment_id, weight, now).await?;
    save_manifest(tx, &manifest, facts).await?;
    Ok(manifest)
}

fn check_fit(manifest: &Manifest, shipment: &Shipment) -> Result<(), Error> {
    let (manifest, state) = (manifest.state(), shipment.state());
    if state.company_id != manifest.company_id {
        return Err(Error::NotFound("shipment"));
    }
    if !state.status.is_on_its_way() {
        return Err(Error::NotForThisManifest("it is not booked, or its journey is over"));
    }
    if state.carrier != manifest.carrier {
        return Err(Error::NotForThisManifest("another carrier has it"));
    }
    if shipment.consignment().origin != manifest.origin {
        return Err(Error::NotForThisManifest("it leaves from another country"));
    }
    Ok(())
}
