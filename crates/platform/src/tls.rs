//! TLS: whom this process trusts, what it shows of itself, and what an operator is told when a handshake fails. How the
//! gateway speaks with its clients is its own matter.
//!
//! Two authorities, because what they sign means different things: a certificate of `ca_file` says which server of the
//! infrastructure answers, one of `service_ca_file` which service of the platform speaks.

use std::{
    error::Error,
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore, ServerConfig, SignatureScheme,
    client::{ResolvesClientCert, verify_server_name},
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName,
        pem::{self, PemObject},
    },
    server::{
        ClientHello, ParsedCertificate, ResolvesServerCert, VerifierBuilderError, WebPkiClientVerifier,
    },
    sign::CertifiedKey,
};

use crate::settings::Settings;

/// Both sides of a connection between services speak HTTP/1.1.
const HTTP_1: &[u8] = b"http/1.1";
/// No handshake looks sooner whether files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{file} cannot be read as PEM: {why}")]
    Unreadable { file: String, why: pem::Error },
    #[error("{0} holds no certificate")]
    Empty(String),
    #[error("QUENTY_SERVICE_CERTIFICATE_FILE and QUENTY_SERVICE_KEY_FILE belong together: set both or none")]
    Half,
    #[error(
        "QUENTY_SERVICE_CA_FILE is set: name this process's own certificate and key, too (`quenty certs init` makes them)"
    )]
    Nameless,
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    #[error("the authority of QUENTY_SERVICE_CA_FILE cannot be used: {0}")]
    Authority(#[from] VerifierBuilderError),
}

impl From<TlsError> for crate::Error {
    fn from(error: TlsError) -> Self {
        Self::internal(error)
    }
}

/// The certificates of a PEM file, in their order.
///
/// # Errors
/// When it cannot be read, or holds none.
pub fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(Path::new(file))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| TlsError::Unreadable { file: file.to_owned(), why })?;
    if found.is_empty() { Err(TlsError::Empty(file.to_owned())) } else { Ok(found) }
}

/// # Errors
/// When the file cannot be read, or holds no key.
pub fn private_key(file: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(Path::new(file))
        .map_err(|why| TlsError::Unreadable { file: file.to_owned(), why })
}

fn authorities(file: &str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate)?;
    }
    Ok(roots)
}

/// The files of what a process shows of itself.
pub(crate) fn own_files(settings: &Settings) -> Result<Option<(&str, &str)>, TlsError> {
    match (settings.get("service_certificate_file"), settings.get("service_key_file")) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        _ => Err(TlsError::Half),
    }
}

/// What this process shows of itself, as its two files are now or were when they last went together: who renews them need
/// not start it again. Handshakes look, so that nothing has to run beside them.
pub struct Own {
    certificate: String,
    key: String,
    shown: Mutex<Shown>,
}

struct Shown {
    certified: Arc<CertifiedKey>,
    /// When the files were changed that this was read from.
    of: [Option<SystemTime>; 2],
    looked: Instant,
}

impl Own {
    /// Of a certificate's file and its key's.
    ///
    /// # Errors
    /// When they cannot be read or do not go together.
    pub fn read((certificate, key): (&str, &str)) -> Result<Arc<Self>, TlsError> {
        // Before they are read: what is changed meanwhile is read again.
        let of = changed_at(certificate, key);
        let certified = Arc::new(certified(certificate, key)?);
        let shown = Mutex::new(Shown { certified, of, looked: Instant::now() });
        Ok(Arc::new(Self { certificate: certificate.to_owned(), key: key.to_owned(), shown }))
    }

    /// Two files that do not go together, as in the middle of a renewal, or that may not be read yet, change nothing, and
    /// are looked at until they do.
    fn now(&self) -> Arc<CertifiedKey> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.looked.elapsed() >= LOOK_EVERY {
            shown.looked = Instant::now();
            let of = changed_at(&self.certificate, &self.key);
            if of != shown.of {
                match certified(&self.certificate, &self.key) {
                    Ok(certified) => {
                        (shown.certified, shown.of) = (Arc::new(certified), of);
                        tracing::info!(file = self.certificate, "the certificate was read again");
                    }
                    Err(error) => tracing::error!(%error, "the certificate stays as it was"),
                }
            }
        }
        Arc::clone(&shown.certified)
    }
}

fn changed_at(certificate: &str, key: &str) -> [Option<SystemTime>; 2] {
    [certificate, key].map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok())
}

fn certified(certificate: &str, key: &str) -> Result<CertifiedKey, TlsError> {
    Ok(CertifiedKey::from_der(certificates(certificate)?, private_key(key)?, &ring::default_provider())?)
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Own({})", self.certificate)
    }
}

impl ResolvesServerCert for Own {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now())
    }
}

impl ResolvesClientCert for Own {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.now())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Who trusts this authority, and shows its own certificate where it is asked for one.
fn client(settings: &Settings, ca_file: &str) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(authorities(ca_file)?);
    Ok(match own_files(settings)? {
        Some(files) => builder.with_client_cert_resolver(Own::read(files)?),
        None => builder.with_no_client_auth(),
    })
}

/// For calls to Consul; nothing where public authorities are meant.
pub(crate) fn to_infrastructure(settings: &Settings) -> Result<Option<ClientConfig>, TlsError> {
    settings.get("ca_file").map(|file| client(settings, file)).transpose()
}

/// For calls to the platform's services; nothing where no authority of theirs is named.
///
/// # Errors
/// When a file is missing or unfit.
pub fn to_services(settings: &Settings) -> Result<Option<ClientConfig>, TlsError> {
    match (settings.get("service_ca_file"), own_files(settings)?) {
        (Some(_), None) => Err(TlsError::Nameless),
        (Some(file), Some(_)) => client(settings, file).map(Some),
        (None, _) => Ok(None),
    }
}

/// For calls of the platform's services, and nobody else's: who shows no certificate of their authority is refused.
/// Nothing where no such authority is named.
///
/// # Errors
/// As [`to_services`].
pub(crate) fn of_services(settings: &Settings) -> Result<Option<ServerConfig>, TlsError> {
    let Some(ca_file) = settings.get("service_ca_file") else { return Ok(None) };
    let own = Own::read(own_files(settings)?.ok_or(TlsError::Nameless)?)?;
    let provider = Arc::new(ring::default_provider());
    let authorities = Arc::new(authorities(ca_file)?);
    let callers = WebPkiClientVerifier::builder_with_provider(authorities, Arc::clone(&provider)).build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(callers)
        .with_cert_resolver(own);
    config.alpn_protocols = vec![HTTP_1.to_vec()];
    Ok(Some(config))
}

/// Whether the certificate was made for this service, whose name stands in it.
pub(crate) fn is_of_service(certificate: &CertificateDer<'_>, service: &str) -> bool {
    let (Ok(parsed), Ok(name)) = (ParsedCertificate::try_from(certificate), ServerName::try_from(service))
    else {
        return false;
    };
    verify_server_name(&parsed, &name).is_ok()
}

/// What the words of a failed handshake ask of an operator: each library wraps them in its own errors.
const ADVICE: &[(&str, &str)] = &[
    (
        "UnknownIssuer",
        "nobody whom this process trusts has signed the server's certificate: QUENTY_CA_FILE names who may, and QUENTY_SERVICE_CA_FILE between services",
    ),
    (
        "BadSignature",
        "another authority of the same name has signed the server's certificate than the one in our file: QUENTY_CA_FILE, or QUENTY_SERVICE_CA_FILE between services, is of an earlier or of another platform",
    ),
    (
        "not valid for name",
        "the server's certificate is for another name: call it by a name that stands in it, or have it made for this one",
    ),
    (
        "server does not support TLS",
        "switch TLS on there (`ssl = on`), or leave verify-full out of the URL if nobody can read along",
    ),
    (
        "certificate expired",
        "the server's certificate is too old: `quenty certs renew` makes another; put it in place, and start the server again if it is none of the platform's",
    ),
    (
        "CertificateExpired",
        "our certificate is too old for the server: `quenty certs renew` makes another; put it in place, it is read again",
    ),
    ("InvalidContentType", "no TLS is spoken at this port: name the one where it is, or switch it on there"),
    (
        "CertificateRequired",
        "the server wants to see a certificate of ours: QUENTY_SERVICE_CERTIFICATE_FILE and QUENTY_SERVICE_KEY_FILE name it",
    ),
];

/// What an error says with all that caused it, and what to do if it is about TLS.
#[must_use]
pub fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !text.contains(&why) {
            text = format!("{text}: {why}");
        }
        cause = error.source();
    }
    match ADVICE.iter().find(|(sign, _)| text.contains(sign)) {
        Some((_, advice)) => format!("{text}; {advice}"),
        None => text,
    }
}
