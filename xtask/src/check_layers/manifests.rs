//! Who may depend on whom among our own crates.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::{Violation, entries};

const TESTKIT: &str = "quenty-testkit";

struct Direction {
    depends_on: &'static [&'static str],
    reason: &'static str,
}

const KERNEL: Direction = Direction { depends_on: &[], reason: "the kernel stands below everything" };
const CONTRACTS: Direction =
    Direction { depends_on: &["quenty-kernel"], reason: "the published language knows the kernel only" };
const PLATFORM: Direction =
    Direction { depends_on: &["quenty-kernel"], reason: "the chassis must not learn the business" };
const WAY_OUT: Direction = Direction {
    depends_on: &["quenty-kernel", "quenty-platform"],
    reason: "a way out of the platform must not learn the business",
};
const SERVERS: Direction = Direction {
    depends_on: &["quenty-kernel", "quenty-platform"],
    reason: "servers beside a platform must not learn the business",
};
const SERVICE: Direction = Direction {
    depends_on: &[
        "quenty-kernel",
        "quenty-contracts",
        "quenty-platform",
        "quenty-carriers",
        "quenty-files",
        "quenty-mail",
    ],
    reason: "services meet through events and HTTP, and use the test kit in tests only",
};

pub(super) fn check(root: &Path) -> anyhow::Result<Vec<Violation>> {
    let crates = [
        ("kernel", KERNEL),
        ("contracts", CONTRACTS),
        ("carriers", CONTRACTS),
        ("platform", PLATFORM),
        ("files", WAY_OUT),
        ("mail", WAY_OUT),
        ("servers", SERVERS),
    ];
    let mut violations = Vec::new();
    for (name, direction) in &crates {
        let folder = root.join("crates").join(name);
        if folder.is_dir() {
            violations.extend(check_crate(&folder, direction)?);
        }
    }
    for folder in entries(&root.join("services"))?.iter().filter(|folder| folder.is_dir()) {
        violations.extend(check_crate(folder, &SERVICE)?);
    }
    Ok(violations)
}

fn check_crate(folder: &Path, direction: &Direction) -> anyhow::Result<Vec<Violation>> {
    let manifest = folder.join("Cargo.toml");
    let text =
        fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let own = format!("quenty-{}", folder.file_name().unwrap_or_default().to_string_lossy());
    Ok(check_manifest(&manifest, &own, &text, direction))
}

fn check_manifest(file: &Path, own: &str, text: &str, direction: &Direction) -> Vec<Violation> {
    let wrong = |dependency: &Dependency| {
        let in_tests = dependency.dev && dependency.package == TESTKIT;
        !in_tests && !direction.depends_on.contains(&dependency.package)
    };
    let found = dependencies(text).into_iter().filter(wrong);
    let violation = |dependency: Dependency| Violation {
        file: file.to_owned(),
        line: dependency.line,
        what: format!("{own} depends on {}", dependency.package),
        reason: direction.reason,
    };
    found.map(violation).collect()
}

struct Dependency<'a> {
    line: usize,
    package: &'a str,
    dev: bool,
}

/// Our own packages in any table of dependencies, in either way of writing them.
fn dependencies(manifest: &str) -> Vec<Dependency<'_>> {
    let mut table = "";
    let mut found = Vec::new();
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        let mut name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']');
            name = table.rsplit('.').next().unwrap_or_default();
        }
        if table.contains("dependencies") && name.starts_with("quenty-") {
            found.push(Dependency { line: index + 1, package: name, dev: table.contains("dev-") });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, direction: &Direction) -> Vec<usize> {
        let file = Path::new("Cargo.toml");
        check_manifest(file, "quenty-x", text, direction).iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn a_service_does_not_depend_on_another() {
        let text = "[package]\nname = \"quenty-order\"\n[dependencies]\nquenty-kernel.workspace = true\n\
                    quenty-auth = { path = \"../auth\" }\n[dev-dependencies]\nquenty-pickup.workspace = true\n";
        assert_eq!(found(text, &SERVICE), [5, 7]);
    }

    #[test]
    fn the_test_kit_is_for_tests() {
        assert_eq!(found("[dev-dependencies]\nquenty-testkit = {}\n", &SERVICE), Vec::<usize>::new());
        assert_eq!(found("[dependencies]\nquenty-testkit = {}\n", &SERVICE), [2]);
    }

    #[test]
    fn a_way_out_does_not_know_the_business() {
        assert_eq!(found("[dependencies]\nquenty-contracts = {}\nquenty-platform = {}\n", &WAY_OUT), [2]);
        assert_eq!(
            found("[dependencies]\nquenty-mail = {}\nquenty-files = {}\n", &SERVICE),
            Vec::<usize>::new()
        );
        assert_eq!(found("[dependencies]\nquenty-files = {}\n", &PLATFORM), [2]);
    }

    #[test]
    fn the_chassis_does_not_know_the_business() {
        assert_eq!(found("[dependencies.quenty-contracts]\nworkspace = true\n", &PLATFORM), [1]);
        assert_eq!(found("[dependencies]\nquenty-kernel = {}\n", &PLATFORM), Vec::<usize>::new());
    }
}
