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

#[test]
fn every_test_that_the_page_on_security_names_exists() {
    let root = Path::new(ROOT);
    let mut known = BTreeSet::new();
    for folder in ["bin", "crates", "services", "tests", "xtask"] {
        for file in rust_files(&root.join(folder)).unwrap() {
            let text = fs::read_to_string(&file).unwrap();
            known.extend(
                text.match_indices("fn ").map(|(at, before)| name(&text[at + before.len()..]).to_owned()),
            );
        }
    }
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    // What has fewer words is a field or a setting.
    let is_test = |text: &&str| name(text) == *text && text.matches('_').count() > 2;
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_test).collect();
    assert!(named.len() > 100, "{} names", named.len());
    let gone: Vec<_> = named.iter().filter(|name| !known.contains(**name)).collect();
    assert!(gone.is_empty(), "docs/security.md names what is no function: {gone:#?}");
}
