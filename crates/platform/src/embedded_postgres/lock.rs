//! Who holds a data folder: one process at a time, known by its number.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::{EmbeddedPostgresError, Result, io};

const LOCK_FILE: &str = "lock";

/// Held as long as it lives; the kernel releases it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    pub(super) fn take(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(data_dir, file)),
            Err(TryLockError::Error(error)) => return Err(io("lock", &path)(error)),
        }
        let written = file.set_len(0).and_then(|()| file.rewind());
        written.and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io("write", &path))?;
        Ok(Self { _file: file })
    }
}

fn held(data_dir: &Path, mut file: File) -> EmbeddedPostgresError {
    let mut pid = String::new();
    // A holder that has not written its number yet is still a holder.
    let pid = match file.read_to_string(&mut pid) {
        Ok(length) if length > 0 => pid.trim().to_owned(),
        _ => "(just starting)".to_owned(),
    };
    EmbeddedPostgresError::Held { data_dir: data_dir.to_owned(), pid }
}

/// Makes the folder, or checks that it is ours: its owner and mode will be changed, so a slip in a path must not
/// hand over somebody's home. Returns its absolute path without links.
pub(super) fn claim_folder(data_dir: &Path) -> Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o755).create(data_dir).map_err(io("make", data_dir))?;
    let data_dir = fs::canonicalize(data_dir).map_err(io("open", data_dir))?;
    let mut entries = fs::read_dir(&data_dir).map_err(io("read", &data_dir))?;
    if data_dir.join(LOCK_FILE).is_file() || entries.next().is_none() {
        Ok(data_dir)
    } else {
        Err(EmbeddedPostgresError::NotOurs { data_dir })
    }
}
