use jiff::civil::Date;
use quenty_kernel::{Scope, id::ManifestId};
use quenty_platform::{Tx, http::IfMatch};

use crate::{Error, domain::manifest::Manifest, store};

use super::save_manifest;

/// Changes the date, the reference, or both; a reference of `Some(None)` is taken away.
pub async fn update_manifest(
    tx: &mut Tx,
    scope: Scope,
    id: ManifestId,
    seen: IfMatch,
    date: Option<Date>,
    reference: Option<Option<String>>,
) -> Result<Manifest, Error> {
    let mut manifest = store::manifests::lock(tx.conn(), scope, id).await?;
    seen.check(manifest.state().version)?;
    let date = date.unwrap_or(manifest.state().date);
    let reference = reference.unwrap_or_else(|| manifest.state().reference.clone());
    let facts = manifest.update(date, reference, tx.now())?;
    save_manifest(tx, &manifest, facts).await?;
    Ok(manifest)
}
