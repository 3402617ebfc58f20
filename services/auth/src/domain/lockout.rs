//! Guessing one account's password from one address: five failures, then a wait that doubles. Another address is
//! never locked out with it, and a device that the person has logged in with waits for its own failures only, so that
//! strangers cannot keep an owner away. A session in which as many are wrong ends.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::{
    hex,
    id::{SessionId, UserId},
};
use sha2::{Digest, Sha256};

const FREE_FAILURES: i32 = 5;
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(15);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);
/// Failures older than this are forgotten.
pub const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What failures are counted by: the user, by whatever name; else the name itself, which may be a mistyped secret
/// and is therefore hashed.
#[must_use]
pub fn account(user: Option<UserId>, login_key: &str) -> [u8; 32] {
    match user {
        Some(id) => Sha256::digest(id.to_string()).into(),
        None => Sha256::digest(login_key).into(),
    }
}

/// From where failures are counted: the address, or the device if it is one that the person has logged in with.
#[must_use]
pub fn place(address: &str, known_device: Option<&[u8; 32]>) -> String {
    match known_device {
        Some(hash) => format!("device {}", hex(hash)),
        None => address.to_owned(),
    }
}

/// From where failures of a session are counted: not its network, which strangers share.
#[must_use]
pub fn place_of_session(session: SessionId) -> String {
    format!("session {session}")
}

/// The failures of one account from one address, by wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    pub failures: i32,
    pub last_failure_at: Timestamp,
    pub locked_until: Option<Timestamp>,
}

impl Lockout {
    #[must_use]
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// Counts one more failure. Logins do not while locked: whoever guesses on makes no wait longer.
    #[must_use]
    pub fn after_failure(before: Option<Self>, now: Timestamp) -> Self {
        let forgotten = |lockout: &Self| {
            now.duration_since(lockout.last_failure_at) > FORGOTTEN_AFTER && !lockout.is_locked(now)
        };
        let failures = before
            .filter(|lockout| !forgotten(lockout))
            .map_or(0, |lockout| lockout.failures)
            .saturating_add(1);
        let locked_until = (failures >= FREE_FAILURES).then(|| {
            let doublings = u32::try_from(failures - FREE_FAILURES).unwrap_or(0).min(16);
            now + FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
        });
        Self { failures, last_failure_at: now, locked_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_failure_locks_for_a_quarter_of_an_hour_and_each_further_one_twice_as_long() {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut lockout = None;
        for _ in 0..4 {
            lockout = Some(Lockout::after_failure(lockout, now));
            assert!(!lockout.unwrap().is_locked(now));
        }
        for minutes in [15, 30, 60, 120, 240, 480, 960, 1440, 1440] {
            lockout = Some(Lockout::after_failure(lockout, now));
            let wait = SignedDuration::from_mins(minutes);
            assert!(lockout.unwrap().is_locked(now + wait - SignedDuration::from_secs(1)), "{minutes}");
            assert!(!lockout.unwrap().is_locked(now + wait), "{minutes}");
            now += wait;
        }
    }

    #[test]
    fn a_known_device_is_a_place_of_its_own() {
        assert_eq!(place("192.0.2.1", None), "192.0.2.1");
        assert_eq!(place("192.0.2.1", Some(&[1; 32])), place("198.51.100.1", Some(&[1; 32])));
        assert_ne!(place("192.0.2.1", Some(&[1; 32])), place("192.0.2.1", Some(&[2; 32])));
    }

    #[test]
    fn old_failures_are_forgotten() {
        let now = Timestamp::UNIX_EPOCH;
        let lockout = (0..4).fold(None, |before, _| Some(Lockout::after_failure(before, now)));
        let later = Lockout::after_failure(lockout, now + SignedDuration::from_hours(25));
        assert_eq!(later.failures, 1);
    }
}
