//! Authorities for tests of TLS, and what they sign.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use quenty_servers::certificates::Files;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// An authority of one test, with its certificates in one folder.
pub struct Authority {
    dir: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        params.distinguished_name.push(DnType::CommonName, format!("the authority {name}"));
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        fs::write(dir.join("ca.pem"), issuer.pem())?;
        Ok(Self { dir: dir.to_owned(), issuer })
    }

    /// Who is to trust it reads this.
    #[must_use]
    pub fn file(&self) -> String {
        self.dir.join("ca.pem").display().to_string()
    }

    /// A certificate of a server or client with these names; the first is its common name, too.
    pub fn issue(&self, names: &[&str]) -> anyhow::Result<Files> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone())?;
        params.distinguished_name.push(DnType::CommonName, &names[0]);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let signed = params.signed_by(&key, &self.issuer)?;
        let path = |ending: &str| self.dir.join(format!("{}.{ending}", names.join("+")));
        fs::write(path("pem"), signed.pem())?;
        fs::write(path("key"), key.serialize_pem())?;
        Ok(Files {
            authority: self.file(),
            certificate: path("pem").display().to_string(),
            key: path("key").display().to_string(),
        })
    }
}
