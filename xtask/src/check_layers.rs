//! Keeps code in the layer where it belongs, by the rules of ARCHITECTURE.md that the compiler cannot check.
//!
//! It reads text and knows no types: a rule here names something that can be seen in one line.

mod manifests;
mod source;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

/// The one service that is all edge: it owns no data and forwards bytes, so the rooms of a service do not fit it.
const GATEWAY: &str = "gateway";
/// What may stand directly in a service's `src`. A room with one short file is that file.
const ROOMS: [&str; 10] =
    ["lib", "error", "domain", "commands", "http", "store", "events", "jobs", "tasks", "parts"];

/// Something that only some rooms may mention.
struct Rule {
    /// Paths of Rust, or calls when they begin with a dot.
    mentions: &'static [&'static str],
    allowed: fn(room: &str) -> bool,
    reason: &'static str,
}

const RULES: [Rule; 4] = [
    Rule {
        mentions: &[
            "sqlx",
            "axum",
            "tokio",
            "hyper",
            "lapin",
            "std::fs",
            "std::net",
            "std::process",
            "async fn",
        ],
        allowed: |room| room != "domain",
        reason: "the domain is pure and synchronous: do this in commands, store or a task",
    },
    Rule {
        mentions: &["sqlx::query", "sqlx::query_as", "sqlx::query_scalar", "sqlx::QueryBuilder"],
        allowed: |room| matches!(room, "store" | "domain"),
        reason: "SQL stands in store only",
    },
    Rule {
        mentions: &["axum"],
        allowed: |room| matches!(room, "http" | "error" | "domain"),
        reason: "HTTP stands in http only",
    },
    Rule {
        mentions: &[".commit()"],
        allowed: |room| matches!(room, "http" | "events" | "jobs" | "tasks" | "parts"),
        reason: "the edge commits, once: take `&mut Tx` and leave it open",
    },
];

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    file: PathBuf,
    line: usize,
    what: String,
    reason: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file.display(), self.line, self.what, self.reason)
    }
}

pub fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let root = fs::canonicalize(root).with_context(|| format!("cannot open {}", root.display()))?;
    let violations = check(&root)?;
    for violation in &violations {
        println!("{violation}");
    }
    if violations.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("{} in the wrong layer", violations.len());
    Ok(ExitCode::FAILURE)
}

pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Violation>> {
    let services = root.join("services");
    let mut violations = manifests::check(root)?;
    for service in entries(&services)? {
        if service.is_dir() && service.file_name().is_none_or(|name| name != GATEWAY) {
            check_service(&service.join("src"), &mut violations)?;
        }
    }
    for violation in &mut violations {
        if let Ok(relative) = violation.file.strip_prefix(root) {
            violation.file = relative.to_owned();
        }
    }
    violations.sort();
    Ok(violations)
}

fn check_service(src: &Path, violations: &mut Vec<Violation>) -> anyhow::Result<()> {
    for entry in entries(src)? {
        let room = entry.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !ROOMS.contains(&room.as_str()) {
            violations.push(Violation {
                file: entry.clone(),
                line: 1,
                what: format!("`{room}` is no room of a service"),
                reason: "lib.rs, error.rs, domain, commands, http, store, events, jobs, tasks and parts (what `init` makes) are",
            });
        }
        for file in rust_files(&entry)? {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            violations.extend(check_text(&file, &room, &text));
        }
    }
    Ok(())
}

fn check_text(file: &Path, room: &str, text: &str) -> Vec<Violation> {
    let code = source::blank_comments_and_strings(text);
    let imports = source::imports(&code);
    let mut violations = Vec::new();
    for rule in RULES.iter().filter(|rule| !(rule.allowed)(room)) {
        let mut found = |line: usize, mention: &str| {
            let what = format!("`{mention}` in {room}");
            violations.push(Violation { file: file.to_owned(), line, what, reason: rule.reason });
        };
        for mention in rule.mentions {
            for (index, line) in code.lines().enumerate() {
                if source::mentions(line, mention) {
                    found(index + 1, mention);
                }
            }
            // `use std::{fs, io}` names what no single line spells out.
            for (line, path) in &imports {
                if source::mentions(path, mention) {
                    found(*line, mention);
                }
            }
        }
    }
    violations.sort();
    violations.dedup();
    violations
}

pub(crate) fn rust_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_dir() {
        let mut files = Vec::new();
        for entry in entries(path)? {
            files.extend(rust_files(&entry)?);
        }
        return Ok(files);
    }
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    Ok(if is_rust { vec![path.to_owned()] } else { Vec::new() })
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = listed.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(room: &str, text: &str) -> Vec<String> {
        check_text(Path::new("f.rs"), room, text).iter().map(ToString::to_string).collect()
    }

    fn plant(root: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn the_domain_does_no_io() {
        for planted in [
            "use sqlx::PgConnection;",
            "use std::{\n    collections::BTreeMap,\n    fs::{self, File},\n};",
            "fn f() { std::net::lookup(); }",
            "#[derive(sqlx::FromRow)]",
            "use axum::Json;",
            "use tokio;",
            "use hyper as h;",
            "pub async fn place() {}",
        ] {
            assert_eq!(found("domain", planted).len(), 1, "{planted}: {:?}", found("domain", planted));
        }
        assert_eq!(
            found("domain", "use std::{fmt, time::Duration};\nfn tokio_like() {}"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn sql_stands_in_store() {
        let planted = "fn f() {\n    sqlx::query!(\"SELECT 1\");\n}";
        assert_eq!(
            found("commands", planted),
            ["f.rs:2: `sqlx::query` in commands: SQL stands in store only"]
        );
        assert_eq!(found("http", "use sqlx::{PgPool, query_as};").len(), 1);
        assert_eq!(found("store", planted), Vec::<String>::new());
        assert_eq!(found("lib", "sqlx::migrate!()"), Vec::<String>::new());
    }

    #[test]
    fn axum_stands_in_http() {
        assert_eq!(found("commands", "use axum::Json;").len(), 1);
        assert_eq!(found("http", "use axum::Json;"), Vec::<String>::new());
        assert_eq!(found("error", "use axum::response::IntoResponse;"), Vec::<String>::new());
    }

    #[test]
    fn the_edge_commits() {
        for room in ["commands", "store", "domain"] {
            assert_eq!(found(room, "tx.commit().await?;").len(), 1, "{room}");
        }
        for room in ["http", "events", "jobs", "tasks"] {
            assert_eq!(found(room, "tx.commit().await?;"), Vec::<String>::new(), "{room}");
        }
    }

    #[test]
    fn comments_and_texts_are_not_code() {
        let text = "// tokio would be wrong here\n/* axum\n sqlx */\nlet text = \"std::fs \\\" tokio\";\nlet c = '\"';\n";
        assert_eq!(found("domain", text), Vec::<String>::new());
        assert_eq!(found("domain", &format!("{text}let raw = r#\"\"axum\"\"#; tokio::run();")).len(), 1);
    }

    #[test]
    fn a_planted_tree_is_reported_with_file_and_line() {
        let root = tempfile::tempdir().unwrap();
        let manifest = "[dependencies]\nquenty-kernel = { workspace = true }\n";
        plant(
            root.path(),
            &[
                (
                    "services/order/Cargo.toml",
                    &format!("{manifest}quenty-customer = {{ workspace = true }}\n"),
                ),
                ("services/order/src/lib.rs", "mod helpers;"),
                ("services/order/src/helpers.rs", ""),
                ("services/order/src/domain/order.rs", "\nuse tokio::time;\n"),
                ("services/customer/Cargo.toml", manifest),
                ("services/customer/src/lib.rs", ""),
                ("services/gateway/Cargo.toml", manifest),
                ("services/gateway/src/proxy.rs", "use hyper::Request;"),
                ("crates/platform/Cargo.toml", "[dependencies.quenty-contracts]\nworkspace = true\n"),
            ],
        );
        let lines: Vec<_> = check(root.path()).unwrap().iter().map(ToString::to_string).collect();
        let starts = [
            "crates/platform/Cargo.toml:1: quenty-platform depends on quenty-contracts: ",
            "services/order/Cargo.toml:3: quenty-order depends on quenty-customer: ",
            "services/order/src/domain/order.rs:2: `tokio` in domain: ",
            "services/order/src/helpers.rs:1: `helpers` is no room of a service: ",
        ];
        assert_eq!(lines.len(), starts.len(), "{lines:#?}");
        for (line, start) in lines.iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
    }
}
