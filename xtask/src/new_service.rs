//! Writes a new service: the skeleton that all of them share, and its place in every list of services.
//!
//! It overwrites nothing: what cannot be done is found out before the first file is written.

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Result, bail, ensure};

/// A new service's files, as `{name}`, `{Name}`, `{NAME}`, `{port}`, `{database}` and `{about}` complete them.
const SKELETON: [(&str, &str); 13] = [
    ("Cargo.toml", include_str!("../templates/service/Cargo.toml")),
    ("sqlx.toml", include_str!("../templates/service/sqlx.toml")),
    ("migrations/0001_{name}.sql", include_str!("../templates/service/migrations/0001.sql")),
    ("src/lib.rs", include_str!("../templates/service/src/lib.rs")),
    ("src/error.rs", include_str!("../templates/service/src/error.rs")),
    ("src/domain/mod.rs", include_str!("../templates/service/src/domain/mod.rs")),
    ("src/commands/mod.rs", include_str!("../templates/service/src/commands/mod.rs")),
    ("src/http/mod.rs", include_str!("../templates/service/src/http/mod.rs")),
    ("src/store/mod.rs", include_str!("../templates/service/src/store/mod.rs")),
    ("src/store/invariants.rs", include_str!("../templates/service/src/store/invariants.rs")),
    ("src/events/mod.rs", include_str!("../templates/service/src/events/mod.rs")),
    ("tests/it/main.rs", include_str!("../templates/service/tests/it/main.rs")),
    ("tests/it/strangers.rs", include_str!("../templates/service/tests/it/strangers.rs")),
];

/// Where services are listed.
const LISTS: [List; 7] = [
    List::of("Cargo.toml", "quenty-{name} = { path = \"services/{name}\" }\n"),
    List::of("bin/quenty/Cargo.toml", "quenty-{name} = { workspace = true }\n"),
    List::of("bin/quenty/src/services.rs", "        quenty_{name}::service(),\n"),
    List::of(
        "crates/platform/src/settings.rs",
        "    Setting::of_service(\"{name}_url\", \"http://127.0.0.1:{port}\"),\n",
    ),
    List::of("docs/guides/services-apart.md", " {name}:{database}"),
    List::of("docs/guides/services-apart.md", " {name}:{port}"),
    List { file: "README.md", entry: "| {name} | {port} |", rest: " {about} |\n" },
];

/// Packages and libraries of the workspace that the list of its dependencies does not name.
const RESERVED: [&str; 3] = ["bench", "services", "xtask"];
const GATEWAY_PORT: u16 = 8000;

#[derive(clap::Args, Clone)]
pub struct Args {
    /// Its name on the bus, on the command line and in its package, such as `returns`
    name: String,
    /// Where it listens unless told otherwise, such as 8007
    #[arg(long)]
    port: u16,
    /// The name of its database, such as `reverse_logistics_db`
    #[arg(long)]
    database: String,
    /// What it does, in one sentence
    #[arg(long)]
    about: String,
}

struct List {
    file: &'static str,
    entry: &'static str,
    /// What stands behind the entry in its line and is another text for everyone.
    rest: &'static str,
}

/// A service that exists.
struct Sibling {
    name: String,
    port: u16,
    database: String,
}

pub fn run(root: &Path, args: &Args) -> Result<ExitCode> {
    let siblings = siblings(root)?;
    check(root, args, &siblings)?;
    let lists = listed(root, args, &siblings)?;
    for (path, template) in SKELETON {
        create(&root.join("services").join(&args.name).join(args.complete(path)), &args.complete(template))?;
    }
    for (file, text) in &lists {
        fs::write(root.join(file), text).with_context(|| format!("cannot write {file}"))?;
    }
    let [code, manifests] = lines(args);
    println!(
        "services/{}: {code} lines of Rust and SQL, and {manifests} of manifests, before the first of its own",
        args.name
    );
    println!("listed in {}", lists.iter().map(|(file, _)| *file).collect::<Vec<_>>().join(", "));
    println!("docs/guides/adding-a-service.md tells what comes next");
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn complete(&self, template: &str) -> String {
        complete(template, &self.name, self.port, &self.database).replace("{about}", &self.about)
    }
}

fn complete(template: &str, name: &str, port: u16, database: &str) -> String {
    let (first, rest) = name.split_at(1);
    template
        .replace("{name}", name)
        .replace("{Name}", &format!("{}{rest}", first.to_uppercase()))
        .replace("{NAME}", &name.to_uppercase())
        .replace("{port}", &port.to_string())
        .replace("{database}", database)
}

/// How many lines it writes: of code, and of manifests.
fn lines(args: &Args) -> [usize; 2] {
    let mut lines = [0, 0];
    for (path, template) in SKELETON {
        let is_manifest = path.ends_with(".toml");
        lines[usize::from(is_manifest)] += args.complete(template).lines().count();
    }
    lines
}

fn siblings(root: &Path) -> Result<Vec<Sibling>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("services")).context("this is no checkout of the repository")? {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("src/lib.rs")).unwrap_or_default();
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
            value.map(|value| value.trim_end_matches(',').trim_matches('"').to_owned())
        };
        // The gateway describes itself otherwise: it has no database.
        if let (Some(port), Some(database)) = (field("port"), field("database")) {
            let port = port.parse().with_context(|| format!("{name} has the port {port}"))?;
            found.push(Sibling { name, port, database });
        }
    }
    found.sort_by_key(|sibling| sibling.port);
    Ok(found)
}

fn check(root: &Path, new: &Args, siblings: &[Sibling]) -> Result<()> {
    let Args { name, port, database, about } = new;
    let is_lower = |text: &str| text.chars().all(|c| c.is_ascii_lowercase());
    ensure!(
        is_lower(name) && (2..=20).contains(&name.len()),
        "{name:?} is no name of a service: 2 to 20 lower-case letters, since it is in variables, types of events and crates"
    );
    let dependencies = fs::read_to_string(root.join("Cargo.toml")).context("cannot read Cargo.toml")?;
    let package = format!("quenty-{name}");
    let is_taken = dependencies.lines().any(|line| line.split([' ', '.']).next() == Some(package.as_str()));
    ensure!(!is_taken && !RESERVED.contains(&name.as_str()), "{package} is taken by another crate");
    let folder = root.join("services").join(name);
    ensure!(!folder.exists(), "{} is there already", folder.display());
    ensure!(*port > GATEWAY_PORT, "a service's port is above the gateway's, {GATEWAY_PORT}");
    ensure!(
        is_lower(&database.replace('_', "")) && database.starts_with(|c| c != '_') && database.len() <= 50,
        "{database:?} is no name of a database: lower-case letters and underscores, 50 at most"
    );
    for sibling in siblings {
        ensure!(sibling.port != *port, "port {port} is {}'s", sibling.name);
        ensure!(sibling.database != *database, "{database} is {}'s", sibling.name);
    }
    ensure!(
        about.ends_with('.') && !about.contains(['"', '\\', '|', '\n']),
        "say what it does in one sentence with a full stop, without quotes, backslashes and bars"
    );
    Ok(())
}

/// Every list with the new service in it: after the last one that has a smaller port.
fn listed(root: &Path, new: &Args, siblings: &[Sibling]) -> Result<Vec<(&'static str, String)>> {
    let mut texts: Vec<(&'static str, String)> = Vec::new();
    for list in LISTS {
        if texts.last().is_none_or(|(file, _)| *file != list.file) {
            let text = fs::read_to_string(root.join(list.file));
            texts.push((list.file, text.with_context(|| format!("cannot read {}", list.file))?));
        }
        if let Some((_, text)) = texts.last_mut() {
            list.add(text, new, siblings)?;
        }
    }
    Ok(texts)
}

impl List {
    const fn of(file: &'static str, entry: &'static str) -> Self {
        Self { file, entry, rest: "" }
    }

    fn add(&self, text: &mut String, new: &Args, siblings: &[Sibling]) -> Result<()> {
        let end_of = |sibling: &Sibling| {
            let entry = complete(self.entry, &sibling.name, sibling.port, &sibling.database);
            let end = text.find(&entry)? + entry.len();
            let rest = if self.rest.is_empty() { 0 } else { text[end..].find('\n')? + 1 };
            Some(end + rest)
        };
        let Some(at) = siblings.iter().filter(|sibling| sibling.port < new.port).filter_map(end_of).max()
        else {
            bail!("{} lists no service with a smaller port as `{}`", self.file, self.entry.trim());
        };
        text.insert_str(at, &new.complete(&format!("{}{}", self.entry, self.rest)));
        Ok(())
    }
}

fn create(path: &Path, text: &str) -> Result<()> {
    let written = || {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        std::io::Write::write_all(&mut fs::File::create_new(path)?, text.as_bytes())
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
#[path = "new_service_tests.rs"]
mod tests;
