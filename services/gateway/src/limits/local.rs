//! What was taken here, in this process's memory.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::gcra::{Quota, Taken};

const SHARDS: usize = 16;
/// A shard that is as large looks for who has taken nothing of late; when all have, the half that owes least begins anew,
/// so that who comes with many addresses frees nobody who has asked for too much.
const MOST_CALLERS: usize = 16_384;

/// Keeps for each caller the moment at which all that it has taken has come back.
#[derive(Debug)]
pub(super) struct Local {
    begin: Instant,
    /// Random: nobody can choose callers that share a place.
    hasher: RandomState,
    shards: [Mutex<HashMap<u64, Duration>>; SHARDS],
}

impl Default for Local {
    fn default() -> Self {
        Self { begin: Instant::now(), hasher: RandomState::new(), shards: Default::default() }
    }
}

impl Local {
    pub(super) fn take(&self, quota: &Quota, who: &impl Hash, cost: u32) -> Taken {
        let key = self.hasher.hash_one(who);
        let now = self.begin.elapsed();
        let shard = &self.shards[usize::try_from(key % SHARDS as u64).unwrap_or_default()];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= MOST_CALLERS {
            shard.retain(|_, settled| *settled > now);
            if shard.len() >= MOST_CALLERS {
                let mut owed: Vec<Duration> = shard.values().copied().collect();
                let (_, median, _) = owed.select_nth_unstable(MOST_CALLERS / 2);
                shard.retain(|_, settled| *settled > *median);
            }
        }
        let settled = shard.entry(key).or_default();
        let (taken, then) = quota.take(*settled, now, cost);
        *settled = then;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_counted_apart_and_forgotten_before_they_fill_the_memory() {
        let (local, quota) = (Local::default(), Quota::new(1, 3600));
        assert_eq!(local.take(&quota, &"a", 1).wait, None);
        assert!(local.take(&quota, &"a", 1).wait.is_some());
        assert_eq!(local.take(&quota, &"b", 1).wait, None);
        for caller in 0..SHARDS * MOST_CALLERS * 2 {
            local.take(&quota, &caller, 1);
        }
        assert!(local.take(&quota, &"a", 1).wait.is_none(), "who owes no more than the others is forgotten");
        let held: usize = local.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(held <= SHARDS * MOST_CALLERS, "{held}");
    }

    #[test]
    fn who_has_asked_for_too_much_is_not_forgotten_for_strangers_who_come_in_masses() {
        let (local, quota) = (Local::default(), Quota::new(10, 3600));
        assert_eq!(local.take(&quota, &"a", 10).wait, None);
        for caller in 0..SHARDS * MOST_CALLERS * 2 {
            local.take(&quota, &caller, 1);
        }
        assert!(local.take(&quota, &"a", 1).wait.is_some());
    }
}
