use quenty_kernel::{Scope, id::ManifestId};
use quenty_platform::{Tx, http::IfMatch};

use crate::{Error, domain::manifest::Manifest, store};

use super::save_manifest;

/// Sends a submitted manifest back with the reason.
pub async fn reject_manifest(
    tx: &mut Tx,
    scope: Scope,
    id: ManifestId,
    seen: IfMatch,
    reason: String,
) -> Result<Manifest, Error> {
    let mut manifest = store::manifests::lock(tx.conn(), scope, id).await?;
    seen.check(manifest.state().version)?;
    let rejected = manifest.reject(reason, tx.now())?;
    save_manifest(tx, &manifest, [rejected]).await?;
    Ok(manifest)
}
