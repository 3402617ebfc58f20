//! How fast failed reactions and tasks are tried again: eight tries within about an hour by default.

use std::time::Duration;

use rand::Rng;

use crate::settings::{Settings, SettingsError};

/// Tries before a reaction or a task is dead.
pub(crate) const MAX_ATTEMPTS: i32 = 8;
/// No pause is longer than so many first pauses.
const LONGEST: u32 = 1200;

/// Wall-clock pauses: each is four times as long as the one before it, up to twenty minutes by default.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    first: Duration,
}

impl Pace {
    pub(crate) fn of(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self { first: Duration::from_millis(settings.parse("retry_pause_ms")?) })
    }

    /// The pause after so many failed tries, with jitter, so that those who failed together do not return together.
    pub(crate) fn after(self, attempts: i32) -> Duration {
        self.full(attempts).mul_f64(rand::rng().random_range(0.8..1.2))
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

    #[test]
    fn eight_tries_take_about_three_quarters_of_an_hour() {
        let pace = Pace { first: Duration::from_secs(1) };
        let pauses: Vec<u64> = (1..MAX_ATTEMPTS).map(|attempts| pace.full(attempts).as_secs()).collect();
        assert_eq!(pauses, [1, 4, 16, 64, 256, 1024, 1200]);
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        let pace = Pace { first: Duration::from_secs(10) };
        for _ in 0..1000 {
            assert!((Duration::from_secs(8)..=Duration::from_secs(12)).contains(&pace.after(1)));
        }
    }
}
