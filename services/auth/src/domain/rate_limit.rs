//! How often something may be tried, in fixed windows of wall time.

use jiff::{SignedDuration, Timestamp};

/// At most `hits` of one bucket in a window.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    pub name: &'static str,
    pub hits: i32,
    pub window: SignedDuration,
}

/// Registrations from one address.
pub const REGISTRATIONS: RateLimit =
    RateLimit { name: "register", hits: 3, window: SignedDuration::from_hours(1) };
/// Mails to one e-mail address because somebody registers it or asks for the link again.
pub const VERIFICATION_MAILS: RateLimit =
    RateLimit { name: "verification-mail", hits: 3, window: SignedDuration::from_hours(1) };
/// Mails to one e-mail address because companies invite it.
pub const INVITATION_MAILS: RateLimit =
    RateLimit { name: "invitation-mail", hits: 3, window: SignedDuration::from_hours(1) };
/// Of these, the mails because of one company: the others have theirs.
pub const INVITATION_MAILS_OF_PAIR: RateLimit =
    RateLimit { name: "invitation-pair", hits: 1, window: SignedDuration::from_hours(1) };
/// Mails because one company invites, over all e-mail addresses.
pub const INVITATION_MAILS_OF_COMPANY: RateLimit =
    RateLimit { name: "invitation-company", hits: 100, window: SignedDuration::from_hours(24) };
/// Links to choose another password, of one e-mail address.
pub const PASSWORD_RESETS: RateLimit =
    RateLimit { name: "password-reset", hits: 3, window: SignedDuration::from_hours(1) };
/// The same from one source address, over all e-mail addresses.
pub const PASSWORD_RESETS_OF_ADDRESS: RateLimit =
    RateLimit { name: "password-reset-address", hits: 30, window: SignedDuration::from_hours(1) };
/// Failed logins from one address over all accounts: above, the address gets 429.
pub const FAILURES_OF_ADDRESS: RateLimit =
    RateLimit { name: "login-address", hits: 100, window: SignedDuration::from_mins(15) };
/// Failed logins of one account over all addresses: above, each attempt is slowed down, but none is refused.
pub const FAILURES_OF_ACCOUNT: RateLimit =
    RateLimit { name: "login-account", hits: 100, window: SignedDuration::from_mins(15) };
/// Passwords that are looked at in one session, right or wrong, and right ones in all sessions of a user: whoever knows a
/// right one must not keep the pool that hashes from everybody else, and whoever does not must not keep the owner from it.
pub const PASSWORD_PROOFS: RateLimit =
    RateLimit { name: "password-proof", hits: 20, window: SignedDuration::from_mins(15) };
/// Wrong secrets of services from one address: above, they are not even recorded.
pub const FAILURES_OF_CLIENTS: RateLimit =
    RateLimit { name: "client-address", hits: 100, window: SignedDuration::from_mins(15) };

/// Passkeys that are asked for from one address, before anybody has told who they are.
pub const PASSKEYS_ASKED: RateLimit =
    RateLimit { name: "passkey-address", hits: 300, window: SignedDuration::from_mins(15) };
/// Wrong codes and passkeys of one user, who has given the right password, over all addresses: above, no code is looked at.
pub const MFA_FAILURES: RateLimit =
    RateLimit { name: "mfa-user", hits: 10, window: SignedDuration::from_hours(1) };
/// API keys that do not work, from one address: above, they are not even recorded.
pub const FAILURES_OF_KEYS: RateLimit =
    RateLimit { name: "key-address", hits: 100, window: SignedDuration::from_mins(15) };

/// Renewals and refusals of one person, or of one address where nobody is known, that are kept on record, of each kind:
/// nobody is to make the trail long.
pub const RECORDS: RateLimit = RateLimit { name: "record", hits: 100, window: SignedDuration::from_mins(15) };

/// How often sessions or an API key of one user are revoked by name: above, all tokens of the user are, by one entry. A
/// window is as long as an entry lives.
pub const REVOKED_BY_NAME: RateLimit =
    RateLimit { name: "revoked-user", hits: 10, window: SignedDuration::from_mins(16) };

/// The hits of one bucket so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hits {
    pub started_at: Timestamp,
    pub count: i32,
}

impl RateLimit {
    #[must_use]
    pub fn bucket(&self, of: &str) -> String {
        format!("{}:{of}", self.name)
    }

    /// Seconds to wait, if one more hit is too many.
    #[must_use]
    pub fn wait(&self, hits: Option<Hits>, now: Timestamp) -> Option<u32> {
        let hits = hits.filter(|hits| hits.started_at + self.window > now && hits.count >= self.hits)?;
        let left = (hits.started_at + self.window).duration_since(now).as_secs();
        Some(u32::try_from(left).unwrap_or(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_makes_wait_until_it_ends() {
        let start = Timestamp::UNIX_EPOCH;
        let full = Some(Hits { started_at: start, count: 3 });
        assert_eq!(REGISTRATIONS.wait(None, start), None);
        assert_eq!(REGISTRATIONS.wait(Some(Hits { started_at: start, count: 2 }), start), None);
        assert_eq!(REGISTRATIONS.wait(full, start + SignedDuration::from_mins(50)), Some(600));
        assert_eq!(REGISTRATIONS.wait(full, start + SignedDuration::from_mins(60)), None);
    }
}
