use quenty_kernel::{Scope, id::ManifestId};
use quenty_platform::Tx;

use crate::{Error, domain::manifest::Manifest, store};

use super::save_manifest;

/// Hands a manifest to a second person.
pub async fn submit_manifest(tx: &mut Tx, scope: Scope, id: ManifestId) -> Result<Manifest, Error> {
    let mut manifest = store::manifests::lock(tx.conn(), scope, id).await?;
    let facts = manifest.submit(tx.actor().clone(), tx.now())?;
    save_manifest(tx, &manifest, facts).await?;
    Ok(manifest)
}
