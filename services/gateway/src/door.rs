//! Reading a request strictly: what two readers could understand differently is understood by nobody.

use axum::body::Body;
use hyper::{
    HeaderMap, Request, Version,
    header::{self, HeaderValue},
    http::uri::Authority,
};
use percent_encoding::percent_decode_str;
use quenty_kernel::{Failure, Kind};

/// Lets a request in, or says what is wrong with its first lines.
///
/// # Errors
/// 400 without a single valid `Host` (RFC 9112, 3.2), or with a header that must not be repeated.
pub(crate) fn check(request: &Request<Body>) -> Result<(), Failure> {
    let refused = |detail: &str| Err(Failure::new(Kind::Malformed, "MALFORMED_REQUEST", detail));
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return refused("the request names two hosts; send one Host header"),
        (None, None) if request.version() == Version::HTTP_11 => {
            return refused("HTTP/1.1 needs a Host header");
        }
        (Some(host), None) if !is_host(host) => return refused("the Host header names no host"),
        _ => {}
    }
    for once in [header::AUTHORIZATION, header::CONTENT_TYPE] {
        if request.headers().get_all(&once).iter().nth(1).is_some() {
            return Err(Failure::new(
                Kind::Malformed,
                "MALFORMED_REQUEST",
                format!("the header {once} stands twice; send it once"),
            ));
        }
    }
    Ok(())
}

fn is_host(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|text| {
        text.parse::<Authority>().is_ok_and(|host| !text.contains('@') && !host.host().is_empty())
    })
}

/// Whether a path goes somewhere by itself: a segment that is `.` or `..` once it is decoded, also between slashes that
/// are themselves encoded, turned round, or followed by `;`. No client that means well sends it: nothing is routed there.
pub(crate) fn climbs(path: &str) -> bool {
    if !path.contains('%') && !path.contains("/.") && !path.contains('\\') {
        return false;
    }
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        matches!(name, b"." | b"..")
    })
}

/// Whether the length of a body was told by its pieces. hyper reads those and forgets a `Content-Length` beside them, so
/// the connection ends with the answer (RFC 9112, 6.1): what follows on it may have been meant as part of the body.
pub(crate) fn is_chunked(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_climbs_is_seen_through_its_disguises() {
        for path in [
            "/api/../internal",
            "/api/./x",
            "/..",
            "/%2e%2e/internal",
            "/api/%2E%2e/internal",
            "/api/.%2e/x",
            "/api/x%2f..%2finternal",
            "/api/x%5c..%5cinternal",
            "/api\\..\\internal",
            "/api/..;/internal",
        ] {
            assert!(climbs(path), "{path}");
        }
        for path in [
            "/api/v1/orders/1",
            "/api/v1/by-reference/a.b",
            "/.well-known/jwks.json",
            "/api/v1/x/PO%2F1",
            "/api/v1/x/...",
        ] {
            assert!(!climbs(path), "{path}");
        }
    }

    #[test]
    fn one_host_and_one_token() {
        let request = |headers: &[(&str, &str)]| {
            let mut request = Request::get("/").body(Body::empty()).unwrap();
            for (name, value) in headers {
                let name: header::HeaderName = name.parse().unwrap();
                request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
            }
            check(&request)
        };
        assert!(request(&[("host", "quenty.example:8000")]).is_ok());
        assert!(request(&[("host", "[::1]:8000")]).is_ok());
        for bad in [
            &[][..],
            &[("host", "a"), ("host", "a")],
            &[("host", "")],
            &[("host", "a/b")],
            &[("host", "user@a")],
            &[("host", "a"), ("authorization", "Bearer x"), ("authorization", "Bearer y")],
            &[("host", "a"), ("content-type", "text/csv"), ("content-type", "application/json")],
        ] {
            assert_eq!(request(bad).unwrap_err().code, "MALFORMED_REQUEST", "{bad:?}");
        }
    }
}
