//! How long a copy may be shown, as its service says: while it is fresh (RFC 9111), and when it is stale (RFC 5861).

use std::time::Duration;

use hyper::{HeaderMap, header};

use super::{says, words};

/// Longer nothing is kept, whatever its service says.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How long a copy may be shown, from when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) fresh: Duration,
    /// So much longer, while its service is asked again.
    pub(super) while_renewed: Duration,
    /// So much longer, if its service cannot answer.
    pub(super) if_error: Duration,
}

impl Life {
    /// Nothing where its service does not let those who stand between keep it.
    pub(super) fn promised(headers: &HeaderMap) -> Option<Self> {
        // Most answers promise nothing; the words of this header are looked through several times below.
        if !headers.contains_key(header::CACHE_CONTROL) {
            return None;
        }
        let number = |name: &str| {
            words(headers, &header::CACHE_CONTROL).find_map(|directive| {
                directive.strip_prefix(name)?.strip_prefix('=')?.trim_matches('"').parse().ok()
            })
        };
        let says = |word: &&str| says(headers, word);
        let shared = number("s-maxage");
        if ["no-store", "private", "no-cache"].iter().any(says) || (shared.is_none() && !says(&"public")) {
            return None;
        }
        let seconds = shared.or_else(|| number("max-age")).filter(|seconds| *seconds > 0)?;
        let fresh = Duration::from_secs(seconds).min(LONGEST);
        let never_stale = ["must-revalidate", "proxy-revalidate"].iter().any(says);
        let longer = |name| {
            let said = number(name).filter(|_| !never_stale).map(Duration::from_secs);
            said.unwrap_or_default().min(LONGEST.saturating_sub(fresh))
        };
        Some(Self {
            fresh,
            while_renewed: longer("stale-while-revalidate"),
            if_error: longer("stale-if-error"),
        })
    }

    pub(super) fn whole(self) -> Duration {
        self.fresh + self.while_renewed.max(self.if_error)
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn how_long_a_copy_lives_is_as_its_service_says() {
        let life = |said: &'static str| {
            let headers = [(header::CACHE_CONTROL, HeaderValue::from_static(said))].into_iter().collect();
            Life::promised(&headers)
                .map(|life| [life.fresh, life.while_renewed, life.if_error].map(|time| time.as_secs()))
        };
        for (said, expected) in [
            ("public, max-age=60", Some([60, 0, 0])),
            ("public, max-age=60, stale-while-revalidate=30, stale-if-error=600", Some([60, 30, 600])),
            ("s-maxage=5, max-age=60, stale-if-error=\"9\"", Some([5, 0, 9])),
            ("public, max-age=60, stale-while-revalidate=30, must-revalidate", Some([60, 0, 0])),
            ("public, max-age=60, stale-if-error=30, proxy-revalidate", Some([60, 0, 0])),
            ("public, max-age=86000, stale-while-revalidate=99999999999", Some([86000, 400, 0])),
            ("public, stale-if-error=600", None),
            ("public, max-age=0, stale-while-revalidate=30", None),
            ("private, max-age=60, stale-while-revalidate=30", None),
        ] {
            assert_eq!(life(said), expected, "{said}");
        }
    }
}
