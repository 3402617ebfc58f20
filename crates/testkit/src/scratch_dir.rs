//! A temporary folder that goes away with this process, however the process ends.
//!
//! A static is never dropped and a killed process drops nothing, so the folder is removed by a shell of its own
//! that waits for the end of its input: the kernel closes our side when we are gone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// Servers that are still ending may write once more while their folder goes, hence the repetition.
const REMOVE: &str = r#"cat >/dev/null
for _ in $(seq 100); do
    rm -rf -- "$1" 2>/dev/null
    [ -e "$1" ] || exit 0
    sleep 0.1
done"#;

#[derive(Debug)]
pub struct ScratchDir {
    path: PathBuf,
    remover: Child,
}

impl ScratchDir {
    /// Makes `NAME-<random>` below the system's temporary folder. Others may enter it, since servers started by
    /// root run under their own accounts; what is private below it protects itself.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let prefix = format!("{name}-");
        let made =
            tempfile::Builder::new().prefix(&prefix).permissions(Permissions::from_mode(0o755)).tempdir();
        let path = fs::canonicalize(made.context("cannot make a temporary folder")?.keep())?;
        let mut command = Command::new("sh");
        command.args(["-c", REMOVE, "remove"]).arg(&path);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C is for us; the remover comes after.
        let remover = command.process_group(0).spawn().context("cannot start sh")?;
        Ok(Self { path, remover })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        if let Err(error) = self.remover.wait() {
            tracing::warn!(%error, path = %self.path.display(), "a temporary folder may be left");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_away_with_its_owner() {
        let folder = ScratchDir::new("quenty-scratch-test").unwrap();
        let path = folder.path().to_owned();
        fs::write(path.join("file"), "text").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
