//! Waiting on conditions, for as long as a broker may take to come back on a busy machine.

use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(20);

/// Waits until the probe holds; says what it last saw if it never does.
pub async fn until<T: std::fmt::Debug, Fut: Future<Output = T>>(
    what: &str,
    mut probe: impl FnMut() -> Fut,
    holds: impl Fn(&T) -> bool,
) -> T {
    let started = Instant::now();
    loop {
        let seen = probe().await;
        if holds(&seen) {
            return seen;
        }
        assert!(started.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}; last seen: {seen:?}");
        tokio::time::sleep(POLL).await;
    }
}
