use jiff::civil::Date;
use quenty_kernel::{
    country::CountryCode,
    id::{CompanyId, ManifestId},
};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::manifest::{Manifest, ManifestCreated},
    store,
};

/// What an empty manifest is made of.
#[derive(Debug, Clone)]
pub struct NewManifest {
    pub company_id: CompanyId,
    pub carrier: String,
    pub origin: CountryCode,
    pub date: Date,
    pub reference: Option<String>,
}

pub async fn create_manifest(tx: &mut Tx, new: NewManifest) -> Result<Manifest, Error> {
    let created = ManifestCreated {
        manifest_id: ManifestId::new(),
        company_id: new.company_id,
        carrier: new.carrier,
        origin: new.origin,
        date: new.date,
        reference: new.reference,
    };
    let (manifest, fact) = Manifest::create(created, tx.now());
    store::manifests::insert(tx.conn(), &manifest).await?;
    tx.record(manifest.state().id, Some(manifest.state().company_id), &fact)?;
    Ok(manifest)
}
