//! Where files are kept that people send: photos, documents. Under a key that the service chooses, in a folder
//! of this machine or in an object store.
//!
//! A file is never held whole, and never seen before it is whole. Who may see it is the service's matter.

mod folder;
mod image;
mod key;
mod s3;

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use quenty_kernel::{Failure, Kind};
use quenty_platform::{
    Error, Result,
    settings::{Setting, Settings},
};
use sha2::{Digest, Sha256};
use url::Url;

pub use image::ImageKind;

/// A service that keeps files has these among its own.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        "files_url",
        "where files are kept: `file:///folder`, or `s3://bucket/prefix` for replicas on several machines",
    ),
    Setting::new("files_region", "the bucket's region").default("us-east-1"),
    Setting::new("files_endpoint_url", "an object store that speaks S3; without it, Amazon's"),
    Setting::new("files_access_key_id", "who writes to the bucket"),
    Setting::new("files_secret_access_key", "the secret of who writes to the bucket").secret(),
];

/// As much of a file as is held at once. An object store takes no smaller parts, but for the last.
const PART_BYTES: usize = 5 << 20;
/// How long a piece of a kept file may take.
const PAUSE: Duration = Duration::from_secs(30);

/// The place for files that the settings chose; a part of the service.
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    folder: Option<folder::Folder>,
}

/// What was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub bytes: u64,
    pub sha256: [u8; 32],
}

/// A kept file on its way out.
pub struct Content {
    pub bytes: u64,
    pub pieces: BoxStream<'static, Result<Bytes>>,
}

impl Files {
    /// # Errors
    /// When they name no place, or one that cannot be used.
    pub fn from_settings(settings: &Settings) -> Result<Self> {
        let url: Url = settings.parse("files_url").map_err(Error::internal)?;
        match url.scheme() {
            "file" => folder::Folder::open(&url)
                .map(|folder| Self { store: folder.store(), folder: Some(folder) })
                .map_err(|why| Error::internal(format!("QUENTY_FILES_URL: {why}"))),
            "s3" => Ok(Self { store: s3::bucket(&url, settings)?, folder: None }),
            other => Err(Error::internal(format!(
                "QUENTY_FILES_URL: {other}: is no place for files; file: and s3: are"
            ))),
        }
    }

    /// Keeps a file under a key of letters, digits, `-`, `_`, `.` and `/`; it replaces what is there.
    /// If it breaks off, nothing of it is seen.
    ///
    /// # Errors
    /// Those of the stream, as they are; 503 when the place cannot be reached or written.
    pub async fn put(&self, key: &str, pieces: impl Stream<Item = Result<Bytes>> + Send) -> Result<Stored> {
        let path = key::path(key)?;
        if let Some(folder) = &self.folder {
            folder.make_way(&path).await.map_err(|e| unavailable(&e))?;
        }
        let mut parts = Parts::new(pieces);
        let first = parts.next().await?;
        if first.content_length() < PART_BYTES {
            self.store.put(&path, first).await.map_err(|e| unavailable(&e))?;
        } else {
            let mut upload = self.store.put_multipart(&path).await.map_err(|e| unavailable(&e))?;
            if let Err(error) = send(upload.as_mut(), first, &mut parts).await {
                if let Err(left) = upload.abort().await {
                    tracing::warn!(error = %left, "parts of a file that broke off may remain");
                }
                return Err(error);
            }
        }
        if let Some(folder) = &self.folder {
            folder.close_to_others(&path).await.map_err(|e| unavailable(&e))?;
        }
        Ok(parts.stored())
    }

    /// # Errors
    /// 503 when the place cannot be reached or read.
    pub async fn get(&self, key: &str) -> Result<Option<Content>> {
        match self.store.get(&key::path(key)?).await {
            Ok(found) => {
                let bytes = found.meta.size;
                Ok(Some(Content {
                    bytes,
                    pieces: stream::try_unfold(found.into_stream(), next_piece).boxed(),
                }))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Removes a file; what is not there is removed already.
    ///
    /// # Errors
    /// 503 when the place cannot be reached or written.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&key::path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

async fn send<S>(upload: &mut dyn MultipartUpload, first: PutPayload, parts: &mut Parts<S>) -> Result<()>
where
    S: Stream<Item = Result<Bytes>> + Send,
{
    let mut part = first;
    loop {
        let is_last = part.content_length() < PART_BYTES;
        upload.put_part(part).await.map_err(|e| unavailable(&e))?;
        if is_last {
            break;
        }
        part = parts.next().await?;
    }
    upload.complete().await.map(drop).map_err(|e| unavailable(&e))
}

type Found = BoxStream<'static, object_store::Result<Bytes>>;

async fn next_piece(mut found: Found) -> Result<Option<(Bytes, Found)>> {
    let piece = tokio::time::timeout(PAUSE, found.try_next()).await.map_err(|e| unavailable(&e))?;
    Ok(piece.map_err(|e| unavailable(&e))?.map(|piece| (piece, found)))
}

/// The pieces of a stream, gathered to parts of one size.
struct Parts<S> {
    pieces: Pin<Box<S>>,
    /// What has come and belongs to the next part.
    rest: Bytes,
    hash: Sha256,
    bytes: u64,
}

impl<S: Stream<Item = Result<Bytes>> + Send> Parts<S> {
    fn new(pieces: S) -> Self {
        Self { pieces: Box::pin(pieces), rest: Bytes::new(), hash: Sha256::new(), bytes: 0 }
    }

    /// The next part; a shorter one is the last.
    async fn next(&mut self) -> Result<PutPayload> {
        let (mut part, mut bytes) = (Vec::new(), 0);
        while bytes < PART_BYTES {
            if self.rest.is_empty() {
                let Some(piece) = self.pieces.try_next().await? else { break };
                self.hash.update(&piece);
                self.bytes += piece.len() as u64;
                self.rest = piece;
            }
            let taken = self.rest.split_to(self.rest.len().min(PART_BYTES - bytes));
            bytes += taken.len();
            part.push(taken);
        }
        Ok(part.into_iter().collect())
    }

    fn stored(self) -> Stored {
        Stored { bytes: self.bytes, sha256: self.hash.finalize().into() }
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> Error {
    tracing::error!(%error, "files cannot be kept or read");
    Failure::new(Kind::Unavailable, "FILES_UNAVAILABLE", "files cannot be kept or read now; try again")
        .retry_after(5)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(url: Option<&str>) -> Result<Files> {
        let settings = Settings::load(&[SETTINGS], None, std::iter::empty()).unwrap();
        Files::from_settings(&url.iter().fold(settings, |settings, url| settings.with("files_url", *url)))
    }

    fn code(refused: Result<impl Sized>) -> String {
        refused.map(drop).expect_err("refused").to_failure().code.to_owned()
    }

    #[test]
    fn a_place_that_cannot_be_used_is_told_by_its_setting() {
        for url in
            [None, Some("photos"), Some("/photos"), Some("ftp://host/photos"), Some("file://host/photos")]
        {
            let why = opened(url).map(drop).expect_err("refused").to_string();
            assert!(why.contains("QUENTY_FILES_URL"), "{url:?}: {why}");
        }
    }

    #[tokio::test]
    async fn the_sender_s_error_is_told_as_it_is_and_the_place_s_own_as_unavailable() {
        let folder = tempfile::tempdir().unwrap();
        let files = opened(Some(&format!("file://{}", folder.path().display()))).unwrap();
        let large = Bytes::from(vec![1; PART_BYTES + 1]);
        for first in [Bytes::new(), large] {
            let sender = Failure::new(Kind::Timeout, "BODY_TOO_SLOW", "nothing came");
            let pieces = stream::iter([Ok(first), Err(sender.into())]);
            assert_eq!(code(files.put("a", pieces).await), "BODY_TOO_SLOW");
            assert!(files.get("a").await.unwrap().is_none());
        }
        let pieces = || stream::iter([Ok(Bytes::from_static(b"x"))]);
        files.put("a", pieces()).await.unwrap();
        assert_eq!(code(files.put("a/b", pieces()).await), "FILES_UNAVAILABLE");
        assert_eq!(code(files.get("a/b").await), "FILES_UNAVAILABLE");
    }
}
