//! What a server shows of itself.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, Result};
use nix::unistd::{Gid, Uid, chown};

/// A certificate and its key, in PEM files.
#[derive(Debug, Clone)]
pub struct Files {
    pub authority: String,
    pub certificate: String,
    pub key: String,
}

impl Files {
    /// Copies of them in `dir`, the key for this account only: servers refuse one that others can read.
    pub fn owned_by(&self, dir: &Path, owner: Option<(Uid, Gid)>) -> Result<Self> {
        let copy = |from: &str, name: &str, mode: u32| {
            let to = dir.join(name);
            fs::copy(from, &to).with_context(|| format!("cannot copy {from}"))?;
            fs::set_permissions(&to, fs::Permissions::from_mode(mode))?;
            if let Some((uid, gid)) = owner {
                chown(&to, Some(uid), Some(gid))?;
            }
            anyhow::Ok(to.display().to_string())
        };
        Ok(Self {
            authority: copy(&self.authority, "tls-ca.pem", 0o644)?,
            certificate: copy(&self.certificate, "tls-cert.pem", 0o644)?,
            key: copy(&self.key, "tls-key.pem", 0o600)?,
        })
    }
}
