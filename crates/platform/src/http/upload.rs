//! A file on its way in, piece by piece: never held whole, never larger than allowed, never waited for without
//! end, and known by its digest once it is in.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody},
    http::HeaderMap,
};
use bytes::BytesMut;
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use quenty_kernel::{Failure, Kind};
use sha2::{Digest, Sha256};

use super::{
    form::{self, Form},
    media_type,
};
use crate::Result;

/// How long a file may take as a whole; what takes longer is a sender that hardly moves.
pub const UPLOAD_TIMEOUT: Duration = Duration::from_secs(900);
/// How long its sender may pause.
const PAUSE: Duration = Duration::from_secs(10);

/// Whether the body is a file, which streams through, and no JSON, which is kept.
#[must_use]
pub fn is_upload(headers: &HeaderMap) -> bool {
    matches!(
        media_type(headers).as_str(),
        "multipart/form-data" | "text/csv" | "application/x-ndjson" | "application/octet-stream"
    )
}

/// A file that is being received: the whole body, or a field of a form.
///
/// An operation that takes a form says so to OpenAPI by a type that nothing reads:
/// ```ignore
/// /// A form with one file.
/// #[derive(utoipa::ToSchema)]
/// struct PhotoForm {
///     /// JPEG, PNG or WebP.
///     #[schema(value_type = String, content_media_type = "application/octet-stream")]
///     photo: (),
/// }
///
/// #[utoipa::path(post, …, request_body(content = inline(PhotoForm), content_type = "multipart/form-data"),
///     responses((status = 413, description = "`FILE_TOO_LARGE`"), (status = 415, …)))]
/// ```
pub struct Upload {
    source: Source,
    limit: u64,
    bytes: u64,
    hash: Sha256,
    /// What was looked at and not yet given out.
    head: Bytes,
}

enum Source {
    Body(Paced),
    Form(Box<Form>),
}

impl Upload {
    /// The whole body as one file.
    ///
    /// # Errors
    /// 413 when the sender says beforehand that the file is larger than `limit` bytes.
    pub fn new(body: Body, limit: u64) -> Result<Self> {
        let told = body.size_hint().lower();
        Self::of(Source::Body(Paced(body)), limit, told)
    }

    /// The file in the field `name` of a form (RFC 7578), which has no other.
    ///
    /// # Errors
    /// 415 when the body is no form, 422 when another field comes; else those of [`Self::new`] and
    /// [`Self::piece`].
    pub async fn of_form(headers: &HeaderMap, body: Body, name: &'static str, limit: u64) -> Result<Self> {
        let told = body.size_hint().lower().saturating_sub(form::AROUND);
        let form = Form::new(headers, Paced(body), name)?;
        let mut upload = Self::of(Source::Form(Box::new(form)), limit, told)?;
        if let Source::Form(form) = &mut upload.source {
            form.open().await?;
        }
        Ok(upload)
    }

    fn of(source: Source, limit: u64, told: u64) -> Result<Self> {
        let upload = Self { source, limit, bytes: 0, hash: Sha256::new(), head: Bytes::new() };
        upload.check(told)?;
        Ok(upload)
    }

    /// The first `wanted` bytes, fewer if the file is shorter; [`Self::piece`] gives them out all the same.
    ///
    /// # Errors
    /// Those of [`Self::piece`].
    pub async fn head(&mut self, wanted: usize) -> Result<&[u8]> {
        let mut head = BytesMut::from(std::mem::take(&mut self.head));
        while head.len() < wanted {
            let Some(piece) = self.next().await? else { break };
            head.extend_from_slice(&piece);
        }
        self.head = head.freeze();
        Ok(&self.head[..wanted.min(self.head.len())])
    }

    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// 413 when the file is too large, 408 when nothing comes any more, 400 when it breaks off.
    pub async fn piece(&mut self) -> Result<Option<Bytes>> {
        if self.head.is_empty() { self.next().await } else { Ok(Some(std::mem::take(&mut self.head))) }
    }

    /// All pieces to come, for those who take a stream.
    pub fn pieces(&mut self) -> impl Stream<Item = Result<Bytes>> + Send {
        stream::try_unfold(self, async |upload| Ok(upload.piece().await?.map(|piece| (piece, upload))))
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        let piece = match &mut self.source {
            Source::Body(body) => body.piece().await?,
            Source::Form(form) => form.piece().await?,
        };
        if let Some(piece) = &piece {
            self.bytes += piece.len() as u64;
            self.check(self.bytes)?;
            self.hash.update(piece);
        }
        Ok(piece)
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
                format!("a file may have {} bytes; split it, or make it smaller", self.limit),
            ));
        }
        Ok(())
    }
}

/// A body whose sender may not pause without end.
pub(super) struct Paced(Body);

impl Paced {
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let slow = |_| {
            Failure::new(
                Kind::Timeout,
                "BODY_TOO_SLOW",
                format!("nothing came for {PAUSE:?}; send the file again"),
            )
        };
        while let Some(frame) = tokio::time::timeout(PAUSE, self.0.frame()).await.map_err(slow)? {
            if let Ok(piece) = frame.map_err(|_| broke_off())?.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

pub(super) fn broke_off() -> Failure {
    Failure::new(Kind::Malformed, "UNREADABLE_BODY", "the file broke off; send it again")
}

#[cfg(test)]
mod tests {
    use axum::http::header;

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
