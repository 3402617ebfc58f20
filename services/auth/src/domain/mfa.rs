//! The second factor: codes of an authenticator app (RFC 6238) or passkeys, and recovery codes for when all are lost. No
//! code works twice.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::UserId;
use totp_rs::{Builder, Secret, TotpError};

use super::secret::Key;

/// The kinds of factors.
pub const TOTP: &str = "totp";
pub const PASSKEY: &str = "passkey";
/// What the authenticator app shows.
const ISSUER: &str = "Quenty";
/// RFC 4226, section 4: as long as the hash.
pub const SECRET_BYTES: usize = 20;
pub const RECOVERY_CODES: usize = 10;
pub const RECOVERY_BYTES: usize = 10;
/// How long the second step of a login may take.
pub const CHALLENGE_LIVES: SignedDuration = SignedDuration::from_mins(5);
/// Wrong codes until a login begins anew.
const FREE_FAILURES: i32 = 5;

/// The secret that a person shares with their authenticator app.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; SECRET_BYTES]);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpSecret {
    #[must_use]
    pub fn from_bytes(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// SHA-1, six digits, 30 seconds, and one step to either side for clocks that differ: what every app does.
    fn builder(&self) -> Builder {
        Builder::new().with_secret(self.0).with_issuer(Some(ISSUER))
    }

    /// For typing into an app by hand.
    #[must_use]
    pub fn base32(&self) -> String {
        Secret::from(self.0).to_base32()
    }

    /// The Key URI that apps read, also from a QR code.
    ///
    /// # Errors
    /// When the account's name is empty.
    pub fn uri(&self, account: &str) -> Result<String, TotpError> {
        // A colon would end the issuer's part of the label.
        self.builder().with_account_name(account.replace(':', "")).build()?.to_url()
    }

    /// The step of a code that is right now, if that is later than `last_step`.
    #[must_use]
    pub fn step_of(&self, code: &str, last_step: i64, now: Timestamp) -> Option<i64> {
        let seconds = u64::try_from(now.as_second()).ok()?;
        let step = self.builder().build().ok()?.check(code, seconds)?;
        i64::try_from(step).ok().filter(|step| *step > last_step)
    }

    /// Sealed for storage, bound to its user.
    #[must_use]
    pub fn seal(&self, key: &Key, nonce: [u8; 12], user: UserId) -> Vec<u8> {
        key.seal(nonce, &self.0, user.uuid().as_bytes())
    }

    /// Nothing when it was sealed with another key or for another user, or changed.
    #[must_use]
    pub fn open(sealed: &[u8], key: &Key, user: UserId) -> Option<Self> {
        key.open(sealed, user.uuid().as_bytes())?.try_into().ok().map(Self)
    }
}

/// A person's authenticator app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpFactor {
    pub secret: TotpSecret,
    pub is_confirmed: bool,
    pub last_step: i64,
}

/// What a person has beside the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Methods {
    pub totp: bool,
    pub passkey: bool,
}

impl Methods {
    /// Whether a second step is asked of this person.
    #[must_use]
    pub fn is_enabled(self) -> bool {
        self.totp || self.passkey
    }

    /// As facts name them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [(self.totp, TOTP), (self.passkey, PASSKEY)].into_iter().filter_map(|(has, name)| has.then_some(name))
    }
}

/// One of ten codes for who has lost the app: 80 random bits in groups of four letters and digits.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

impl RecoveryCode {
    #[must_use]
    pub fn from_bytes(bytes: [u8; RECOVERY_BYTES]) -> Self {
        Self(Secret::from(bytes).to_base32())
    }

    /// As somebody types it: case, dashes and spaces do not count.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(text.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect())
    }

    /// As it is shown, once: `ABCD-EFGH-…`.
    #[must_use]
    pub fn written(&self) -> String {
        let groups = self.0.as_bytes().chunks(4).map(String::from_utf8_lossy);
        groups.collect::<Vec<_>>().join("-")
    }

    /// What is stored in its place, bound to its user.
    #[must_use]
    pub fn mac(&self, key: &Key, user: UserId) -> [u8; 32] {
        key.mac(format!("{user} {}", self.0).as_bytes())
    }
}

/// Whether a code has the form of an app's.
#[must_use]
pub fn is_totp(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// A login whose password was right and whose second step is awaited. All times are wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge {
    pub user_id: UserId,
    /// The password that was given.
    pub password_id: i64,
    /// The hash of the device's token, if the person has logged in with it before.
    pub device: Option<[u8; 32]>,
    pub failures: i32,
    pub expires_at: Timestamp,
}

impl Challenge {
    #[must_use]
    pub fn new(user_id: UserId, password_id: i64, device: Option<[u8; 32]>, now: Timestamp) -> Self {
        Self { user_id, password_id, device, failures: 0, expires_at: now + CHALLENGE_LIVES }
    }

    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.failures < FREE_FAILURES && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn key(byte: u8) -> Key {
        use base64::{Engine, engine::general_purpose::STANDARD};
        Key::from_base64(&STANDARD.encode([byte; 32])).unwrap()
    }

    fn rfc() -> TotpSecret {
        TotpSecret::from_bytes(*b"12345678901234567890")
    }

    /// RFC 6238, appendix B: the last six of its eight digits.
    #[test]
    fn the_codes_of_the_rfc_are_right_at_their_times() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(rfc().step_of(code, 0, at(seconds)), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_right_for_one_step_to_either_side_and_never_again() {
        let step = 1_111_111_109 / 30;
        let begins = at(step * 30);
        for (seconds, is_right) in [(-31, false), (-30, true), (0, true), (59, true), (60, false)] {
            let found = rfc().step_of("081804", 0, begins + SignedDuration::from_secs(seconds));
            assert_eq!(found.is_some(), is_right, "{seconds}");
        }
        assert_eq!(rfc().step_of("081804", step, begins), None, "it was taken");
        assert_eq!(rfc().step_of("081804", step - 1, begins), Some(step));
        for wrong in ["", "081805", "81804", "0081804", "08180४", "abcdef"] {
            assert_eq!(rfc().step_of(wrong, 0, begins), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_reads_the_secret_from_the_uri() {
        let uri = rfc().uri("ana:gomez@example.com").unwrap();
        let read = totp_rs::Totp::from_url(&uri).unwrap();
        assert_eq!(read.secret().as_bytes(), b"12345678901234567890");
        assert!(uri.starts_with("otpauth://totp/Quenty:anagomez"), "{uri}");
        assert!(uri.contains(&rfc().base32()) && uri.contains("issuer=Quenty"), "{uri}");
        assert_eq!(format!("{:?}", rfc()), "TotpSecret(…)");
    }

    #[test]
    fn a_sealed_secret_opens_for_its_own_user_and_key_only() {
        let user = UserId::new();
        let sealed = rfc().seal(&key(1), [3; 12], user);
        assert!(!sealed.windows(SECRET_BYTES).any(|window| window == b"12345678901234567890"));
        assert_eq!(TotpSecret::open(&sealed, &key(1), user), Some(rfc()));
        assert_eq!(TotpSecret::open(&sealed, &key(2), user), None);
        assert_eq!(TotpSecret::open(&sealed, &key(1), UserId::new()), None);
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed_and_only_to_its_user() {
        let code = RecoveryCode::from_bytes([7; RECOVERY_BYTES]);
        let (written, ana) = (code.written(), UserId::new());
        assert_eq!(written.len(), 19, "{written}");
        for typed in [written.clone(), written.to_lowercase().replace('-', " "), written.replace('-', "")] {
            assert_eq!(RecoveryCode::read(&typed), code, "{typed}");
        }
        assert_eq!(code.mac(&key(1), ana), code.mac(&key(1), ana));
        assert_ne!(code.mac(&key(1), ana), code.mac(&key(1), UserId::new()));
        assert!(!is_totp(&written) && is_totp("081804") && !is_totp("08180४"));
    }

    #[test]
    fn a_challenge_takes_five_wrong_codes_and_five_minutes() {
        let now = Timestamp::UNIX_EPOCH;
        let fresh = Challenge::new(UserId::new(), 1, None, now);
        assert!(fresh.is_open(now) && !fresh.is_open(now + CHALLENGE_LIVES));
        assert!(Challenge { failures: 4, ..fresh }.is_open(now));
        assert!(!Challenge { failures: 5, ..fresh }.is_open(now));
    }
}
