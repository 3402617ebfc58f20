use quenty_kernel::{Scope, id::ManifestId};
use quenty_platform::{Tx, http::IfMatch};

use crate::{Error, domain::manifest::Manifest, store};

use super::save_manifest;

/// The second pair of eyes: not those that submitted it.
pub async fn approve_manifest(
    tx: &mut Tx,
    scope: Scope,
    id: ManifestId,
    seen: IfMatch,
) -> Result<Manifest, Error> {
    let mut manifest = store::manifests::lock(tx.conn(), scope, id).await?;
    seen.check(manifest.state().version)?;
    let approved = manifest.approve(tx.actor(), tx.now())?;
    save_manifest(tx, &manifest, [approved]).await?;
    Ok(manifest)
}
