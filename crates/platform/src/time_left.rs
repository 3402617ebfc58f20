//! How long somebody still waits for an answer: told with a request by the gateway and by siblings, and passed on to
//! whoever is asked on the way. What nobody waits for any more is given up.
//!
//! Whoever reaches a service is believed: less time harms nobody but the sender, and more than a request may take is not
//! given.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use tokio::time::{Instant, error::Elapsed, timeout_at};

/// In whole milliseconds.
pub const TIME_LEFT: HeaderName = HeaderName::from_static("x-time-left-ms");

tokio::task_local! {
    /// Of the request that runs here: nobody has to hand it through to a call of another service.
    static UNTIL: Instant;
}

/// What is left by the word of a request, and no more than `longest`; what cannot be read is not said.
pub(crate) fn told(headers: &HeaderMap, longest: Duration) -> Duration {
    let said = headers.get(&TIME_LEFT).and_then(|value| value.to_str().ok()?.parse().ok());
    said.map_or(longest, |left| Duration::from_millis(left).min(longest))
}

/// Runs work that is given up after so long; its calls of other services end then, too.
pub(crate) async fn within<T>(left: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    let until = Instant::now() + left;
    UNTIL.scope(until, timeout_at(until, work)).await
}

/// Of the request that runs here; nothing beside requests.
pub(crate) fn left() -> Option<Duration> {
    UNTIL.try_with(|until| until.saturating_duration_since(Instant::now())).ok()
}

/// How long a part of the present work may take: as long as it ever may, or as is left.
pub(crate) fn at_most(longest: Duration) -> Duration {
    left().map_or(longest, |left| left.min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_time_is_believed_and_more_is_not_given() {
        let longest = Duration::from_secs(15);
        let told = |text: &'static str| {
            let headers = [(TIME_LEFT, text.parse().unwrap())].into_iter().collect();
            told(&headers, longest).as_millis()
        };
        assert_eq!(
            ["0", "40", "15000", "15001", "18446744073709551615"].map(told),
            [0, 40, 15_000, 15_000, 15_000]
        );
        for unreadable in ["", "-1", "1.5", "soon", "18446744073709551616"] {
            assert_eq!(told(unreadable), 15_000, "{unreadable}");
        }
        assert_eq!(super::told(&HeaderMap::new(), longest), longest);
    }

    #[tokio::test]
    async fn a_part_of_the_work_has_what_is_left_of_the_whole() {
        let (whole, part) = (Duration::from_secs(60), Duration::from_secs(50));
        assert_eq!(at_most(part), part, "nobody said when it ends");
        let seen = within(whole, async { (at_most(part), at_most(whole * 2)) }).await.unwrap();
        assert!(seen.0 == part && seen.1 > part && seen.1 <= whole, "{seen:?}");
        assert!(within(Duration::ZERO, std::future::pending::<()>()).await.is_err());
    }
}
