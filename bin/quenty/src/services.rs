//! The list: what this binary is made of.

use std::path::PathBuf;

use anyhow::{Context, Result};
use quenty_platform::{
    Service,
    bus::Topology,
    settings::{CHASSIS, Setting, Settings},
};

/// All services, in the order in which they start: Auth first, since the others read its keys.
pub fn all() -> Vec<Service> {
    vec![
        quenty_auth::service(),
        quenty_customer::service(),
        quenty_order::service(),
        quenty_pickup::service(),
        quenty_shipping::service(),
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

/// Settings from defaults, the file named by `QUENTY_CONFIG`, and the environment.
pub fn settings(own: &[Setting]) -> Result<Settings> {
    let mut known: Vec<&[Setting]> = vec![CHASSIS, own];
    // One environment may configure several processes on a machine: what another service reads is no mistake.
    let services = all();
    known.extend(services.iter().map(|service| service.settings));
    known.push(quenty_gateway::SETTINGS);
    let file = std::env::var_os("QUENTY_CONFIG").map(PathBuf::from);
    let environment = std::env::vars().filter(|(name, _)| !is_for_operators(name, &services));
    Ok(Settings::load(&known, file.as_deref(), environment)?)
}

/// Where each service's database is, for commands that work on several; no process reads these as settings.
fn is_for_operators(name: &str, services: &[Service]) -> bool {
    let rest = name.strip_prefix("QUENTY_").unwrap_or_default();
    let of_a_service = |service: &Service| {
        rest.strip_prefix(&service.name.to_uppercase())
            .is_some_and(|rest| matches!(rest, "_DATABASE_URL" | "_DATABASE_OWNER_URL"))
    };
    rest == "SUPERUSER_URL" || services.iter().any(of_a_service)
}
