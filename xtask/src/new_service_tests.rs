use std::collections::BTreeMap;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::check_layers;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the chore reads and writes of the repository.
fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let siblings = siblings(&repository()).unwrap();
    let own = siblings.iter().flat_map(|sibling| {
        ["Cargo.toml", "src/lib.rs"].map(|file| format!("services/{}/{file}", sibling.name))
    });
    let chassis = "crates/platform/Cargo.toml".to_owned();
    for file in LISTS.iter().map(|list| list.file.to_owned()).chain(own).chain([chassis]) {
        let to = copy.path().join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(repository().join(&file), to).unwrap();
    }
    copy
}

fn archive() -> Args {
    Args {
        name: "archive".to_owned(),
        port: 8900,
        database: "cold_storage_db".to_owned(),
        about: "Keeps what nobody asks for any more.".to_owned(),
    }
}

/// Every file below a folder and what it holds.
fn files(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The line that is new in a file, where nothing else may have changed.
fn added(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
    assert_eq!(after[same + 1..], before[same..], "one line was added");
    after[same].to_owned()
}

#[test]
fn a_new_service_has_its_files_and_stands_in_every_list() {
    let copy = copy();
    let before = files(copy.path());
    run(copy.path(), &archive()).unwrap();
    let after = files(copy.path());

    let own: Vec<_> = after.keys().filter_map(|path| path.strip_prefix("services/archive").ok()).collect();
    assert_eq!(own.len(), SKELETON.len());
    assert!(own.contains(&Path::new("migrations/0001_archive.sql")));
    for (path, text) in after.iter().filter(|(path, _)| path.starts_with("services/archive")) {
        for left in ["{name}", "{Name}", "{NAME}", "{port}", "{database}", "{about}"] {
            assert!(!text.contains(left), "{left} stands in {}", path.display());
        }
    }
    let lib = &after[Path::new("services/archive/src/lib.rs")];
    for field in ["name: \"archive\",", "port: 8900,", "database: \"cold_storage_db\","] {
        assert!(lib.contains(field), "{field}");
    }
    assert!(after[Path::new("services/archive/sqlx.toml")].contains("\"ARCHIVE_DATABASE_URL\""));

    let new = |file: &str| added(&before[Path::new(file)], &after[Path::new(file)]);
    assert_eq!(new("Cargo.toml"), "quenty-archive = { path = \"services/archive\" }");
    assert_eq!(new("bin/quenty/Cargo.toml"), "quenty-archive = { workspace = true }");
    assert_eq!(new("bin/quenty/src/services.rs"), "        quenty_archive::service(),");
    assert!(new("crates/platform/src/settings.rs").contains("\"http://127.0.0.1:8900\""));
    assert!(new("README.md").contains("| archive | 8900 | Keeps what nobody asks for any more. |"));
    let guide = &after[Path::new("docs/guides/services-apart.md")];
    assert!(guide.contains(" archive:cold_storage_db") && guide.contains(" archive:8900"));
    for (path, text) in &before {
        let is_listed = LISTS.iter().any(|list| path == Path::new(list.file));
        assert!(is_listed || after[path] == *text, "{} was changed", path.display());
    }
    let mut misplaced = check_layers::check(copy.path()).unwrap().into_iter().map(|found| found.to_string());
    assert_eq!(misplaced.find(|found| found.starts_with("services/archive")), None);
}

#[test]
fn it_costs_less_than_ninety_lines_of_code() {
    let [code, _] = lines(&archive());
    assert!(code < 90, "{code}");
}

#[test]
fn lists_are_in_the_order_of_ports() {
    let copy = copy();
    let later = Args { name: "later".to_owned(), port: 8901, database: "later_db".to_owned(), ..archive() };
    run(copy.path(), &later).unwrap();
    run(copy.path(), &archive()).unwrap();
    let readme = fs::read_to_string(copy.path().join("README.md")).unwrap();
    assert!(readme.find("| archive |") < readme.find("| later |"));
}

#[test]
fn nothing_is_written_when_something_is_wrong() {
    let copy = copy();
    fs::create_dir(copy.path().join("services/begun")).unwrap();
    let before = files(copy.path());
    let good = archive();
    let named = |name: &str| Args { name: name.to_owned(), ..good.clone() };
    let kept_in = |database: &str| Args { database: database.to_owned(), ..good.clone() };
    let told = |about: &str| Args { about: about.to_owned(), ..good.clone() };
    for (args, why) in [
        (named("Archive"), "is no name of a service"),
        (named("cold-store"), "is no name of a service"),
        (named("../evil"), "is no name of a service"),
        (named("x"), "is no name of a service"),
        (named(""), "is no name of a service"),
        (named("order"), "quenty-order is taken"),
        (named("kernel"), "quenty-kernel is taken"),
        (named("bench"), "quenty-bench is taken"),
        (named("begun"), "is there already"),
        (Args { port: 8002, ..good.clone() }, "port 8002 is order's"),
        (Args { port: 8000, ..good.clone() }, "above the gateway's"),
        (kept_in("order_db"), "order_db is order's"),
        (kept_in("Cold"), "is no name of a database"),
        (kept_in("_"), "is no name of a database"),
        (told("Keeps things"), "one sentence"),
        (told("Keeps \"things\"."), "one sentence"),
    ] {
        let error = run(copy.path(), &args).unwrap_err();
        assert!(format!("{error:#}").contains(why), "{error:#}");
    }
    fs::remove_file(copy.path().join("README.md")).unwrap();
    run(copy.path(), &good).unwrap_err();
    let after = files(copy.path());
    assert_eq!(before.len() - 1, after.len());
    assert!(after.iter().all(|(path, text)| before[path] == *text));
}
