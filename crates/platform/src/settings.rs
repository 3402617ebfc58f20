//! Configuration: defaults < file < Consul < environment. Every setting is declared once, with its meaning;
//! unknown keys are refused, secrets are never shown, and `quenty config check` explains the rest.

use std::{collections::BTreeMap, fmt, path::Path};

/// One thing that can be configured: key `database_url` is `QUENTY_DATABASE_URL` in the environment.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub key: &'static str,
    pub default: Option<&'static str>,
    /// Secrets may also come from a file named by `QUENTY_<KEY>_FILE`, and are never printed.
    pub secret: bool,
    /// It says where a service is: `order_url` where Order is.
    pub locates: bool,
    /// A process takes a new value from Consul while it runs.
    pub reloadable: bool,
    pub about: &'static str,
}

impl Setting {
    #[must_use]
    pub const fn new(key: &'static str, about: &'static str) -> Self {
        Self { key, default: None, secret: false, locates: false, reloadable: false, about }
    }
    #[must_use]
    pub const fn default(self, value: &'static str) -> Self {
        Self { default: Some(value), ..self }
    }
    /// Of a service: `Setting::of_service("order_url", "http://127.0.0.1:8002")`.
    #[must_use]
    pub const fn of_service(key: &'static str, default: &'static str) -> Self {
        let about = "base URL of this service; several with commas";
        Self { locates: true, ..Self::new(key, about).default(default) }
    }
    #[must_use]
    pub const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
    #[must_use]
    pub const fn reloadable(self) -> Self {
        Self { reloadable: true, ..self }
    }
}

/// Lists of settings as one: a service's own, and those of the adapters that it uses. `N` is their number.
#[must_use]
pub const fn joined<const N: usize>(lists: &[&[Setting]]) -> [Setting; N] {
    let mut all = [Setting::new("", ""); N];
    let (mut list, mut at) = (0, 0);
    while list < lists.len() {
        let mut own = 0;
        while own < lists[list].len() {
            all[at] = lists[list][own];
            (own, at) = (own + 1, at + 1);
        }
        list += 1;
    }
    assert!(at == N, "N is the number of all settings");
    all
}

/// The settings that the chassis itself reads.
pub const CHASSIS: &[Setting] = &[
    Setting::new(
        "host",
        "address to listen on; anything but loopback needs `trusted_network = true`, or certificates",
    )
    .default("127.0.0.1"),
    Setting::new("port", "port to listen on; each service has its own default"),
    Setting::new("trusted_network", "`true` when the network between the services is private")
        .default("false"),
    Setting::new("database_url", "PostgreSQL, as the application role").secret(),
    Setting::new(
        "replica_url",
        "a streaming replica of that PostgreSQL, as the same role, for lists; without it, the primary answers all",
    )
    .secret(),
    Setting::new("database_connections", "most connections of this process to its database").default("10"),
    Setting::new("bus_url", "RabbitMQ, like `amqp://user:password@host:5672/vhost`").secret(),
    Setting::new("client_secret", "this service's secret at Auth, for calls to other services").secret(),
    Setting::new("issuer", "the `iss` of access tokens; clients see it").default("https://quenty.local"),
    Setting::of_service("auth_url", "http://127.0.0.1:8009"),
    Setting::of_service("customer_url", "http://127.0.0.1:8001"),
    Setting::of_service("order_url", "http://127.0.0.1:8002"),
    Setting::of_service("shipping_url", "http://127.0.0.1:8004"),
    Setting::of_service("pickup_url", "http://127.0.0.1:8005"),
    Setting::of_service("returns_url", "http://127.0.0.1:8007"),
    Setting::new(
        "consul_url",
        "an agent of Consul, like `http://127.0.0.1:8500`: services are registered and found there",
    ),
    Setting::new("consul_token", "what Consul lets this process register and find by").secret(),
    Setting::new("advertised_host", "the address that Consul tells others, where it is not `host`"),
    Setting::new(
        "ca_file",
        "PEM: who signs the certificates of PostgreSQL, RabbitMQ, Redis and Consul; where it is set, PostgreSQL's is checked",
    ),
    Setting::new(
        "service_ca_file",
        "PEM: who signs the certificates of the platform's services; with it they speak TLS with each other only",
    ),
    Setting::new(
        "service_certificate_file",
        "PEM: this process's own certificate, in which its name stands; RabbitMQ and Consul see it, too, if they ask",
    ),
    Setting::new("service_key_file", "PEM: the private key of that certificate"),
    Setting::new(
        "retry_pause_ms",
        "first pause before a failed reaction is tried again; each further one is four times as long",
    )
    .default("1000"),
    Setting::new(
        "request_timeout_ms",
        "a request that takes longer gets 503, and PostgreSQL gives up what its transaction does",
    )
    .default("15000"),
    Setting::new(
        "task_timeout_ms",
        "a try of a task or a reaction, or a run of a job, that takes longer has failed, and a reaction after a minute in any \
         case; an import goes on from where it was. PostgreSQL gives up any statement of the service then (`statement_timeout`), \
         though not before half a minute",
    )
    .default("600000"),
    Setting::new("max_body_bytes", "larger JSON bodies get 413").default("1048576"),
    Setting::new(
        "audit_dir",
        "a folder outside the database to which signed checkpoints of the journal are added; needs `audit_key`",
    ),
    Setting::new("audit_key", "what signs them: 32 bytes in base64, see `quenty audit key`").secret(),
    Setting::new(
        "audit_public_key",
        "what `quenty audit verify` believes checkpoints by; earlier keys stay in it, with commas",
    ),
    Setting::new("audit_checkpoint_seconds", "how often a checkpoint is taken, beside start and end")
        .default("300"),
    Setting::new(
        "otlp_endpoint",
        "a collector of traces that takes OTLP over HTTP, like `http://127.0.0.1:4318`; without one no traces are recorded",
    ),
    Setting::new("otlp_headers", "what the collector asks for, like `authorization=Basic%20…`, with commas")
        .secret(),
    Setting::new(
        "otlp_sample_ratio",
        "the share of traces that is recorded, 0 to 1; who sends a traceparent decides for itself",
    )
    .default("1"),
    Setting::new("log", "what is logged, in the syntax of tracing's EnvFilter").default("info").reloadable(),
];

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("unknown setting {0}; `quenty config check` lists the known ones")]
    Unknown(String),
    #[error("{0} is not set: {1}")]
    Missing(String, &'static str),
    #[error("{key} is {value:?}: {why}")]
    Bad { key: String, value: String, why: String },
    #[error("cannot read {0}: {1}")]
    Unreadable(String, String),
}

#[derive(Clone)]
struct Value {
    text: String,
    source: Source,
    secret: bool,
}

/// Who said it; a later one wins.
#[derive(Debug, Clone)]
enum Source {
    Default,
    File(String),
    /// The key in Consul.
    Shared(String),
    Environment(String),
    /// `quenty up`, for its services.
    Embedded,
}

impl Source {
    /// Whether it counts more than what is shared.
    fn is_nearer(&self) -> bool {
        matches!(self, Self::Environment(_) | Self::Embedded)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(name) | Self::Environment(name) => f.write_str(name),
            Self::Shared(key) => write!(f, "Consul {key}"),
            Self::Embedded => f.write_str("embedded"),
        }
    }
}

/// The settings of one process.
#[derive(Clone, Default)]
pub struct Settings {
    known: Vec<Setting>,
    values: BTreeMap<&'static str, Value>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.table().into_iter().map(|row| (row.key, row.value))).finish()
    }
}

/// One line of `quenty config check`.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Row {
    pub key: &'static str,
    pub value: String,
    pub source: String,
    pub about: &'static str,
}

impl Settings {
    /// Reads the defaults, then the TOML file, then the environment (`QUENTY_<KEY>`, `QUENTY_<KEY>_FILE`).
    ///
    /// # Errors
    /// On unknown keys and unreadable files.
    pub fn load(
        known: &[&[Setting]],
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let (settings, unknown) = Self::read(known, file, environment)?;
        unknown.into_iter().next().map_or(Ok(settings), Err)
    }

    /// As [`Settings::load`], for those who go on where nothing is called so.
    ///
    /// # Errors
    /// On unreadable files.
    pub fn read(
        known: &[&[Setting]],
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<SettingsError>), SettingsError> {
        let mut unknown = Vec::new();
        let mut settings =
            Self { known: known.iter().flat_map(|list| list.iter().copied()).collect(), ..Self::default() };
        for setting in settings.known.clone() {
            if let Some(default) = setting.default {
                settings.put(setting, default.to_owned(), Source::Default);
            }
        }
        if let Some(path) = file {
            settings.read_file(path, &mut unknown)?;
        }
        for (name, text) in environment {
            let Some(key) = name.strip_prefix("QUENTY_").map(str::to_ascii_lowercase) else { continue };
            if key.starts_with("test_") || key == "config" {
                continue;
            }
            if let Some(setting) = settings.find(&key) {
                settings.put(setting, text, Source::Environment(name));
            } else if let Some(setting) =
                key.strip_suffix("_file").and_then(|k| settings.find(k)).filter(|s| s.secret)
            {
                let content = std::fs::read_to_string(&text)
                    .map_err(|e| SettingsError::Unreadable(text.clone(), e.to_string()))?;
                let source = Source::Environment(format!("{name} ({text})"));
                settings.put(setting, content.trim_end().to_owned(), source);
            } else {
                unknown.push(SettingsError::Unknown(name));
            }
        }
        Ok((settings, unknown))
    }

    fn read_file(&mut self, path: &Path, unknown: &mut Vec<SettingsError>) -> Result<(), SettingsError> {
        let unreadable =
            |e: &dyn fmt::Display| SettingsError::Unreadable(path.display().to_string(), e.to_string());
        let text = std::fs::read_to_string(path).map_err(|e| unreadable(&e))?;
        let table: toml::Table = text.parse().map_err(|e| unreadable(&e))?;
        for (key, value) in table {
            let Some(setting) = self.find(&key) else {
                unknown.push(SettingsError::Unknown(format!("{key} in {}", path.display())));
                continue;
            };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.put(setting, text, Source::File(path.display().to_string()));
        }
        Ok(())
    }

    /// The services that it says the place of, with what it says.
    pub(crate) fn locations(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.known.iter().filter(|setting| setting.locates).filter_map(|setting| {
            Some((setting.key.strip_suffix("_url")?, self.values.get(setting.key)?.text.as_str()))
        })
    }

    fn find(&self, key: &str) -> Option<Setting> {
        self.known.iter().find(|s| s.key == key).copied()
    }

    fn put(&mut self, setting: Setting, text: String, source: Source) {
        self.values.insert(setting.key, Value { text, source, secret: setting.secret });
    }

    /// With what all processes share (`(setting, text, where it stands)`), as far as nothing nearer says otherwise. What
    /// is not known or is a secret is left out and told: others may run a newer version, and a secret does not belong
    /// where everybody reads.
    pub(crate) fn with_shared(&self, shared: &[(String, String, String)]) -> Self {
        let mut settings = self.clone();
        for (key, text, place) in shared {
            match settings.find(key) {
                None => tracing::warn!(place, "no setting is called so; it is left out"),
                Some(setting) if setting.secret => {
                    tracing::warn!(place, "a secret does not belong there; it is left out");
                }
                Some(setting) => {
                    if settings.values.get(setting.key).is_none_or(|value| !value.source.is_nearer()) {
                        settings.put(setting, text.clone(), Source::Shared(place.clone()));
                    }
                }
            }
        }
        settings
    }

    /// What another reading of them says otherwise: a process takes the first kind while it runs, the second when it starts
    /// again.
    pub(crate) fn changes(&self, to: &Self) -> (Vec<&'static str>, Vec<&'static str>) {
        let changed = self.known.iter().filter(|setting| self.get(setting.key) != to.get(setting.key));
        let (reloadable, fixed): (Vec<_>, Vec<_>) = changed.partition(|setting| setting.reloadable);
        let keys = |settings: Vec<&Setting>| settings.into_iter().map(|setting| setting.key).collect();
        (keys(reloadable), keys(fixed))
    }

    /// Sets a value from code: what `quenty up` decides for its embedded services. Unknown keys are ignored,
    /// because not every service reads every setting.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        if let Some(setting) = self.find(key) {
            self.put(setting, value.into(), Source::Embedded);
        }
        self
    }

    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|v| v.text.as_str())
    }

    /// # Errors
    /// When the setting is absent.
    pub fn require(&self, key: &str) -> Result<&str, SettingsError> {
        self.get(key).ok_or_else(|| {
            SettingsError::Missing(
                format!("QUENTY_{}", key.to_ascii_uppercase()),
                self.find(key).map_or("no such setting", |s| s.about),
            )
        })
    }

    /// # Errors
    /// When the setting is absent or does not parse.
    pub fn parse<T: std::str::FromStr<Err: fmt::Display>>(&self, key: &str) -> Result<T, SettingsError> {
        let text = self.require(key)?;
        text.parse().map_err(|e: T::Err| SettingsError::Bad {
            key: format!("QUENTY_{}", key.to_ascii_uppercase()),
            value: if self.find(key).is_some_and(|s| s.secret) {
                "(secret)".to_owned()
            } else {
                text.to_owned()
            },
            why: e.to_string(),
        })
    }

    /// What is set, from where, secrets redacted.
    #[must_use]
    pub fn table(&self) -> Vec<Row> {
        self.known
            .iter()
            .map(|setting| {
                let value = self.values.get(setting.key);
                Row {
                    key: setting.key,
                    value: value.map_or(String::new(), |v| {
                        if v.secret { "(secret)".to_owned() } else { v.text.clone() }
                    }),
                    source: value.map_or_else(|| "not set".to_owned(), |v| v.source.to_string()),
                    about: setting.about,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("quenty.toml");
        std::fs::write(&path, "host = \"10.0.0.1\"\nport = 9000\n").unwrap();
        let settings =
            Settings::load(&[CHASSIS], Some(&path), env(&[("QUENTY_PORT", "9001"), ("HOME", "/")])).unwrap();
        assert_eq!((settings.get("host"), settings.parse::<u16>("port").unwrap()), (Some("10.0.0.1"), 9001));
        assert_eq!(settings.get("log"), Some("info"));
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(matches!(
            Settings::load(&[CHASSIS], None, env(&[("QUENTY_PROT", "1")])),
            Err(SettingsError::Unknown(_))
        ));
    }

    #[test]
    fn what_is_shared_wins_over_the_file_and_the_environment_over_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "request_timeout_ms = 1\nretry_pause_ms = 1\n").unwrap();
        let own = env(&[("QUENTY_RETRY_PAUSE_MS", "2")]);
        let settings = Settings::load(&[CHASSIS], Some(file.path()), own).unwrap();
        let keys = ["log", "request_timeout_ms", "retry_pause_ms", "client_secret", "nothing"];
        let shared = keys.map(|key| (key.to_owned(), "3".to_owned(), format!("quenty/config/{key}")));
        let own = ("log".to_owned(), "4".to_owned(), "quenty/config/auth/log".to_owned());
        let shared = [&shared[..], &[own]].concat();
        let now = settings.with_shared(&shared);
        assert_eq!((now.get("request_timeout_ms"), now.get("retry_pause_ms")), (Some("3"), Some("2")));
        assert_eq!((now.get("client_secret"), now.get("nothing")), (None, None));
        assert_eq!(settings.changes(&now), (vec!["log"], vec!["request_timeout_ms"]));
        assert_eq!(now.get("log"), Some("4"), "what is for one process counts more than what is for all");
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = Settings::load(&[CHASSIS], None, env(&[("QUENTY_CLIENT_SECRET", "hush")])).unwrap();
        assert_eq!(settings.get("client_secret"), Some("hush"));
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
