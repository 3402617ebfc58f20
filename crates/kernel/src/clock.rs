//! The business clock: it decides windows, deadlines, promises and due dates, and only it can be
//! simulated (design/architecture.md, "Time"). Tokens, leases and back-off use the wall clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// A shared business clock; clones tell the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

/// `simulated` holds this once the clock has caught up with the present.
const CAUGHT_UP: i64 = i64::MAX;

impl Clock {
    /// The wall clock as business clock: every platform but a simulation.
    #[must_use]
    pub fn wall() -> Self {
        Self(None)
    }

    /// Stands still at `start` until it is advanced, and is the wall clock once it reaches the present.
    #[must_use]
    pub fn simulated(start: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.as_microsecond()))))
    }

    /// Now, in whole microseconds, which is what PostgreSQL keeps.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self.0.as_ref().map(|at| at.load(Ordering::SeqCst)) {
            None | Some(CAUGHT_UP) => wall_now(),
            Some(at) => Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX),
        }
    }

    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.0.is_some()
    }

    /// Whether time is standing still, waiting for [`Clock::advance_to`].
    #[must_use]
    pub fn stands_still(&self) -> bool {
        self.0.as_ref().is_some_and(|at| at.load(Ordering::SeqCst) != CAUGHT_UP)
    }

    /// Moves a simulated clock forward, never back and never past the present; returns the new time.
    pub fn advance_to(&self, to: Timestamp) -> Timestamp {
        if let Some(at) = &self.0 {
            let next = if to >= wall_now() { CAUGHT_UP } else { to.as_microsecond() };
            at.fetch_max(next, Ordering::SeqCst);
        }
        self.now()
    }
}

/// The wall clock, in whole microseconds. For tokens, leases, back-off, limits and logs only.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
pub fn wall_now() -> Timestamp {
    to_microsecond(Timestamp::now())
}

/// What PostgreSQL keeps of a time: what happened then must fold back to its row.
#[must_use]
pub fn to_microsecond(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_stands_still_until_advanced_and_never_goes_back() {
        let start: Timestamp = "2026-01-05T12:00:00Z".parse().unwrap();
        let clock = Clock::simulated(start);
        assert_eq!(clock.now(), start);
        let later: Timestamp = "2026-01-05T13:00:00Z".parse().unwrap();
        assert_eq!(clock.advance_to(later), later);
        assert_eq!(clock.advance_to(start), later);
    }

    #[test]
    fn it_becomes_the_wall_clock_when_it_reaches_the_present() {
        let clock = Clock::simulated("2026-01-05T12:00:00Z".parse().unwrap());
        let now = clock.advance_to(Timestamp::MAX);
        assert!(now <= wall_now() && !clock.stands_still());
    }
}
