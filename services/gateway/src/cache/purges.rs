//! What is shown no more though its time is not over: a change was answered that concerns it. Its path is named by the
//! request (RFC 9111, 4.4), groups of other answers by the service (RFC 9875).
//!
//! Gateways tell each other in Redis, where there is one, and look there while they are asked for what they keep; what
//! could not be told is told when Redis is back. What is not heard costs freshness only: every copy has an end.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use quenty_kernel::id::new_uuid;
use quenty_platform::redis::{Redis, cmd};
use tokio::sync;

/// A change is to be seen by every gateway within a second.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// A stream of what was purged, the oldest of which is forgotten.
const STREAM: &str = "cache:purged";
const MOST_TOLD: usize = 1000;
const MOST_KNOWN: usize = 10_000;

pub(super) struct Purges {
    known: RwLock<Known>,
    redis: Option<Redis>,
    /// What others have not been told, for Redis was away.
    untold: Mutex<Vec<String>>,
    heard: sync::Mutex<Heard>,
    /// Who tells, so that it does not hear itself.
    own: String,
}

#[derive(Default)]
struct Known {
    /// When a path or a group was purged last.
    by_name: HashMap<String, Instant>,
    /// When everything was, because there were too many names.
    all: Option<Instant>,
}

struct Heard {
    looked_at: Option<Instant>,
    /// The last entry of the stream.
    last: String,
}

impl Purges {
    pub(super) fn new(redis: Option<Redis>) -> Self {
        Self {
            known: RwLock::default(),
            redis,
            untold: Mutex::default(),
            heard: sync::Mutex::new(Heard { looked_at: None, last: "0".to_owned() }),
            own: new_uuid().to_string(),
        }
    }

    /// Whether any of these was purged since then: what was asked for before may be of before.
    pub(super) fn concern(&self, mut names: impl Iterator<Item = String>, asked_at: Instant) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let after = |purged_at: Option<&Instant>| purged_at.is_some_and(|at| asked_at <= *at);
        after(known.all.as_ref()) || names.any(|name| after(known.by_name.get(&name)))
    }

    pub(super) async fn purge(&self, names: Vec<String>) {
        if names.is_empty() {
            return;
        }
        for name in &names {
            self.learn(name.clone());
        }
        if let Some(redis) = &self.redis {
            self.tell(redis, names).await;
        }
    }

    async fn tell(&self, redis: &Redis, names: Vec<String>) {
        let mut tell = cmd("XADD");
        tell.arg(STREAM).arg("MAXLEN").arg("~").arg(MOST_TOLD).arg("*").arg("by").arg(&self.own);
        for name in &names {
            tell.arg("name").arg(name);
        }
        if redis.ask::<()>(&tell).await.is_err() {
            let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
            untold.extend(names);
            untold.sort_unstable();
            untold.dedup();
            untold.truncate(MOST_TOLD);
        }
    }

    fn learn(&self, name: String) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.by_name.len() >= MOST_KNOWN {
            *known = Known { by_name: HashMap::new(), all: Some(Instant::now()) };
        }
        known.by_name.insert(name, Instant::now());
    }

    /// Looks for what others have purged, if nobody has just done so.
    pub(super) async fn hear(&self) {
        let Some(redis) = &self.redis else { return };
        let Ok(mut heard) = self.heard.try_lock() else { return };
        if heard.looked_at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        heard.looked_at = Some(Instant::now());
        let untold = std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        if !untold.is_empty() {
            self.tell(redis, untold).await;
        }
        let mut look = cmd("XRANGE");
        look.arg(STREAM).arg(format!("({}", heard.last)).arg("+");
        let Ok(told) = redis.ask::<Vec<(String, Vec<String>)>>(&look).await else { return };
        for (entry, fields) in told {
            let fields: Vec<_> = fields.chunks_exact(2).map(|pair| (pair[0].as_str(), &pair[1])).collect();
            if !fields.contains(&("by", &self.own)) {
                // No clock of another gateway is believed: what was asked for before now is of before.
                let names = fields.into_iter().filter(|(field, _)| *field == "name");
                names.for_each(|(_, name)| self.learn(name.clone()));
            }
            heard.last = entry;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_asked_for_before_a_change_is_of_before_however_many_changes_there_are() {
        let purges = Purges::new(None);
        let of = |name: &str, asked_at| purges.concern([name.to_owned()].into_iter(), asked_at);
        let before = Instant::now();
        assert!(!of("things", before));
        purges.purge(vec!["things".to_owned()]).await;
        let after = Instant::now() + Duration::from_nanos(1);
        assert!(of("things", before) && !of("things", after) && !of("others", before));
        for number in 0..2 * MOST_KNOWN {
            purges.purge(vec![number.to_string()]).await;
        }
        assert!(of("things", before) && of("others", after), "when in doubt, everything is");
        assert!(!of("things", Instant::now() + Duration::from_nanos(1)));
        assert!(purges.known.read().unwrap().by_name.len() <= MOST_KNOWN);
    }
}
