//! Files that are there whole or not at all: who is killed while writing one, or finds the disk full, leaves none half made.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Writes a file, in place of one that is there.
///
/// # Errors
/// When the disk does not take it; what was there stays.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    fs::rename(write_beside(path, content, mode)?, path)
}

/// Writes a file where there is none.
///
/// # Errors
/// When there is one, and as [`replace`].
pub fn create(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let next = write_beside(path, content, mode)?;
    // Unlike a renamed file, a link takes nobody's place.
    let made = fs::hard_link(&next, path);
    let removed = fs::remove_file(next);
    made.and(removed)
}

fn write_beside(path: &Path, content: &[u8], mode: u32) -> io::Result<PathBuf> {
    // With its extension in place of the path's own it might be another file, or the path itself.
    let mut next = path.as_os_str().to_owned();
    next.push(".next");
    let next = PathBuf::from(next);
    // What an earlier run left there would keep its mode.
    drop(fs::remove_file(&next));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&next)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(next)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_left_unfinished_disturbs_nobody_and_what_is_there_is_replaced_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let (path, left) = (folder.path().join("a.key"), folder.path().join("a.key.next"));
        fs::write(&left, "hal").unwrap();
        create(&path, b"whole", 0o600).unwrap();
        assert!(!left.exists());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let refused = create(&path, b"another", 0o600).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert!(!left.exists());
        replace(&path, b"another", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "another");
    }

    #[test]
    fn a_file_that_is_named_alike_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a.key"), folder.path().join("a.next"));
        create(&other, b"other", 0o600).unwrap();
        create(&path, b"whole", 0o600).unwrap();
        replace(&path, b"another", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "other");
        assert_eq!(create(&other, b"new", 0o600).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&other).unwrap(), "other");
    }
}
