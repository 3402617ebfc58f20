//! The list: what this binary is made of. It is a library, so that journeys and benchmarks take it from here.

pub mod communication;

use std::path::PathBuf;

use anyhow::{Context, Result};
use quenty_platform::{
    Service,
    bus::Topology,
    db,
    settings::{CHASSIS, Setting, Settings, SettingsError},
    telemetry,
};

/// All services, in the order in which they start: Auth first, since the others read its keys.
pub fn all() -> Vec<Service> {
    vec![
        quenty_auth::service(),
        quenty_customer::service(),
        quenty_order::service(),
        quenty_pickup::service(),
        quenty_shipping::service(),
        quenty_returns::service(),
    ]
}

/// Their names, for the command line.
pub fn names() -> Vec<&'static str> {
    all().iter().map(|service| service.name).collect()
}

pub fn find(name: &str) -> Result<Service> {
    all()
        .into_iter()
        .find(|service| service.name == name)
        .with_context(|| format!("there is no service {name}; there are {}", names().join(", ")))
}

pub fn topology() -> Topology {
    Topology::of(&all())
}

/// The services that `only` names; all when it names none.
pub fn selected(only: &[String]) -> Result<Vec<Service>> {
    if only.is_empty() { Ok(all()) } else { only.iter().map(|name| find(name)).collect() }
}

/// Every setting of every process: one environment may configure several on a machine, so what another one reads
/// is no mistake.
pub fn known_settings() -> Vec<Setting> {
    let own = all().into_iter().flat_map(|service| service.settings.iter().copied());
    let all = CHASSIS.iter().copied().chain(own).chain(quenty_gateway::SETTINGS.iter().copied());
    let mut known: Vec<Setting> = Vec::new();
    for setting in all {
        // Several services send mails, and say so in the same words.
        if known.iter().all(|one| one.key != setting.key) {
            known.push(setting);
        }
    }
    known
}

/// Settings from defaults, the file named by `QUENTY_CONFIG`, and the environment.
pub fn settings() -> Result<Settings> {
    let (settings, unknown) = read_settings()?;
    Ok(unknown.into_iter().next().map_or(Ok(settings), Err)?)
}

/// What the file named by `QUENTY_CONFIG` says, beside the defaults.
pub fn settings_of_file() -> Result<Settings> {
    Ok(Settings::read(&[&known_settings()], config_file().as_deref(), std::iter::empty())?.0)
}

fn config_file() -> Option<PathBuf> {
    std::env::var_os("QUENTY_CONFIG").map(PathBuf::from)
}

/// As [`settings`], for those who go on where nothing is called so.
pub fn read_settings() -> Result<(Settings, Vec<SettingsError>)> {
    // What is no UTF-8 is none of our settings, which all are text.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !is_for_operators(name));
    let (settings, unknown) = Settings::read(&[&known_settings()], config_file().as_deref(), environment)?;
    let settings =
        STANDARD_VARIABLES.into_iter().fold(settings, |settings, (key, name)| match variable(name) {
            Some(value) if settings.get(key).is_none() => settings.with(key, value),
            _ => settings,
        });
    Ok((settings, unknown))
}

/// What OpenTelemetry's specification calls our settings: whoever sets it for everything on a machine means us, too.
const STANDARD_VARIABLES: [(&str, &str); 2] =
    [("otlp_endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"), ("otlp_headers", "OTEL_EXPORTER_OTLP_HEADERS")];

/// As [`settings`], for the process of one service, whose database may be named beside those of others.
pub fn settings_of(service: &str) -> Result<Settings> {
    Ok(with_databases_of(service, settings()?))
}

/// What the environment says of a service's databases, where nothing is said of its own process.
pub fn with_databases_of(service: &str, mut settings: Settings) -> Settings {
    for (key, variable_of_one) in
        [("database_url", database_variable(service)), ("replica_url", replica_variable(service))]
    {
        if let Some(url) = variable(&variable_of_one).filter(|_| settings.get(key).is_none()) {
            settings = settings.with(key, url);
        }
    }
    settings
}

/// Where a service's database is, for itself and for commands that work on several.
pub fn database_variable(service: &str) -> String {
    format!("QUENTY_{}_DATABASE_URL", service.to_uppercase())
}

/// Where a replica of it is, for the service itself.
pub fn replica_variable(service: &str) -> String {
    format!("QUENTY_{}_REPLICA_URL", service.to_uppercase())
}

pub fn owner_variable(service: &str) -> String {
    format!("QUENTY_{}_DATABASE_OWNER_URL", service.to_uppercase())
}

/// The URL of a database that the environment names so. Where `QUENTY_CA_FILE` says who signs the server's certificate, that
/// is checked.
pub fn database_url(variable_name: &str) -> Result<String> {
    let url = variable(variable_name).with_context(|| format!("{variable_name} is not set"))?;
    db::with_authority(&url, settings()?.get("ca_file"))
        .with_context(|| format!("{variable_name} is no URL of a database"))
}

/// As `quenty migrate --create` reads it.
pub const SUPERUSER_VARIABLE: &str = "QUENTY_SUPERUSER_URL";

pub fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

/// No process reads these as settings of its own.
pub fn is_for_operators(name: &str) -> bool {
    let of_one = [database_variable, replica_variable, owner_variable];
    name == SUPERUSER_VARIABLE
        || names().iter().any(|service| of_one.iter().any(|variable| name == variable(service)))
}

/// Logs what people at a terminal have to know, unless they ask for more.
pub fn log_quietly(settings: &Settings) {
    let asked = settings.get("log").filter(|_| std::env::var_os("QUENTY_LOG").is_some());
    telemetry::start(asked.unwrap_or("warn"));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Names that begin so, in a text; what a shell has to complete is none.
    fn variables(text: &str) -> Vec<String> {
        let after = text.match_indices("QUENTY_").map(|(at, _)| &text[at..]);
        let name = |text: &str| -> String {
            text.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect()
        };
        after.map(name).filter(|name| name != "QUENTY_").collect()
    }

    #[test]
    fn every_service_has_an_address_and_stands_in_the_guides() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
        let guide = std::fs::read_to_string(root.join("docs/guides/services-apart.md")).unwrap();
        for Service { name, port, database, .. } in all() {
            let address = CHASSIS.iter().find(|setting| setting.key == format!("{name}_url"));
            let address = address.and_then(|setting| setting.default);
            assert_eq!(address, Some(format!("http://127.0.0.1:{port}").as_str()), "{name}_url");
            assert!(readme.contains(&format!("| {name} | {port} |")), "README.md names {name}");
            for entry in [format!(" {name}:{database}"), format!(" {name}:{port}")] {
                assert!(guide.contains(&entry), "services-apart.md has{entry}");
            }
        }
    }

    #[test]
    fn the_guide_names_what_is_taken_over_while_a_process_runs() {
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/services-apart.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        let (_, told) = guide.split_once("A running process takes over ").unwrap();
        let (told, _) = told.split_once(" within a second").unwrap();
        let mut told: Vec<_> = told.split('`').skip(1).step_by(2).collect();
        let known = known_settings();
        let mut reloadable: Vec<_> = known.iter().filter(|of| of.reloadable).map(|of| of.key).collect();
        told.sort_unstable();
        reloadable.sort_unstable();
        assert_eq!(told, reloadable);
    }

    #[test]
    fn every_setting_that_the_guides_name_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let guides = std::fs::read_dir(root.join("docs/guides")).unwrap();
        let pages: Vec<_> = guides.map(|page| page.unwrap().path()).chain([root.join("README.md")]).collect();
        let known = |name: &str| {
            let is = |key: &str, of: &Setting| key.to_ascii_lowercase() == of.key;
            let key = name.trim_start_matches("QUENTY_");
            let in_file = key.strip_suffix("_FILE");
            name == "QUENTY_CONFIG"
                || is_for_operators(name)
                || known_settings()
                    .iter()
                    .any(|of| is(key, of) || (of.secret && in_file.is_some_and(|key| is(key, of))))
        };
        let mut found = 0;
        for page in pages {
            for name in variables(&std::fs::read_to_string(&page).unwrap()) {
                assert!(known(&name), "{} names {name}, which nothing reads", page.display());
                found += 1;
            }
        }
        assert!(found > 10, "the guides name {found} settings only");
    }
}
