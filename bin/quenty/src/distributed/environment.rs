//! What each process is told: everything that it needs, and nobody the secrets of another. It is told as production would
//! tell it (docs/guides/services-apart.md); what the environment of `quenty up` says beside that holds for all.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use quenty_platform::{Service, bus::rabbit::RabbitBus, settings::Settings};
use quenty_servers::{rabbit::RabbitServer, redis::RedisServer};
use serde_json::json;

use super::{
    Wanted,
    front::PROXY,
    layout::{GATEWAY, Layout, Member},
    part::Register,
};
use crate::{
    commands::certs,
    embedded::{Folder, audit_folder, databases},
    services,
};

/// In the folder: what the processes show each other.
pub const CERTIFICATES: &str = "certs";
/// What these say in the environment of `quenty up` is of other servers, or of another front; so is what a file says of
/// them, see [`refuse_other_servers`].
pub const NOT_PASSED_ON: [&str; 9] = [
    "QUENTY_CA_FILE",
    "QUENTY_CONSUL_URL",
    "QUENTY_CONSUL_TOKEN",
    "QUENTY_REDIS_URL",
    "QUENTY_REDIS_CA_FILE",
    "QUENTY_REPLICA_URL",
    "QUENTY_TLS_CERTIFICATE_FILE",
    "QUENTY_TLS_KEY_FILE",
    "QUENTY_ADVERTISED_HOST",
];
/// A file is read by every process as it is, so that nothing of it can be kept from them.
///
/// # Errors
/// When it names other servers, or another front.
pub fn refuse_other_servers(of_file: &Settings) -> Result<()> {
    let keys = NOT_PASSED_ON.map(|name| name.trim_start_matches("QUENTY_").to_lowercase());
    match keys.iter().find(|key| of_file.get(key).is_some()) {
        Some(key) => bail!(
            "a platform of many processes has servers of its own: take {key} out of the file that QUENTY_CONFIG names, or unset \
             QUENTY_CONFIG"
        ),
        None => Ok(()),
    }
}

/// The services whose lists are read from the replica.
const READS_REPLICA: [&str; 1] = ["order"];

pub type Environment = BTreeMap<String, String>;

/// What the processes stand on.
pub struct Ground<'a> {
    pub folder: &'a Folder,
    pub layout: &'a Layout,
    pub wanted: &'a Wanted,
    pub rabbit: &'a RabbitServer,
    pub redis: &'a RedisServer,
    pub consul: Option<&'a Register>,
    pub postgres_port: u16,
    pub replica_port: u16,
}

impl Ground<'_> {
    /// The environment of one process.
    ///
    /// # Errors
    /// When a secret cannot be kept.
    pub fn environment(&self, member: &Member) -> Result<Environment> {
        // Those of a file count, too.
        let given = services::settings()?;
        let mut told = self.common(member, &given);
        match services::find(member.serves) {
            Ok(service) => self.tell_service(&service, &given, &mut told)?,
            Err(_) => {
                told.insert("QUENTY_REDIS_URL".to_owned(), self.redis.url(GATEWAY));
                told.insert("QUENTY_TRUSTED_PROXIES".to_owned(), PROXY.to_string());
            }
        }
        let secret = self.folder.secrets().client(member.serves)?;
        told.insert("QUENTY_CLIENT_SECRET".to_owned(), secret);
        Ok(told)
    }

    /// Declares the queues of all services, before anybody publishes.
    pub async fn declare_topology(&self) -> Result<()> {
        Ok(RabbitBus::connect_lazily(&self.bus_url(), services::topology()).declare().await?)
    }

    fn bus_url(&self) -> String {
        self.rabbit.amqp_url("/")
    }

    fn common(&self, member: &Member, given: &Settings) -> Environment {
        let mut told = Environment::from([
            ("QUENTY_HOST".to_owned(), "127.0.0.1".to_owned()),
            ("QUENTY_PORT".to_owned(), member.port.to_string()),
            ("QUENTY_BUS_URL".to_owned(), self.bus_url()),
            ("QUENTY_PUBLIC_URL".to_owned(), self.layout.url()),
        ]);
        if given.get("smtp_url").is_none() {
            told.insert("QUENTY_MAIL_DIR".to_owned(), self.folder.mail().display().to_string());
        }
        // Where everybody is found while the register is away, or has not answered yet.
        for service in services::all() {
            let urls: Vec<String> = self.layout.serving(service.name).map(Member::url).collect();
            told.insert(format!("QUENTY_{}_URL", service.name.to_uppercase()), urls.join(","));
        }
        if let Some(consul) = self.consul {
            told.insert("QUENTY_CONSUL_URL".to_owned(), consul.url());
            told.insert("QUENTY_CONSUL_TOKEN".to_owned(), consul.token(member.serves).to_owned());
        }
        let certificate = certs::settings(&self.folder.path().join(CERTIFICATES), member.serves);
        told.extend(certificate.map(|(name, value)| (name.to_owned(), value)));
        told
    }

    fn tell_service(&self, service: &Service, given: &Settings, told: &mut Environment) -> Result<()> {
        let secrets = self.folder.secrets();
        let mut tell = |name: &str, value: String| {
            told.insert(name.to_owned(), value);
        };
        tell("QUENTY_DATABASE_URL", databases::app_url(self.folder, service, self.postgres_port)?);
        if READS_REPLICA.contains(&service.name) {
            tell("QUENTY_REPLICA_URL", databases::app_url(self.folder, service, self.replica_port)?);
        }
        if given.get("files_url").is_none() {
            tell("QUENTY_FILES_URL", self.folder.files_url(service.name)?);
        }
        // As in one process, with which this one may take turns on its folder.
        if given.get("audit_dir").is_none() {
            tell("QUENTY_AUDIT_DIR", audit_folder(self.folder.path()).display().to_string());
        }
        if given.get("audit_key").is_none() {
            tell("QUENTY_AUDIT_KEY", self.folder.audit_key()?);
        }
        match service.name {
            "auth" => {
                let names = services::names().into_iter().chain([GATEWAY]);
                let clients: serde_json::Map<_, _> = names
                    .map(|name| Ok((name.to_owned(), secrets.client(name)?.into())))
                    .collect::<Result<_>>()?;
                tell("QUENTY_SERVICE_CLIENTS", json!(clients).to_string());
                tell("QUENTY_KEY_ENCRYPTION_KEY", secrets.key("key_encryption_key")?);
                // On loopback, for one machine: whoever tries it out need not enrol an app first.
                if given.get("staff_mfa").is_none() {
                    tell("QUENTY_STAFF_MFA", "optional".to_owned());
                }
                if let Some(email) = &self.wanted.admin_email {
                    tell("QUENTY_ADMIN_EMAIL", email.clone());
                }
                if given.get("admin_password").is_none() {
                    let file = self.folder.admin_password().display().to_string();
                    tell("QUENTY_GENERATED_PASSWORD_FILE", file);
                }
            }
            "shipping" => tell("QUENTY_QUOTE_SIGNING_KEY", secrets.key("quote_signing_key")?),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_names_other_servers_is_refused_and_any_other_is_not() {
        let of_file = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            Settings::load(&[&services::known_settings()], Some(file.path()), std::iter::empty()).unwrap()
        };
        refuse_other_servers(&of_file("")).unwrap();
        refuse_other_servers(&of_file("limit_read = \"10/1\"\n")).unwrap();
        for name in NOT_PASSED_ON {
            let key = name.trim_start_matches("QUENTY_").to_lowercase();
            let refused = refuse_other_servers(&of_file(&format!("{key} = \"other\"\n"))).unwrap_err();
            assert!(refused.to_string().contains(&format!("take {key} out")), "{refused}");
        }
    }
}
