//! A form with one file (RFC 7578), piece by piece.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};
use futures_util::{Stream, StreamExt, stream};
use multer::{Field, Multipart};
use quenty_kernel::{Failure, FieldError, Kind};

use super::{
    extract::{step, unfit},
    upload::{Paced, broke_off},
};
use crate::Result;

/// What a form may have around its file: boundaries and the field's headers.
pub(super) const AROUND: u64 = 16 << 10;

pub(super) struct Form {
    form: Multipart<'static>,
    name: &'static str,
    file: Option<Field<'static>>,
    in_file: Arc<AtomicBool>,
}

impl Form {
    pub(super) fn new(headers: &HeaderMap, body: Paced, name: &'static str) -> Result<Self, Failure> {
        let kind =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind).map_err(|error| match error {
            multer::Error::NoBoundary => malformed(&error),
            _ => Failure::new(
                Kind::UnsupportedMediaType,
                "UNSUPPORTED_MEDIA_TYPE",
                format!("send multipart/form-data, with the file in its field `{name}`"),
            ),
        })?;
        let in_file = Arc::default();
        let form = Multipart::new(frames(body, Arc::clone(&in_file)), boundary);
        Ok(Self { form, name, file: None, in_file })
    }

    /// Reads up to the file.
    pub(super) async fn open(&mut self) -> Result<(), Failure> {
        let missing = format!("the form has no field `{}`, which is the file", self.name);
        let field = self.form.next_field().await.map_err(failure)?;
        let field = field.ok_or_else(|| wrong_field(self.name, "INVALID_FIELD", missing))?;
        if field.name() != Some(self.name) {
            return Err(unknown(&field));
        }
        self.file = Some(field);
        self.in_file.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The next piece of the file; `None` after the last, when the form has ended with it.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(file) = &mut self.file else { return Ok(None) };
        // The end of the file comes with an empty piece when its last bytes came before.
        while let Some(piece) = file.next().await {
            let piece = piece.map_err(failure)?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        self.file = None;
        self.in_file.store(false, Ordering::Relaxed);
        match self.form.next_field().await.map_err(failure)? {
            Some(field) => Err(unknown(&field)),
            None => Ok(None),
        }
    }
}

/// The body for multer, which reads on as long as something is there and keeps it all: between two frames it has
/// to come back to what it has, and outside the file it gets no more than a form needs.
fn frames(
    body: Paced,
    in_file: Arc<AtomicBool>,
) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
    stream::try_unfold((body, in_file, 0, 0), async |(mut body, in_file, around, last)| {
        tokio::task::yield_now().await;
        let is_around = !in_file.load(Ordering::Relaxed);
        // Without the last frame: multer may ask for one more before it finds the file in it.
        if is_around && around > AROUND {
            let detail = format!("a form may have {AROUND} bytes beside its file");
            return Err(Failure::new(Kind::TooLarge, "BODY_TOO_LARGE", detail));
        }
        let Some(frame) = body.piece().await? else { return Ok(None) };
        let (around, last) = if is_around { (around + last, frame.len() as u64) } else { (0, 0) };
        Ok(Some((frame, (body, in_file, around, last))))
    })
}

fn unknown(field: &Field<'_>) -> Failure {
    let detail = "this operation has no such field".to_owned();
    wrong_field(field.name().unwrap_or_default(), "UNKNOWN_FIELD", detail)
}

fn wrong_field(name: &str, code: &'static str, detail: String) -> Failure {
    unfit(vec![FieldError { pointer: step(name), code, detail }])
}

fn failure(error: multer::Error) -> Failure {
    match error {
        multer::Error::StreamReadFailed(cause) => {
            cause.downcast::<Failure>().map_or_else(|_| broke_off(), |failure| *failure)
        }
        multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteStream
        | multer::Error::IncompleteHeaders => broke_off(),
        other => malformed(&other),
    }
}

fn malformed(why: &multer::Error) -> Failure {
    Failure::new(Kind::Malformed, "MALFORMED_FORM", format!("the body is no form: {why}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use axum::body::Body;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::http::Upload;

    const LIMIT: u64 = 1 << 20;
    const HEAD: &str = "--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a\"\r\n\r\n";
    const END: &str = "\r\n--x--\r\n";
    /// Holds what looks like the end of the file.
    const FILE: &str = "\r\n--y\r\n--\r\r\n--x";

    fn form(file: &str) -> String {
        format!("{HEAD}{file}\r\n{END}")
    }

    async fn open(body: impl Into<Body>) -> Result<Upload> {
        let kind = http::HeaderValue::from_static("multipart/form-data; boundary=x");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        Upload::of_form(&headers, body.into(), "photo", LIMIT).await
    }

    fn in_frames(body: &str, bytes: usize) -> Body {
        let frames: Vec<_> = body.as_bytes().chunks(bytes).map(Bytes::copy_from_slice).collect();
        Body::from_stream(stream::iter(frames.into_iter().map(Ok::<_, Failure>)))
    }

    async fn read(body: impl Into<Body>) -> Result<(Vec<u8>, [u8; 32])> {
        let mut upload = open(body).await?;
        let mut file = Vec::new();
        while let Some(piece) = upload.piece().await? {
            file.extend_from_slice(&piece);
        }
        Ok((file, upload.digest()))
    }

    fn code(refused: Result<impl Sized>) -> (u16, &'static str) {
        let failure = refused.map(drop).expect_err("refused").to_failure();
        (failure.kind.status(), failure.errors.first().map_or(failure.code, |field| field.code))
    }

    #[tokio::test]
    async fn a_file_is_the_same_however_its_form_is_cut() {
        let file = FILE.replace("--x", "--z");
        for bytes in 1..=HEAD.len() + file.len() {
            let read = read(in_frames(&form(&file), bytes)).await.unwrap();
            let expected = format!("{file}\r\n").into_bytes();
            assert_eq!(read, (expected.clone(), Sha256::digest(expected).into()), "{bytes}");
        }
        assert_eq!(read(format!("{HEAD}{END}")).await.unwrap().0, b"");
    }

    #[tokio::test]
    async fn a_form_that_breaks_off_anywhere_is_no_file() {
        let whole = form("a picture");
        let end = whole.len() - "\r\n".len();
        for bytes in 0..end {
            assert_eq!(code(read(whole[..bytes].to_owned()).await).0, 400, "{:?}", &whole[..bytes]);
        }
        read(whole[..end].to_owned()).await.unwrap();
        let broken = stream::iter([Ok(Bytes::from_static(HEAD.as_bytes())), Err(broke_off())]);
        assert_eq!(code(read(Body::from_stream(broken)).await), (400, "UNREADABLE_BODY"));
    }

    #[tokio::test]
    async fn a_form_with_anything_but_the_file_is_refused() {
        let other = HEAD.replace("photo", "note");
        for (body, expected) in [
            (format!("{other}{END}"), "UNKNOWN_FIELD"),
            (format!("{HEAD}a\r\n{other}b{END}"), "UNKNOWN_FIELD"),
            (format!("{HEAD}a\r\n{HEAD}b{END}"), "UNKNOWN_FIELD"),
            ("--x--\r\n".to_owned(), "INVALID_FIELD"),
        ] {
            assert_eq!(code(read(body.clone()).await), (422, expected), "{body}");
        }
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused_before_it_is_read() {
        for (kind, expected) in [
            ("application/json", (415, "UNSUPPORTED_MEDIA_TYPE")),
            ("", (415, "UNSUPPORTED_MEDIA_TYPE")),
            ("multipart/form-data", (400, "MALFORMED_FORM")),
        ] {
            let headers =
                HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(kind))]);
            let body = Body::from_stream(stream::pending::<Result<Bytes, Failure>>());
            assert_eq!(code(Upload::of_form(&headers, body, "photo", LIMIT).await), expected, "{kind}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_is_refused_as_soon_as_that_is_known() {
        let limit = usize::try_from(LIMIT).unwrap();
        let (fits, larger) = ("x".repeat(limit), "x".repeat(limit + 1));
        for bytes in [100, 4096, 300_000, 2 * limit] {
            let body = in_frames(&format!("{HEAD}{fits}{END}"), bytes);
            assert_eq!(read(body).await.unwrap().0.len(), limit, "{bytes}");
        }
        let body = in_frames(&format!("{HEAD}{larger}{END}"), 4096);
        assert_eq!(code(read(body).await), (413, "FILE_TOO_LARGE"));
        let told = larger + &"x".repeat(usize::try_from(AROUND).unwrap());
        assert_eq!(code(open(told).await), (413, "FILE_TOO_LARGE"));
    }

    #[tokio::test]
    async fn a_form_around_its_file_is_bounded() {
        let much = "x".repeat(usize::try_from(2 * AROUND).unwrap());
        for body in [
            much.clone(),
            HEAD.replace("\r\n\r\n", &format!("\r\nx: {much}\r\n\r\n")),
            format!("{HEAD}a\r\n--x\r\nx: {much}"),
        ] {
            assert_eq!(code(read(in_frames(&body, 1024)).await), (413, "BODY_TOO_LARGE"), "{}", &body[..90]);
        }
    }

    #[tokio::test]
    async fn a_form_is_read_no_faster_than_its_file_is_taken() {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let frame = Bytes::from(vec![b'x'; 4096]);
        let frames = stream::iter([Bytes::from_static(HEAD.as_bytes())]).chain(stream::repeat(frame));
        let body = Body::from_stream(frames.map(move |frame| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Failure>(frame)
        }));
        let mut upload = open(body).await.unwrap();
        for pieces in 1..=20 {
            assert!(upload.piece().await.unwrap().is_some());
            let ahead = taken.load(Ordering::Relaxed) - pieces;
            assert!(ahead <= 2, "{ahead} frames are held after {pieces}");
        }
    }

    #[tokio::test]
    async fn what_was_looked_at_is_given_out_all_the_same() {
        let file = "0123456789".repeat(3);
        for bytes in [1, 7, 4096] {
            let mut upload = open(in_frames(&format!("{HEAD}{file}{END}"), bytes)).await.unwrap();
            assert_eq!(upload.head(12).await.unwrap(), &file.as_bytes()[..12]);
            assert_eq!(upload.head(4).await.unwrap(), &file.as_bytes()[..4]);
            let pieces: Vec<_> = upload.pieces().collect().await;
            let read: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.unwrap().to_vec()).collect();
            assert_eq!((read, upload.bytes()), (file.clone().into_bytes(), 30));
        }
        let mut short = open(format!("{HEAD}ab{END}")).await.unwrap();
        assert_eq!(short.head(12).await.unwrap(), b"ab");
        assert_eq!(short.piece().await.unwrap().as_deref(), Some(&b"ab"[..]));
        assert_eq!(short.piece().await.unwrap(), None);
    }
}
