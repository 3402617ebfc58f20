//! Waiting on conditions instead of sleeping.

use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(15);

/// Waits until the probe gives a value; panics after half a minute.
#[track_caller]
pub fn eventually<T, Fut: Future<Output = Option<T>>>(
    what: &str,
    probe: impl FnMut() -> Fut,
) -> impl Future<Output = T> {
    eventually_within(DEADLINE, what, probe)
}

/// As [`eventually`], where half a minute is not enough.
#[track_caller]
pub fn eventually_within<T, Fut: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut probe: impl FnMut() -> Fut,
) -> impl Future<Output = T> {
    let what = what.to_owned();
    async move {
        let started = Instant::now();
        loop {
            if let Some(value) = probe().await {
                return value;
            }
            assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
            tokio::time::sleep(POLL).await;
        }
    }
}
