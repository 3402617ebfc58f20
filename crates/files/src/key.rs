//! Under which names files may be kept: the same in a folder and in an object store.

use object_store::path::Path;
use quenty_platform::{Error, Result};

/// What S3 takes.
const LONGEST: usize = 1024;
/// Leaves room for what is added while a file is being written.
const LONGEST_STEP: usize = 200;

/// # Errors
/// When the service made a key that cannot be one.
pub(crate) fn path(key: &str) -> Result<Path> {
    if key.len() > LONGEST || !key.split('/').all(is_step) {
        return Err(Error::internal(format!("{key:?} is no key of a file")));
    }
    Path::parse(key).map_err(Error::internal)
}

fn is_step(step: &str) -> bool {
    !step.starts_with('.')
        && (1..=LONGEST_STEP).contains(&step.len())
        && step.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_nowhere_else() {
        for key in ["photos/RET-01/1.jpg", "a", "A_b-c.d/e"] {
            assert_eq!(path(key).unwrap().as_ref(), key);
        }
        let long = "a".repeat(LONGEST_STEP + 1);
        let deep = "a/".repeat(LONGEST / 2) + "a";
        let wrong = [
            "",
            "/",
            "/etc/passwd",
            "a/",
            "a//b",
            "..",
            "a/../b",
            "a/.b",
            ".",
            "a\\b",
            "a b",
            "a%2e",
            "a#1",
            "ä",
        ];
        for key in wrong.iter().copied().chain([long.as_str(), deep.as_str()]) {
            assert!(path(key).is_err(), "{key:?}");
        }
    }
}
