//! A session is a family of refresh tokens: each is used once and replaced by its successor. A second use is
//! either two tabs racing, or a thief; a few seconds decide which. All times are wall time.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::{CompanyId, SessionId, UserId};

/// How long an unused session lives on.
const IDLE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a session lives at most.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Within this time a used token gives its one successor again.
const RACE: SignedDuration = SignedDuration::from_secs(10);
/// How long an access token lives.
pub const ACCESS_TOKEN: SignedDuration = SignedDuration::from_mins(15);
/// Services believe a token for a minute longer, and their clocks may be another behind ours.
const CLOCKS: SignedDuration = SignedDuration::from_mins(2);
/// How many live sessions a person has at most; one more ends the one that was not used for longest.
pub const MOST_SESSIONS: i64 = 100;
/// How long after its person proved to be it a session may do what would outlive a stolen one.
const STEPPED_UP: SignedDuration = SignedDuration::from_mins(5);
/// RFC 8176: how the person of a session proved to be it.
pub const PASSWORD_ONLY: [&str; 1] = ["pwd"];
pub const PASSWORD_AND_CODE: [&str; 3] = ["pwd", "otp", "mfa"];

/// With a passkey, whose keeper found its person there; `kept_in` is `hwk` or `swk`.
#[must_use]
pub fn password_and_passkey(kept_in: &'static str) -> [&'static str; 4] {
    ["pwd", kept_in, "user", "mfa"]
}

/// The same, where the keeper also made sure who the person is: two factors in one.
#[must_use]
pub fn passkey_alone(kept_in: &'static str) -> [&'static str; 3] {
    [kept_in, "user", "mfa"]
}

/// How long the token of a service lives.
pub const SERVICE_TOKEN: SignedDuration = SignedDuration::from_mins(60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    /// The company that its access tokens speak for.
    pub company_id: Option<CompanyId>,
    pub address: String,
    pub user_agent: String,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// RFC 8176.
    pub amr: Vec<String>,
    /// When the person last proved to be it.
    pub authenticated_at: Timestamp,
}

impl Session {
    /// Whether the person proved to be it a moment ago.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.authenticated_at + STEPPED_UP
    }

    /// Whether a second factor was asked for.
    #[must_use]
    pub fn has_mfa(&self) -> bool {
        self.amr.iter().any(|method| method == "mfa")
    }

    /// When a refresh token given out now stops working.
    #[must_use]
    pub fn token_expiry(&self, now: Timestamp) -> Timestamp {
        (now + IDLE).min(self.expires_at)
    }

    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// A refresh token as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// What is to be done with a presented refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// First use: its successor is made.
    Rotate,
    /// A tab that lost the race: it gets the same successor.
    Repeat,
    /// Used again: somebody else has it, the whole family ends.
    Reused,
    /// Expired, or its session has ended.
    Over,
}

impl RefreshToken {
    #[must_use]
    pub fn judge(self, session: &Session, now: Timestamp) -> Verdict {
        if !session.is_live(now) {
            return Verdict::Over;
        }
        match self.used_at {
            Some(used) if now.duration_since(used) <= RACE => Verdict::Repeat,
            Some(_) => Verdict::Reused,
            None if now >= self.expires_at => Verdict::Over,
            None => Verdict::Rotate,
        }
    }
}

/// Whether a token may live that was signed for what was used then, or before.
#[must_use]
pub fn may_have_tokens(last_used_at: Timestamp, now: Timestamp) -> bool {
    now < last_used_at + ACCESS_TOKEN + CLOCKS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(now: Timestamp) -> Session {
        Session {
            id: SessionId::new(),
            user_id: UserId::new(),
            company_id: None,
            address: "127.0.0.1".to_owned(),
            user_agent: String::new(),
            created_at: now,
            last_used_at: now,
            expires_at: now + ABSOLUTE,
            ended_at: None,
            amr: PASSWORD_ONLY.map(str::to_owned).to_vec(),
            authenticated_at: now,
        }
    }

    #[test]
    fn a_proof_counts_as_given_just_now_for_five_minutes() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(session(now).is_fresh(now + STEPPED_UP - SignedDuration::from_secs(1)));
        assert!(!session(now).is_fresh(now + STEPPED_UP));
        assert!(!session(now).has_mfa());
    }

    #[test]
    fn a_token_rotates_once_repeats_for_ten_seconds_and_then_betrays_a_thief() {
        let now = Timestamp::UNIX_EPOCH;
        let (session, second) = (session(now), SignedDuration::from_secs(1));
        let fresh = RefreshToken { expires_at: session.token_expiry(now), used_at: None };
        let used = RefreshToken { used_at: Some(now), ..fresh };
        assert_eq!(fresh.judge(&session, now), Verdict::Rotate);
        assert_eq!(used.judge(&session, now + second * 10), Verdict::Repeat);
        assert_eq!(used.judge(&session, now + second * 11), Verdict::Reused);
        assert_eq!(fresh.judge(&session, now + IDLE), Verdict::Over);
    }

    #[test]
    fn an_ended_session_gives_nothing_not_even_within_the_race() {
        let now = Timestamp::UNIX_EPOCH;
        let ended = Session { ended_at: Some(now), ..session(now) };
        let used = RefreshToken { expires_at: now + IDLE, used_at: Some(now) };
        assert_eq!(used.judge(&ended, now), Verdict::Over);
    }

    #[test]
    fn sliding_never_goes_beyond_thirty_days() {
        let now = Timestamp::UNIX_EPOCH;
        let late = now + ABSOLUTE - SignedDuration::from_hours(1);
        assert_eq!(session(now).token_expiry(late), now + ABSOLUTE);
    }
}
