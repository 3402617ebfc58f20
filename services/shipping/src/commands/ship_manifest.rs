use quenty_kernel::{Scope, id::ManifestId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{manifest::Manifest, shipment::Status},
    store,
};

use super::{deliver_manifest_if_done, save_manifest};

/// Sends an approved manifest off. Every shipment must be collected: what is can no longer be voided, so that the
/// totals stay what they were.
pub async fn ship_manifest(tx: &mut Tx, scope: Scope, id: ManifestId) -> Result<Manifest, Error> {
    let mut manifest = store::manifests::lock(tx.conn(), scope, id).await?;
    let shipped = manifest.ship(tx.now())?;
    let collected: Vec<&str> =
        Status::ALL.into_iter().filter(|status| status.is_collected()).map(Status::as_str).collect();
    if !store::manifest_items::all_are(tx.conn(), id, &collected).await? {
        return Err(Error::NotCollected);
    }
    save_manifest(tx, &manifest, [shipped]).await?;
    deliver_manifest_if_done(tx, &mut manifest).await?;
    Ok(manifest)
}
