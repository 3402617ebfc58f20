//! The generic cell rate algorithm (ITU-T I.371): one moment for each caller says all. No window begins or ends, so
//! nobody gets twice the quota around its border.

use std::time::Duration;

/// So many requests in a window, all at once if need be; then one more as each part of the window passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    requests: u32,
    window: Duration,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// How many more would be let through now.
    pub(super) left: u32,
    /// When the whole quota is there again.
    pub(super) full_again: Duration,
    /// How long to wait, where the request was refused.
    pub(super) wait: Option<Duration>,
}

impl Quota {
    pub(super) fn new(requests: u32, seconds: u32) -> Self {
        Self { requests, window: Duration::from_secs(seconds.into()) }
    }

    pub(super) const fn requests(&self) -> u32 {
        self.requests
    }

    pub(super) const fn window(&self) -> Duration {
        self.window
    }

    /// Takes `cost` at `now`, where `settled` is the moment at which everything that was taken before has come back
    /// (both since the same beginning); gives the outcome and the new moment.
    pub(super) fn take(&self, settled: Duration, now: Duration, cost: u32) -> (Taken, Duration) {
        let each = self.window / self.requests;
        // More was owed to a quota with a longer window.
        let owed = settled.saturating_sub(now).min(self.window);
        let with_this = owed + each * cost;
        let left = |owed: Duration| {
            let free = self.window.saturating_sub(owed).as_nanos() / each.as_nanos().max(1);
            u32::try_from(free).unwrap_or(u32::MAX)
        };
        if with_this > self.window {
            let wait = Some(with_this - self.window);
            return (Taken { left: left(owed), full_again: owed, wait }, now + owed);
        }
        (Taken { left: left(with_this), full_again: with_this, wait: None }, now + with_this)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(1_000_000 + milliseconds)
    }

    #[test]
    fn the_whole_quota_may_be_taken_at_once_and_comes_back_evenly() {
        let quota = Quota::new(10, 1);
        let mut settled = Duration::ZERO;
        for left in (0..10).rev() {
            let (taken, then) = quota.take(settled, at(0), 1);
            assert_eq!((taken.left, taken.wait), (left, None));
            settled = then;
        }
        let (refused, then) = quota.take(settled, at(0), 1);
        assert_eq!(
            refused,
            Taken { left: 0, full_again: Duration::from_secs(1), wait: Some(Duration::from_millis(100)) }
        );
        assert_eq!(then, settled, "what is refused costs nothing");
        assert_eq!(quota.take(settled, at(99), 1).0.wait, Some(Duration::from_millis(1)));
        assert_eq!(quota.take(settled, at(100), 1).0.wait, None);
        assert_eq!(quota.take(settled, at(500), 5).0.wait, None);
        assert_eq!(quota.take(settled, at(5000), 1).0.left, 9, "no more than the quota is ever saved up");
    }

    #[test]
    fn a_shorter_window_makes_nobody_wait_for_the_rest_of_a_longer_one() {
        let (_, settled) = Quota::new(2, 3600).take(Duration::ZERO, at(0), 2);
        let quota = Quota::new(2, 1);
        let (refused, settled) = quota.take(settled, at(0), 1);
        assert_eq!(refused.wait, Some(Duration::from_millis(500)));
        assert_eq!(quota.take(settled, at(500), 1).0.wait, None);
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_lets_more_through_than_the_quota_and_what_came_back(
            (requests, seconds) in (1u32..50, 1u32..20),
            steps in prop::collection::vec((0u64..400, 1u32..4), 1..200),
        ) {
            let quota = Quota::new(requests, seconds);
            let (mut settled, mut now, mut let_through) = (Duration::ZERO, 0, Vec::new());
            for (pause, cost) in steps {
                now += pause;
                let (taken, then) = quota.take(settled, at(now), cost);
                settled = then;
                if taken.wait.is_none() {
                    let_through.push((now, u64::from(cost)));
                }
            }
            for (first, (begin, _)) in let_through.iter().enumerate() {
                let mut sum = 0;
                for (end, cost) in &let_through[first..] {
                    sum += cost;
                    let came_back = (end - begin) * u64::from(requests) / (u64::from(seconds) * 1000) + 1;
                    prop_assert!(sum <= u64::from(requests) + came_back, "{sum} within {} ms", end - begin);
                }
            }
        }
    }
}
