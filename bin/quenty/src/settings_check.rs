//! Whether a process can work with its settings, found out before it starts: every value of its kind, and nothing
//! missing. Each finding names the setting as the environment has it.

use std::{collections::BTreeMap, net::IpAddr, str::FromStr};

use anyhow::{Result, bail};
use axum::http::Uri;
use base64::{Engine, engine::general_purpose::STANDARD};
use quenty_platform::{
    client::Transport,
    settings::{Setting, Settings},
    tls,
};
use sqlx::postgres::PgConnectOptions;

use crate::services;

const TOO_SHORT: &str = "a secret has 32 characters at least: `openssl rand -base64 32` makes one";

/// What is wrong with the values, and what the process (a service, or `gateway`) misses.
pub fn flaws(settings: &Settings, process: Option<&str>) -> Vec<String> {
    let mut flaws = Vec::new();
    for setting in services::known_settings() {
        let Some(value) = settings.get(setting.key) else { continue };
        if let Some(why) = unfit(&setting, value) {
            let shown = if setting.secret { "(secret)" } else { value };
            flaws.push(format!("{} is {shown:?}: {why}", variable(setting.key)));
        }
    }
    if let Some(process) = process {
        flaws.extend(missing(settings, process));
    }
    flaws
}

/// # Errors
/// With all flaws at once.
pub fn ensure_sound(settings: &Settings, process: &str) -> Result<()> {
    ensure_none(&flaws(settings, Some(process)), process)
}

/// As [`ensure_sound`], while what is missing may still be told by Consul.
///
/// # Errors
/// What is wrong with the values.
pub fn ensure_fit(settings: &Settings, process: &str) -> Result<()> {
    ensure_none(&flaws(settings, None), process)
}

fn ensure_none(flaws: &[String], process: &str) -> Result<()> {
    if !flaws.is_empty() {
        bail!("{}\n`quenty config check {process}` explains every setting", flaws.join("\n       "));
    }
    Ok(())
}

fn variable(key: &str) -> String {
    format!("QUENTY_{}", key.to_ascii_uppercase())
}

/// Why a value cannot be meant. Where nothing else is known, it has to be of the kind of its default.
fn unfit(setting: &Setting, value: &str) -> Option<&'static str> {
    let default = setting.default.unwrap_or_default();
    let begins = |schemes: &[&str]| schemes.iter().any(|scheme| value.starts_with(scheme));
    let (fits, why) = match setting.key {
        "port" => (value.parse::<u16>().is_ok(), "must be a port, 0 to 65535"),
        "bus_url" => (begins(&["amqp://", "amqps://"]), "must be like amqp://user:password@host:5672/vhost"),
        "redis_url" => (begins(&["redis://", "rediss://"]), "must be like rediss://user:password@host:6379"),
        "smtp_url" => (begins(&["smtp://", "smtps://"]), "must be like smtps://user:password@host"),
        "files_url" => (
            begins(&["file:///", "s3://"]),
            "must be like file:///var/lib/quenty/files or s3://bucket/prefix",
        ),
        "database_url" | "replica_url" if value.contains("sslmode=require") => (
            false,
            "sslmode=require encrypts for whoever answers; say verify-full, and who signs its certificate in QUENTY_CA_FILE",
        ),
        "database_url" | "replica_url" => (
            begins(&["postgres://", "postgresql://"]) && PgConnectOptions::from_str(value).is_ok(),
            "must be like postgres://role:password@host/database",
        ),
        "ca_file"
        | "redis_ca_file"
        | "service_ca_file"
        | "service_certificate_file"
        | "tls_certificate_file" => {
            (tls::certificates(value).is_ok(), "must be a file of certificates in PEM that can be read")
        }
        "service_key_file" | "tls_key_file" => (
            tls::private_key(value).is_ok(),
            "must be a file with a private key in PEM, and readable for this user",
        ),
        "key_encryption_key" | "audit_key" => (
            STANDARD.decode(value).is_ok_and(|key| key.len() == 32),
            "must be 32 bytes in base64: `openssl rand -base64 32` makes them",
        ),
        "client_secret" => (value.len() >= quenty_auth::SHORTEST_SECRET, TOO_SHORT),
        "service_clients" => match serde_json::from_str::<BTreeMap<String, String>>(value) {
            Ok(clients) => {
                (clients.values().all(|secret| secret.len() >= quenty_auth::SHORTEST_SECRET), TOO_SHORT)
            }
            Err(_) => (false, "must be a JSON object of service and secret"),
        },
        "staff_mfa" => (matches!(value, "required" | "optional"), "must be `required` or `optional`"),
        "trust_forwarded_for" => (value.parse::<bool>().is_ok(), "must be `true` or `false`"),
        "otlp_endpoint" => (is_web_address(value), "must be like http://127.0.0.1:4318"),
        "otlp_sample_ratio" => (
            value.parse::<f64>().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio)),
            "must be a share, 0 to 1, like 0.1",
        ),
        // The gateway takes several processes of a service, by commas.
        key if key.ends_with("_url") => {
            (value.split(',').all(|url| is_web_address(url.trim())), "must be like http://host:port")
        }
        _ if default.parse::<u64>().is_ok() => (value.parse::<u64>().is_ok(), "must be a whole number"),
        _ if default.parse::<bool>().is_ok() => (value.parse::<bool>().is_ok(), "must be `true` or `false`"),
        _ if default.parse::<IpAddr>().is_ok() => {
            (value.parse::<IpAddr>().is_ok(), "must be an IP address, like 127.0.0.1")
        }
        _ => (true, ""),
    };
    (!fits).then_some(why)
}

fn is_web_address(value: &str) -> bool {
    value.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().is_empty())
    })
}

fn missing(settings: &Settings, process: &str) -> Vec<String> {
    let mut flaws = Vec::new();
    for key in required(process) {
        if let Err(error) = settings.require(key) {
            flaws.push(error.to_string());
        }
    }
    let reads = |key| services::find(process).is_ok_and(|of| of.settings.iter().any(|one| one.key == key));
    if reads("files_url")
        && let Err(error) = settings.require("files_url")
    {
        flaws.push(error.to_string());
    }
    if reads("mail_dir") && settings.get("smtp_url").or(settings.get("mail_dir")).is_none() {
        flaws.push(
            "neither QUENTY_SMTP_URL nor QUENTY_MAIL_DIR is set: mails go through a server, or into a folder"
                .to_owned(),
        );
    }
    if process != "gateway" && settings.get("audit_dir").is_some() {
        flaws.extend(settings.require("audit_key").err().map(|missing| missing.to_string()));
    }
    let has = |key| settings.get(key).is_some();
    if process == "gateway" && has("tls_certificate_file") != has("tls_key_file") {
        flaws.push(
            "QUENTY_TLS_CERTIFICATE_FILE and QUENTY_TLS_KEY_FILE go together: say both or neither".to_owned(),
        );
    }
    // Nobody looks for a gateway there.
    if process != "gateway" {
        flaws.extend(not_findable(settings));
    }
    if let Err(why) = Transport::from_settings(settings) {
        flaws.push(why.to_string());
    }
    let is_open = settings.parse::<IpAddr>("host").is_ok_and(|host| !host.is_loopback());
    // The gateway asks nobody for a certificate, and what it says inward may be in the clear.
    let asks_for_certificates = process != "gateway" && settings.get("service_ca_file").is_some();
    if is_open && !asks_for_certificates && settings.get("trusted_network") != Some("true") {
        flaws.push(
            "QUENTY_HOST is not loopback: say QUENTY_TRUSTED_NETWORK=true if the network between the services is private, or give them certificates (`quenty certs`)"
                .to_owned(),
        );
    }
    if process == "auth" && is_open && settings.get("trust_forwarded_for").is_none() {
        flaws.push(
            "QUENTY_TRUST_FORWARDED_FOR is not set: say `true` if only our gateway reaches Auth, else `false`"
                .to_owned(),
        );
    }
    flaws
}

/// Why nobody would find the process by what Consul tells of it.
fn not_findable(settings: &Settings) -> Option<String> {
    settings.get("consul_url")?;
    let key = if settings.get("advertised_host").is_some() { "advertised_host" } else { "host" };
    let host = settings.get(key)?;
    let fits = host.parse::<IpAddr>().is_ok_and(|host| !host.is_unspecified());
    (!fits).then(|| {
        format!(
            "{} is {host:?}, by which nobody finds this process in Consul: set {} to the IP address by which others reach it, like 10.0.0.7",
            variable(key),
            variable("advertised_host")
        )
    })
}

/// What `lifecycle::build` asks of every service, the broker, and what is one's own.
fn required(process: &str) -> &'static [&'static str] {
    match process {
        "gateway" => &[],
        "auth" => &["database_url", "bus_url", "client_secret", "key_encryption_key", "service_clients"],
        _ => &["database_url", "bus_url", "client_secret"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)], process: Option<&str>) -> Vec<String> {
        let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::load(&[&services::known_settings()], None, environment).unwrap();
        flaws(&settings, process)
    }

    #[test]
    fn the_defaults_fit_and_the_gateway_needs_nothing_else() {
        assert_eq!(of(&[], Some("gateway")), Vec::<String>::new());
    }

    #[test]
    fn every_flaw_names_its_setting() {
        for (name, value) in [
            ("QUENTY_PORT", "eighty"),
            ("QUENTY_HOST", "localhost"),
            ("QUENTY_TRUSTED_NETWORK", "yes"),
            ("QUENTY_DATABASE_CONNECTIONS", "-1"),
            ("QUENTY_AUTH_URL", "auth:8009"),
            ("QUENTY_BUS_URL", "http://broker"),
            ("QUENTY_DATABASE_URL", "mysql://db"),
            ("QUENTY_KEY_ENCRYPTION_KEY", "c2hvcnQ="),
            ("QUENTY_SERVICE_CLIENTS", "[]"),
            ("QUENTY_SERVICE_CLIENTS", r#"{"auth": "short"}"#),
            ("QUENTY_CLIENT_SECRET", "short"),
            ("QUENTY_DATABASE_URL", "postgres://a:b@db/c?sslmode=require"),
            ("QUENTY_CA_FILE", "/nowhere/ca.pem"),
            ("QUENTY_SERVICE_KEY_FILE", "/nowhere/key.pem"),
            ("QUENTY_REDIS_URL", "http://redis"),
            ("QUENTY_SMTP_URL", "mail.example.com"),
            ("QUENTY_FILES_URL", "/var/lib/quenty/files"),
            ("QUENTY_AUDIT_KEY", "c2hvcnQ="),
            ("QUENTY_OTLP_ENDPOINT", "collector:4318"),
            ("QUENTY_OTLP_SAMPLE_RATIO", "10"),
            ("QUENTY_STAFF_MFA", "off"),
            ("QUENTY_TRUST_FORWARDED_FOR", "yes"),
        ] {
            let found = of(&[(name, value)], None);
            assert!(matches!(&found[..], [flaw] if flaw.starts_with(name)), "{name}={value}: {found:?}");
        }
    }

    #[test]
    fn each_place_is_said_by_its_own_scheme() {
        for (name, value) in [
            ("QUENTY_AUTH_URL", "https://auth-1:8009, https://auth-2:8009"),
            ("QUENTY_BUS_URL", "amqps://user:password@broker:5671/vhost"),
            ("QUENTY_REDIS_URL", "rediss://gateway:password@redis:6379"),
            ("QUENTY_REPLICA_URL", "postgres://order_db_app:password@replica/order_db"),
            ("QUENTY_FILES_URL", "s3://bucket/prefix"),
        ] {
            assert_eq!(of(&[(name, value)], None), Vec::<String>::new(), "{name}={value}");
        }
    }

    #[test]
    fn a_secret_that_does_not_fit_is_not_shown() {
        assert!(!of(&[("QUENTY_BUS_URL", "hush")], None)[0].contains("hush"));
    }

    #[test]
    fn what_a_process_misses_is_told_at_once() {
        let half = of(&[("QUENTY_TLS_KEY_FILE", "/nowhere/key.pem")], Some("gateway")).join("\n");
        assert!(half.contains("go together"), "{half}");
        let told = of(&[], Some("auth")).join("\n");
        for name in ["DATABASE_URL", "BUS_URL", "CLIENT_SECRET", "KEY_ENCRYPTION_KEY", "SMTP_URL", "MAIL_DIR"]
        {
            assert!(told.contains(name), "{name} in {told}");
        }
        let open = [("QUENTY_HOST", "10.0.0.7"), ("QUENTY_TRUSTED_NETWORK", "true")];
        assert!(of(&open, Some("auth")).join("\n").contains("QUENTY_TRUST_FORWARDED_FOR"));
        assert!(!of(&open, Some("order")).join("\n").contains("QUENTY_TRUST_FORWARDED_FOR"));
        let told = of(&[], Some("returns")).join("\n");
        for name in ["DATABASE_URL", "BUS_URL", "SMTP_URL", "MAIL_DIR", "FILES_URL"] {
            assert!(told.contains(name), "{name} in {told}");
        }
        for service in services::names() {
            let told = of(&[], Some(service)).join("\n");
            for name in ["DATABASE_URL", "BUS_URL", "CLIENT_SECRET"] {
                assert!(told.contains(name), "{service}: {name} in {told}");
            }
        }
    }

    #[test]
    fn a_service_in_consul_says_by_which_address_it_is_found() {
        let consul = ("QUENTY_CONSUL_URL", "http://127.0.0.1:8500");
        let found = |pairs: &[(&str, &str)], process: &str| {
            let found = of(&[&[consul], pairs].concat(), Some(process));
            found.into_iter().filter(|flaw| flaw.contains("in Consul")).collect::<Vec<_>>()
        };
        let (open, any) = (("QUENTY_HOST", "0.0.0.0"), ("QUENTY_HOST", "::"));
        for (pairs, begins) in [
            (&[open][..], "QUENTY_HOST"),
            (&[any][..], "QUENTY_HOST"),
            (&[open, ("QUENTY_ADVERTISED_HOST", "0.0.0.0")][..], "QUENTY_ADVERTISED_HOST"),
            (&[("QUENTY_ADVERTISED_HOST", "order.internal")][..], "QUENTY_ADVERTISED_HOST"),
        ] {
            let flaws = found(pairs, "order");
            let is_told =
                |flaw: &String| flaw.starts_with(begins) && flaw.contains("set QUENTY_ADVERTISED_HOST");
            assert!(matches!(&flaws[..], [flaw] if is_told(flaw)), "{pairs:?}: {flaws:?}");
        }
        assert_eq!(found(&[], "order"), Vec::<String>::new(), "on loopback");
        assert_eq!(found(&[open, ("QUENTY_ADVERTISED_HOST", "10.0.0.7")], "order"), Vec::<String>::new());
        assert_eq!(found(&[open], "gateway"), Vec::<String>::new(), "it is not looked for there");
        assert!(!of(&[open], Some("order")).join("\n").contains("Consul"), "where there is none");
    }
}
