//! The gateway's own certificate.

use std::{path::Path, sync::Arc};

use quenty_platform::settings::Settings;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject},
        },
    },
};

/// What is offered, the better one first (RFC 7301).
pub(crate) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("QUENTY_TLS_CERTIFICATE_FILE and QUENTY_TLS_KEY_FILE belong together: set both or none")]
    Half,
    #[error("{file} cannot be read as PEM: {why}")]
    Unreadable { file: String, why: pem::Error },
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// `None` where no certificate is configured: then whoever stands before the gateway speaks TLS.
///
/// # Errors
/// When the files cannot be read or do not fit each other.
pub(crate) fn acceptor(settings: &Settings) -> Result<Option<TlsAcceptor>, TlsError> {
    let (certificate, key) = match (settings.get("tls_certificate_file"), settings.get("tls_key_file")) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return Ok(None),
        _ => return Err(TlsError::Half),
    };
    let unreadable = |file: &str| {
        let file = file.to_owned();
        |why| TlsError::Unreadable { file, why }
    };
    let chain = CertificateDer::pem_file_iter(Path::new(certificate))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(certificate))?;
    let key = PrivateKeyDer::from_pem_file(Path::new(key)).map_err(unreadable(key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
