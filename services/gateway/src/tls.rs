//! The gateway's own certificate. It is read again when its files change: who renews it need not restart anything.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use quenty_platform::{settings::Settings, tls};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, ServerConfig, crypto::ring},
};
use tokio_util::sync::CancellationToken;

/// What is offered, the better one first (RFC 7301).
pub(crate) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";
const LOOK_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("QUENTY_TLS_CERTIFICATE_FILE and QUENTY_TLS_KEY_FILE belong together: set both or none")]
    Half,
    #[error(transparent)]
    File(#[from] tls::TlsError),
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The certificate of two files, as they are now or were when they last went together.
pub(crate) struct Certificate {
    certificate: String,
    key: String,
    acceptor: RwLock<TlsAcceptor>,
}

impl Certificate {
    /// `None` where no certificate is configured: then whoever stands before the gateway speaks TLS.
    ///
    /// # Errors
    /// When the files cannot be read or do not fit each other.
    pub(crate) fn of(settings: &Settings) -> Result<Option<Self>, TlsError> {
        match (settings.get("tls_certificate_file"), settings.get("tls_key_file")) {
            (Some(certificate), Some(key)) => Ok(Some(Self {
                acceptor: RwLock::new(read(certificate, key)?),
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            })),
            (None, None) => Ok(None),
            _ => Err(TlsError::Half),
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks again and again whether the files have changed. Two that do not go together, as in the middle of a renewal,
    /// leave the certificate as it was until they change again.
    pub(crate) async fn keep_fresh(&self, stop: CancellationToken) {
        let mut seen = self.changed_at();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.changed_at();
            if now == seen {
                continue;
            }
            seen = now;
            match read(&self.certificate, &self.key) {
                Ok(acceptor) => {
                    *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
                    tracing::info!(file = self.certificate, "the certificate was read again");
                }
                Err(error) => tracing::error!(%error, "the certificate stays as it was"),
            }
        }
    }

    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key]
            .map(|file| std::fs::metadata(PathBuf::from(file)).and_then(|file| file.modified()).ok())
    }
}

fn read(certificate: &str, key: &str) -> Result<TlsAcceptor, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(tls::certificates(certificate)?, tls::private_key(key)?)?;
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
