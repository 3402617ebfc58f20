//! How long a try may take, and how fast failed reactions and tasks are tried again: eight tries within about an hour by
//! default.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use rand::Rng;

use crate::{
    Error, Result,
    settings::{Settings, SettingsError},
};

/// Tries before a reaction or a task is dead.
pub(crate) const MAX_ATTEMPTS: i32 = 8;
/// No pause is longer than so many first pauses.
const LONGEST: u32 = 1200;
const JITTER: f64 = 0.2;
/// Far more than a lease lasts and clocks differ.
const AHEAD_MIN: Duration = Duration::from_secs(600);

/// Wall-clock pauses: each is four times as long as the one before it, up to twenty minutes by default.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    first: Duration,
    pub(crate) longest_try: Duration,
}

impl Pace {
    pub(crate) fn of(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            first: Duration::from_millis(settings.parse("retry_pause_ms")?),
            longest_try: Duration::from_millis(settings.parse("task_timeout_ms")?),
        })
    }

    /// One try of a task, or run of a job. A panic would end its worker for all others, and so would a wait without end,
    /// as for a database whose host is gone without a word: here it is one try that failed.
    pub(crate) async fn one_try(self, work: impl Future<Output = Result<()>>) -> Result<()> {
        let limit = self.longest_try;
        match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
            Ok(outcome) => outcome.unwrap_or_else(|_| Err(Error::internal("it panicked"))),
            Err(_) => Err(Error::internal(format!("it took longer than {limit:?}"))),
        }
    }

    /// The pause after so many failed tries, with jitter, so that those who failed together do not return together.
    pub(crate) fn after(self, attempts: i32) -> Duration {
        self.full(attempts).mul_f64(rand::rng().random_range(1.0 - JITTER..1.0 + JITTER))
    }

    /// Nothing is put off or leased for longer. What lies further ahead was written by a clock that was wrong, and is not
    /// waited for.
    pub(crate) fn farthest(self) -> Duration {
        self.first.saturating_mul(LONGEST).mul_f64(1.0 + JITTER).max(AHEAD_MIN)
    }

    /// How often to look for what is due; no pause between two tries is shorter.
    pub(crate) fn poll(self, longest: Duration) -> Duration {
        self.first.clamp(Duration::from_millis(5), longest)
    }

    fn full(self, attempts: i32) -> Duration {
        let exponent = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
        self.first.saturating_mul(4_u32.saturating_pow(exponent).min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(first: Duration) -> Pace {
        Pace { first, longest_try: Duration::from_millis(20) }
    }

    #[test]
    fn eight_tries_take_about_three_quarters_of_an_hour() {
        let pace = pace(Duration::from_secs(1));
        let pauses: Vec<u64> = (1..MAX_ATTEMPTS).map(|attempts| pace.full(attempts).as_secs()).collect();
        assert_eq!(pauses, [1, 4, 16, 64, 256, 1024, 1200]);
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        let pace = pace(Duration::from_secs(10));
        for _ in 0..1000 {
            assert!((Duration::from_secs(8)..=Duration::from_secs(12)).contains(&pace.after(1)));
        }
    }

    async fn panics() -> Result<()> {
        panic!("a bug")
    }

    #[tokio::test]
    async fn a_try_that_panics_or_never_ends_has_failed() {
        let pace = pace(Duration::from_secs(1));
        assert!(pace.one_try(async { Ok(()) }).await.is_ok());
        assert_eq!(pace.one_try(panics()).await.unwrap_err().to_string(), "it panicked");
        let endless = pace.one_try(std::future::pending()).await;
        assert_eq!(endless.unwrap_err().to_string(), "it took longer than 20ms");
    }
}
