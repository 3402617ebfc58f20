use quenty_kernel::{Scope, id::ManifestId};
use quenty_platform::{Tx, http::IfMatch};

use crate::{Error, store};

use super::save_manifest;

/// Cancels a draft or submitted manifest, or an approved one that is empty; its shipments are free for another one.
pub async fn delete_manifest(tx: &mut Tx, scope: Scope, id: ManifestId, seen: IfMatch) -> Result<(), Error> {
    let mut manifest = store::manifests::lock(tx.conn(), scope, id).await?;
    seen.check(manifest.state().version)?;
    let cancelled = manifest.cancel(tx.now())?;
    store::manifest_items::delete_all(tx.conn(), id).await?;
    save_manifest(tx, &manifest, [cancelled]).await
}
