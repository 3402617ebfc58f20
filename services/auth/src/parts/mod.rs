//! What is made once before the service serves: keys, the password hasher, the clients, the administrator.

pub mod bootstrap;
pub mod clients;
pub mod key_ring;
pub mod password_hasher;

use std::net::IpAddr;

use jiff::SignedDuration;
use quenty_kernel::Clock;
use quenty_platform::{
    Error, Result,
    app::Parts,
    settings::{self, Setting, Settings},
};
use sqlx::PgPool;

pub use clients::Clients;
pub use key_ring::KeyRing;
pub use password_hasher::PasswordHasher;

use crate::domain::{passkey::RelyingParty, secret::Key};

const OWN: &[Setting] = &[
    Setting::new(
        "key_encryption_key",
        "base64 of 32 bytes: seals the signing keys and second factors, derives refresh tokens and links, and hashes API keys",
    )
    .secret(),
    Setting::new("admin_email", "e-mail address of the administrator that the first start creates")
        .default("admin@quenty.local"),
    Setting::new("admin_password", "the administrator's first password; without it one is made up").secret(),
    Setting::new(
        "generated_password_file",
        "where a made-up administrator's password is written; without it, it is printed once on standard error",
    ),
    Setting::new(
        "service_clients",
        "secrets of the platform's services, as a JSON object of name and secret",
    )
    .secret(),
    Setting::new("signing_key_days", "after so many days another key signs the access tokens").default("90"),
    Setting::new("password_workers", "passwords that are hashed at the same time").default("2"),
    Setting::new("password_queue", "logins that wait for a password worker; more get 429").default("64"),
    Setting::new(
        "trust_forwarded_for",
        "`true` when nobody but our gateway reaches this process, whose x-forwarded-for is believed then; `false` otherwise; must be said off loopback",
    ),
    Setting::new(
        "staff_mfa",
        "`required`: platform roles count only after a second factor; `optional`: they count with a password alone. Required unless told; `quenty up` tells `optional`",
    ),
    Setting::new(
        "passkey_domain",
        "the domain that passkeys are made for: the host of public_url unless told, or one above it; those of before work no more when it changes",
    ),
];

const ALL: usize = OWN.len() + quenty_mail::SETTINGS.len();
pub const SETTINGS: &[Setting] = &settings::joined::<ALL>(&[OWN, quenty_mail::SETTINGS]);

/// The keys that refresh tokens and links are derived with, and secrets hashed.
#[derive(Debug)]
pub struct TokenKeys {
    pub refresh: Key,
    pub link: Key,
    pub api_key: Key,
    pub mfa: Key,
}

/// Whether the platform's own people have their roles only after a second factor.
#[derive(Debug, Clone, Copy)]
pub struct StaffMfa {
    pub is_needed: bool,
}

impl StaffMfa {
    /// Needed unless told otherwise: where we listen says nothing about who reaches us through a gateway.
    fn from_settings(settings: &Settings) -> Result<Self> {
        match settings.get("staff_mfa") {
            Some("required") | None => Ok(Self { is_needed: true }),
            Some("optional") => Ok(Self { is_needed: false }),
            Some(_) => Err(Error::internal("QUENTY_STAFF_MFA: say required or optional")),
        }
    }
}

/// Passkeys are of the pages that mails link to.
fn relying_party(settings: &Settings) -> Result<RelyingParty> {
    let public_url = settings.require("public_url").map_err(Error::internal)?;
    RelyingParty::new(public_url, settings.get("passkey_domain"))
        .map_err(|why| Error::internal(format!("QUENTY_PUBLIC_URL, QUENTY_PASSKEY_DOMAIN: {why}")))
}

/// Limits and locks go by the client's address: nobody else may choose it, and all clients must not share one.
fn check_origin(settings: &Settings) -> Result<()> {
    let host: IpAddr = settings.parse("host").map_err(Error::internal)?;
    match settings.get("trust_forwarded_for") {
        Some("true" | "false") => Ok(()),
        None if host.is_loopback() => Ok(()),
        _ => Err(Error::internal(format!(
            "QUENTY_TRUST_FORWARDED_FOR: Auth listens on {host}; say true if only our gateway reaches it there, so that it believes the gateway's x-forwarded-for, else false"
        ))),
    }
}

/// Makes all parts; see [`quenty_platform::Service::init`].
///
/// # Errors
/// When a setting is missing or wrong, or the database refuses.
pub async fn init(db: PgPool, settings: Settings, _clock: Clock) -> Result<Parts> {
    let master = Key::from_base64(settings.require("key_encryption_key").map_err(Error::internal)?)
        .map_err(|why| Error::internal(format!("QUENTY_KEY_ENCRYPTION_KEY: {why}")))?;
    check_origin(&settings)?;
    let number = |key: &str| settings.parse::<usize>(key).map_err(Error::internal);
    let every =
        SignedDuration::from_hours(24 * i64::try_from(number("signing_key_days")?).map_err(Error::internal)?);
    let issuer = settings.require("issuer").map_err(Error::internal)?.to_owned();
    let ring = KeyRing::new(master.derive("quenty auth signing keys v1"), issuer, every);
    ring.maintain(&db).await?;
    let hasher = PasswordHasher::new(number("password_workers")?, number("password_queue")?).await?;
    let clients = Clients::from_json(
        settings.get("service_clients").unwrap_or("{}"),
        master.derive("quenty auth clients v1"),
    )
    .map_err(|why| Error::internal(format!("QUENTY_SERVICE_CLIENTS: {why}")))?;
    let keys = TokenKeys {
        refresh: master.derive("quenty auth refresh tokens v1"),
        link: master.derive("quenty auth links v1"),
        api_key: master.derive("quenty auth api keys v1"),
        mfa: master.derive("quenty auth second factors v1"),
    };
    Ok(Parts::default()
        .with(quenty_mail::from_settings(&settings)?)
        .with(ring)
        .with(hasher)
        .with(clients)
        .with(keys)
        .with(StaffMfa::from_settings(&settings)?)
        .with(relying_party(&settings)?)
        .first(bootstrap::bootstrap))
}
