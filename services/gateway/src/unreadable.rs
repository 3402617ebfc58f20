//! A request that cannot be read is answered by hyper itself, with nothing but a status. On its way out that answer
//! becomes a problem document, like every other failure.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::body::{Buf, Bytes};
use quenty_kernel::{Failure, Kind, id::new_uuid};
use quenty_platform::http::{REQUEST_ID, problem::Problem};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Status line, connection, content-length, date.
const LONGEST_ANSWER: usize = 256;

/// A connection to a client.
pub(crate) struct Telling<S> {
    stream: S,
    /// What is being sent in the place of hyper's answer.
    instead: Option<Bytes>,
}

impl<S> Telling<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, instead: None }
    }
}

/// The problem document of an answer that hyper gave by itself: ours all carry a request id.
fn instead_of(written: &[u8]) -> Option<Bytes> {
    let text = std::str::from_utf8(written.get(..written.len().min(LONGEST_ANSWER))?).ok()?;
    let is_bare = written.len() <= LONGEST_ANSWER
        && text.ends_with("\r\n\r\n")
        && text.contains("\r\ncontent-length: 0\r\n")
        && !text.contains(REQUEST_ID.as_str());
    let status = text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "))?.get(..3)?;
    let (title, code, detail) = match status {
        "400" => (
            "Malformed request",
            "MALFORMED_REQUEST",
            "this is no HTTP/1.1 request; check its first line and headers",
        ),
        "414" => (
            "URI too long",
            "URI_TOO_LONG",
            "the request's target is too long; send what is long in the body",
        ),
        "431" => {
            ("Header fields too large", "HEADERS_TOO_LARGE", "the request's headers are too many or too long")
        }
        _ => return None,
    };
    if !is_bare {
        return None;
    }
    let problem = Problem {
        title: title.to_owned(),
        status: status.parse().ok()?,
        ..Problem::from(&Failure::new(Kind::Malformed, code, detail))
    };
    let body = serde_json::to_string(&problem).ok()?;
    let (length, id) = (body.len(), new_uuid());
    Some(Bytes::from(format!(
        "HTTP/1.1 {status} {title}\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: {length}\r\n{REQUEST_ID}: {id}\r\n\r\n{body}"
    )))
}

impl<S: AsyncRead + Unpin> AsyncRead for Telling<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Telling<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.instead.is_none() {
            this.instead = instead_of(buf);
        }
        let Some(instead) = &mut this.instead else { return Pin::new(&mut this.stream).poll_write(cx, buf) };
        while instead.has_remaining() {
            let written = ready!(Pin::new(&mut this.stream).poll_write(cx, instead.chunk()))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            instead.advance(written);
        }
        this.instead = None;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match bufs {
            [only] => self.poll_write(cx, only),
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
