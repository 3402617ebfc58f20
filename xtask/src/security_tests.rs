//! docs/security.md names the test of each control.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::{ROOT, check_layers::rust_files};

/// The name that a text begins with.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

fn functions(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("fn ").map(|(at, before)| name(&text[at + before.len()..]).to_owned())
}

#[test]
fn every_test_that_the_page_on_security_names_exists() {
    let root = Path::new(ROOT);
    let mut anywhere = BTreeSet::new();
    for folder in ["bin", "crates", "services", "tests", "xtask"] {
        for file in rust_files(&root.join(folder)).unwrap() {
            anywhere.extend(functions(&fs::read_to_string(&file).unwrap()));
        }
    }
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let (mut count, mut gone) = (0, Vec::new());
    for line in page.lines() {
        // Those of the file that was named before; of any file, where it was none.
        let mut here = anywhere.clone();
        for text in line.split('`').skip(1).step_by(2) {
            if text.contains('/') {
                let file = fs::read_to_string(root.join(text));
                here = file.map_or_else(|_| anywhere.clone(), |file| functions(&file).collect());
            }
            // What has fewer words is a field or a setting.
            if name(text) == text && text.matches('_').count() > 2 {
                count += 1;
                if !here.contains(text) {
                    gone.push(text);
                }
            }
        }
    }
    assert!(count > 100, "{count} names");
    assert!(gone.is_empty(), "docs/security.md names what is no function there: {gone:#?}");
}
