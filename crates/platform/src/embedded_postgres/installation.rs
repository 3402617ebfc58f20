//! Finds the installed PostgreSQL binaries. Never downloads any.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{EmbeddedPostgresError, Result};

const MINIMUM_MAJOR: u32 = 15;
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";

#[derive(Debug, Clone)]
pub(super) struct Installation {
    pub(super) bin: PathBuf,
    major: u32,
}

/// The installation that can serve `data_dir`: the one of the folder's major version, or the newest for a new one.
pub(super) fn find(folder_major: Option<u32>, data_dir: &Path) -> Result<Installation> {
    choose(candidates().iter().filter_map(|bin| probe(bin)).collect(), folder_major, data_dir)
}

fn choose(found: Vec<Installation>, folder_major: Option<u32>, data_dir: &Path) -> Result<Installation> {
    let names = found.iter().map(|one| one.major.to_string()).collect::<BTreeSet<_>>();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let newest = found
        .into_iter()
        .filter(|one| one.major >= MINIMUM_MAJOR)
        .filter(|one| folder_major.is_none_or(|major| major == one.major))
        .reduce(|best, one| if one.major > best.major { one } else { best });
    match (newest, folder_major) {
        (Some(installation), _) => Ok(installation),
        (None, Some(folder)) if !names.is_empty() => Err(EmbeddedPostgresError::OtherMajorVersion {
            data_dir: data_dir.to_owned(),
            folder,
            installed: names,
        }),
        (None, _) => {
            let found = if names.is_empty() { String::new() } else { format!(" (found: {names})") };
            Err(EmbeddedPostgresError::NotInstalled { minimum: MINIMUM_MAJOR, found })
        }
    }
}

/// Folders that may hold the binaries, the caller's own choice (`PATH`) first.
fn candidates() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // A link such as /usr/local/bin/postgres must be followed: the server looks for its files beside itself.
    let real_parent =
        |folder: PathBuf| Some(folder.join("postgres").canonicalize().ok()?.parent()?.to_owned());
    let on_path = env::split_paths(&path).filter_map(real_parent);
    let debian =
        fs::read_dir(DEBIAN_ROOT).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let configured = Command::new("pg_config").arg("--bindir").output().ok().into_iter();
    let configured = configured.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    on_path.chain(debian).chain(configured).collect()
}

fn probe(bin: &Path) -> Option<Installation> {
    if !bin.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let major = parse_major(&String::from_utf8_lossy(&output.stdout))?;
    Some(Installation { bin: bin.to_owned(), major })
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)`, also `17beta1`.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL)").nth(1)?.trim_start();
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(majors: &[u32]) -> Vec<Installation> {
        majors
            .iter()
            .map(|&major| Installation { bin: PathBuf::from(format!("/pg/{major}")), major })
            .collect()
    }

    #[test]
    fn reads_the_major_version() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 17beta1"), Some(17));
        assert_eq!(parse_major("mysqld 8"), None);
    }

    #[test]
    fn a_new_folder_gets_the_newest() {
        assert_eq!(choose(installed(&[15, 17, 16]), None, Path::new("/d")).unwrap().major, 17);
    }

    #[test]
    fn an_existing_folder_gets_its_own_version() {
        assert_eq!(choose(installed(&[15, 17]), Some(15), Path::new("/d")).unwrap().major, 15);
    }

    #[test]
    fn a_folder_of_a_missing_version_is_refused() {
        let error = choose(installed(&[15]), Some(13), Path::new("/d")).unwrap_err().to_string();
        assert!(error.contains("written by postgresql 13") && error.contains("only 15"), "{error}");
    }

    #[test]
    fn too_old_says_what_was_found_and_what_to_install() {
        let error = choose(installed(&[14]), None, Path::new("/d")).unwrap_err().to_string();
        assert!(error.contains("found: 14") && error.contains("apt-get install postgresql"), "{error}");
        let error = choose(Vec::new(), None, Path::new("/d")).unwrap_err().to_string();
        assert!(error.contains("15 or newer is not installed: run"), "{error}");
    }
}
