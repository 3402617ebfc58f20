//! How much may be sent a second time: a tenth of what is sent, so that retries never make a bad hour worse.

use std::sync::atomic::{AtomicU32, Ordering};

/// In tenths of a retry.
const OF_EACH_REQUEST: u32 = 1;
const OF_EACH_RETRY: u32 = 10;
/// So many retries are there from the beginning, and saved up at most.
const MOST: u32 = 10 * OF_EACH_RETRY;

#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST))
    }
}

impl Budget {
    /// A request is sent for the first time.
    pub(crate) fn earn(&self) {
        let earned = |tenths: u32| (tenths < MOST).then_some(tenths + OF_EACH_REQUEST);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earned).ok();
    }

    /// Whether a request may be sent again.
    pub(crate) fn spend(&self) -> bool {
        let spent = |tenths: u32| tenths.checked_sub(OF_EACH_RETRY);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_may_be_sent_again_at_first_and_then_one_in_ten() {
        let budget = Budget::default();
        let spend_all = || (0..).take_while(|_| budget.spend()).count();
        assert_eq!(spend_all(), 10);
        for _ in 0..39 {
            budget.earn();
        }
        assert_eq!(spend_all(), 3);
        for _ in 0..10_000 {
            budget.earn();
        }
        assert_eq!(spend_all(), 10, "more is not saved up");
    }
}
