//! The gateway's own certificate. It is read again when its files change: who renews it need not restart anything.

use std::sync::Arc;

use quenty_platform::{
    settings::Settings,
    tls::{self, Own},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, ServerConfig, crypto::ring},
};

/// What is offered, the better one first (RFC 7301).
pub(crate) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("QUENTY_TLS_CERTIFICATE_FILE and QUENTY_TLS_KEY_FILE belong together: set both or none")]
    Half,
    #[error(transparent)]
    File(#[from] tls::TlsError),
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// `None` where no certificate is configured: then whoever stands before the gateway speaks TLS.
///
/// # Errors
/// When the files cannot be read or do not fit each other.
pub(crate) fn acceptor(settings: &Settings) -> Result<Option<TlsAcceptor>, TlsError> {
    let files = match (settings.get("tls_certificate_file"), settings.get("tls_key_file")) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return Ok(None),
        _ => return Err(TlsError::Half),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Own::read(files)?);
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
