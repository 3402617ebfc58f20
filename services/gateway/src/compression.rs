//! Answers that become much smaller on their way: texts of some size, in the coding that the client likes best.
//!
//! Streams stay as they are, for each piece of them is wanted at once; so do files that are compressed already. An
//! `ETag` stays, too: it names the version of a resource, which an `If-Match` sends back.

use std::io::Write;

use axum::body::{Body, Bytes};
use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    body::Body as _,
    header::{self, HeaderValue},
};
use quenty_kernel::Failure;
use ruzstd::encoding::CompressionLevel;

use crate::upstream::broken_off;

/// Below it the gain is not worth the work; what is above is a file.
const SIZES: std::ops::RangeInclusive<u64> = 1024..=1 << 20;
/// Nearly as small as the best, at a fraction of the time.
const BROTLI_QUALITY: i32 = 4;
/// Beyond that a worker would be held up too long: other threads do it.
const AT_ONCE: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Brotli,
    Zstandard,
    Gzip,
}

impl Coding {
    /// In the order of how small they make things.
    pub(crate) const ALL: [Self; 3] = [Self::Brotli, Self::Zstandard, Self::Gzip];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstandard => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// What a client likes best of what we can (RFC 9110, 12.5.3); `None` is as it is.
    pub(crate) fn wanted(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get_all(header::ACCEPT_ENCODING);
        let listed: Vec<(&str, f32)> = accepted
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|item| {
                let (name, weight) = item.split_once(';').unwrap_or((item, ""));
                let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), |q| q.trim().parse());
                (name.trim(), weight.unwrap_or(0.0))
            })
            .collect();
        let weight = |coding: Self| {
            let of = |wanted: &str| listed.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            of(coding.name()).or_else(|| of("*")).map_or(0.0, |(_, weight)| *weight)
        };
        // The first of those that are liked as much: `max_by` alone would take the last.
        let best = Self::ALL.into_iter().rev().max_by(|one, two| weight(*one).total_cmp(&weight(*two)));
        best.filter(|coding| weight(*coding) > 0.0)
    }

    fn apply(self, body: &[u8]) -> Option<Vec<u8>> {
        let mut smaller = Vec::with_capacity(body.len() / 4);
        match self {
            Self::Brotli => {
                let parameters =
                    brotli::enc::BrotliEncoderParams { quality: BROTLI_QUALITY, ..Default::default() };
                brotli::BrotliCompress(&mut &*body, &mut smaller, &parameters).ok()?;
            }
            Self::Zstandard => smaller = ruzstd::encoding::compress_to_vec(body, CompressionLevel::Fastest),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(smaller, Compression::fast());
                encoder.write_all(body).ok()?;
                smaller = encoder.finish().ok()?;
            }
        }
        Some(smaller)
    }
}

/// The answer in the wanted coding, if it is one that gains by it.
///
/// # Errors
/// 502 when its service breaks off after the head: the client gets none of it rather than half.
pub(crate) async fn apply(
    wanted: Option<Coding>,
    method: &Method,
    mut response: Response<Body>,
) -> Result<Response<Body>, Failure> {
    if !is_suitable(&response) {
        return Ok(response);
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let Some(coding) = wanted else { return Ok(response) };
    let (mut parts, body) = response.into_parts();
    // Its size is known: it is here already, or about to be.
    let body = body.collect().await.map_err(|_| broken_off(method))?.to_bytes();
    Ok(match compressed(coding, body.clone()).await.filter(|smaller| smaller.len() < body.len()) {
        Some(smaller) => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(smaller))
        }
        None => Response::from_parts(parts, Body::from(body)),
    })
}

pub(crate) async fn compressed(coding: Coding, body: Bytes) -> Option<Vec<u8>> {
    if body.len() <= AT_ONCE {
        return coding.apply(&body);
    }
    tokio::task::spawn_blocking(move || coding.apply(&body)).await.ok().flatten()
}

fn is_suitable(response: &Response<Body>) -> bool {
    let headers = response.headers();
    let has = |name, word: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(word))
    };
    response.body().size_hint().exact().is_some_and(|size| SIZES.contains(&size))
        && response.status() != StatusCode::PARTIAL_CONTENT
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !has(header::CACHE_CONTROL, "no-transform")
        // Secrets beside what an attacker chose could be told from the size of both together (BREACH).
        && !has(header::CACHE_CONTROL, "no-store")
        && headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_text)
}

fn is_text(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim();
    (essence.starts_with("text/") && essence != "text/event-stream")
        || matches!(
            essence,
            "application/json" | "application/javascript" | "application/xml" | "image/svg+xml"
        )
        || (essence.starts_with("application/") && (essence.ends_with("+json") || essence.ends_with("+xml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accepted: &str) -> Option<&'static str> {
        let headers =
            HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_str(accepted).unwrap())]);
        Coding::wanted(&headers).map(Coding::name)
    }

    #[test]
    fn the_client_says_which_coding_it_likes_best() {
        assert_eq!(wanted("gzip, deflate, br, zstd"), Some("br"));
        assert_eq!(wanted("gzip;q=1.0, br;q=0.5"), Some("gzip"));
        assert_eq!(wanted("zstd, gzip"), Some("zstd"));
        assert_eq!(wanted("GZIP"), Some("gzip"));
        assert_eq!(wanted("*"), Some("br"));
        assert_eq!(wanted("*, br;q=0"), Some("zstd"));
        for none in ["", "identity", "deflate", "br;q=0", "br;q=x"] {
            assert_eq!(wanted(none), None, "{none}");
        }
        assert_eq!(Coding::wanted(&HeaderMap::new()), None);
    }
}
