//! The key that signs the checkpoints of the journals.

use std::{io, path::Path};

use anyhow::{Context, Error, Result, anyhow};
use base64::{Engine, engine::general_purpose::STANDARD};
use quenty_platform::checkpoints;
use quenty_servers::files;
use rand::RngCore;

/// Makes a private key in a file for its user only; returns its public half.
///
/// # Errors
/// When there is such a file, or it cannot be written.
pub fn make(file: &Path) -> Result<String> {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    let key = STANDARD.encode(bytes);
    files::create(file, key.as_bytes(), 0o600).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => anyhow!("{} is there, and nothing is overwritten", file.display()),
        _ => Error::new(error).context(format!("cannot make {}", file.display())),
    })?;
    checkpoints::public_half(&key).context("32 bytes are a key")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_for_its_owner_and_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.key");
        let public = make(&file).unwrap();
        let key = std::fs::read_to_string(&file).unwrap();
        assert_eq!(checkpoints::public_half(&key), Some(public));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(make(&file).unwrap_err().to_string().contains("nothing is overwritten"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), key);
        let nowhere = make(&folder.path().join("none/audit.key")).unwrap_err();
        assert!(!format!("{nowhere:#}").contains("overwritten"), "{nowhere:#}");
    }
}
