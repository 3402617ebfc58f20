//! A file on its way in, piece by piece: never held whole, never larger than allowed, never waited for without
//! end, and known by its digest once it is in.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use quenty_kernel::{Failure, Kind};
use sha2::{Digest, Sha256};

use crate::Result;

/// How long a file may take as a whole; what takes longer is a sender that hardly moves.
pub const UPLOAD_TIMEOUT: Duration = Duration::from_secs(900);
/// How long its sender may pause.
const PAUSE: Duration = Duration::from_secs(10);

/// Whether the body is a file, which streams through, and no JSON, which is kept.
#[must_use]
pub fn is_upload(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        essence.as_str(),
        "multipart/form-data" | "text/csv" | "application/x-ndjson" | "application/octet-stream"
    )
}

/// A file that is being received.
pub struct Upload {
    body: Body,
    limit: u64,
    bytes: u64,
    hash: Sha256,
}

impl Upload {
    /// # Errors
    /// 413 when the sender says beforehand that the file is larger than `limit` bytes.
    pub fn new(body: Body, limit: u64) -> Result<Self> {
        let upload = Self { limit, bytes: 0, hash: Sha256::new(), body };
        upload.check(upload.body.size_hint().lower())?;
        Ok(upload)
    }

    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// 413 when the file is too large, 408 when nothing comes any more, 400 when it breaks off.
    pub async fn piece(&mut self) -> Result<Option<Bytes>> {
        let slow = |_| {
            Failure::new(
                Kind::Timeout,
                "BODY_TOO_SLOW",
                format!("nothing came for {PAUSE:?}; send the file again"),
            )
        };
        while let Some(frame) = tokio::time::timeout(PAUSE, self.body.frame()).await.map_err(slow)? {
            let frame = frame.map_err(|_| {
                Failure::new(Kind::Malformed, "UNREADABLE_BODY", "the file broke off; send it again")
            })?;
            let Ok(piece) = frame.into_data() else { continue };
            self.bytes += piece.len() as u64;
            self.check(self.bytes)?;
            self.hash.update(&piece);
            return Ok(Some(piece));
        }
        Ok(None)
    }

    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of what has come so far.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    fn check(&self, bytes: u64) -> Result<(), Failure> {
        if bytes > self.limit {
            return Err(Failure::new(
                Kind::TooLarge,
                "FILE_TOO_LARGE",
                format!("a file may have {} bytes; split it", self.limit),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_file_is_exempt_from_the_limits_of_requests() {
        let is = |kind: &'static str| {
            is_upload(&HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(kind))]))
        };
        assert!(
            is("text/csv; charset=utf-8")
                && is("Application/Octet-Stream")
                && is("multipart/form-data; boundary=x")
        );
        for kind in ["application/octet-stream+json", "text/csvx", "multipart/", "application/json", ""] {
            assert!(!is(kind), "{kind}");
        }
        assert!(!is_upload(&HeaderMap::new()));
    }
}
