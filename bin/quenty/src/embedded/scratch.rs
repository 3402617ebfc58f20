//! A folder that goes when its platform does, however that ends.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use quenty_kernel::id::new_uuid;

use super::folder::make_passable;

/// A PostgreSQL that was told to stop at once still writes its last files.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn make() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("quenty-{}", new_uuid().simple()));
        make_passable(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for _ in 0..TRIES {
            if fs::remove_dir_all(&self.0).is_ok() || !self.0.exists() {
                return;
            }
            thread::sleep(PAUSE);
        }
        eprintln!("{} is left behind: remove it", self.0.display());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn others_may_only_pass_through_it() {
        let scratch = Scratch::make().unwrap();
        assert_eq!(fs::metadata(scratch.path()).unwrap().permissions().mode() & 0o777, 0o711);
    }
}
