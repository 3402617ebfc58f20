//! The keys that sign access tokens: `next → current → retired`. A `next` key is published long before it signs,
//! and a `retired` one until its last token has expired, so that a rotation fails no request.
//!
//! The private part leaves this process only sealed with AES-256-GCM.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey as Ed25519;
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::SigningKeyId;
use serde::Serialize;
use utoipa::ToSchema;

use super::secret::{Key, NONCE_BYTES};

/// Longer than any token lives, and than any verifier waits before it reads the keys again.
const RETIRED_FOR: SignedDuration = SignedDuration::from_hours(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    Next,
    Current,
    Retired,
}

impl KeyStatus {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retired => "retired",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Next, Self::Current, Self::Retired].into_iter().find(|status| status.as_str() == text)
    }
}

/// A signing key with its private part.
#[derive(Clone)]
pub struct SigningKey {
    pub id: SigningKeyId,
    pub status: KeyStatus,
    /// Since when it has this status, wall time.
    pub since: Timestamp,
    private: Ed25519,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({}, {})", self.id, self.status.as_str())
    }
}

/// RFC 7517 and RFC 8037: an Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Jwk {
    #[schema(example = "OKP")]
    pub kty: &'static str,
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub usage: &'static str,
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    pub kid: String,
    pub x: String,
}

/// The private part could not be opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("signing key {0} was sealed with another key-encryption key")]
pub struct CannotOpen(pub SigningKeyId);

impl SigningKey {
    #[must_use]
    pub fn new(status: KeyStatus, seed: [u8; 32], now: Timestamp) -> Self {
        Self { id: SigningKeyId::new(), status, since: now, private: Ed25519::from_bytes(&seed) }
    }

    /// Nonce and ciphertext of the private part, bound to the key's id.
    #[must_use]
    pub fn seal(&self, key: &Key, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        key.seal(nonce, &self.private.to_bytes(), self.id.uuid().as_bytes())
    }

    /// # Errors
    /// When it was sealed with another key, or changed.
    pub fn open(
        id: SigningKeyId,
        status: KeyStatus,
        since: Timestamp,
        sealed: &[u8],
        key: &Key,
    ) -> Result<Self, CannotOpen> {
        let seed = key.open(sealed, id.uuid().as_bytes()).ok_or(CannotOpen(id))?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| CannotOpen(id))?;
        Ok(Self { id, status, since, private: Ed25519::from_bytes(&seed) })
    }

    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.private.verifying_key().to_bytes()
    }

    #[must_use]
    pub fn private(&self) -> &Ed25519 {
        &self.private
    }

    #[must_use]
    pub fn jwk(&self) -> Jwk {
        Jwk {
            kty: "OKP",
            crv: "Ed25519",
            usage: "sig",
            alg: "EdDSA",
            kid: self.id.to_string(),
            x: URL_SAFE_NO_PAD.encode(self.public_key()),
        }
    }
}

/// What is to be done with the keys now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    pub forget: Vec<SigningKeyId>,
    /// `next` becomes `current`, `current` becomes `retired`; a new `next` is made.
    pub turn: bool,
    pub make_current: bool,
    pub make_next: bool,
}

impl Rotation {
    /// Decides by wall time; `every` is how long a key signs.
    #[must_use]
    pub fn due(keys: &[SigningKey], every: SignedDuration, now: Timestamp) -> Self {
        let with = |status| keys.iter().find(|key| key.status == status);
        let forget = keys
            .iter()
            .filter(|key| key.status == KeyStatus::Retired && key.since + RETIRED_FOR < now)
            .map(|key| key.id)
            .collect();
        let turn = with(KeyStatus::Next).is_some()
            && with(KeyStatus::Current).is_none_or(|key| key.since + every <= now);
        Self {
            forget,
            turn,
            make_current: with(KeyStatus::Current).is_none() && !turn,
            make_next: turn || with(KeyStatus::Next).is_none(),
        }
    }

    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key::from_base64(&base64::engine::general_purpose::STANDARD.encode([byte; 32])).unwrap()
    }

    #[test]
    fn a_sealed_key_opens_with_its_own_key_and_id_only() {
        let signing = SigningKey::new(KeyStatus::Current, [1; 32], Timestamp::UNIX_EPOCH);
        let sealed = signing.seal(&key(2), [3; 12]);
        assert!(!sealed.windows(32).any(|window| window == [1; 32]));
        let opened = SigningKey::open(signing.id, signing.status, signing.since, &sealed, &key(2)).unwrap();
        assert_eq!(opened.jwk(), signing.jwk());
        assert!(SigningKey::open(signing.id, signing.status, signing.since, &sealed, &key(4)).is_err());
        assert!(
            SigningKey::open(SigningKeyId::new(), signing.status, signing.since, &sealed, &key(2)).is_err()
        );
        assert!(SigningKey::open(signing.id, signing.status, signing.since, &sealed[..5], &key(2)).is_err());
    }

    #[test]
    fn the_first_keys_are_made_and_then_kept_until_they_are_due() {
        let (start, every) = (Timestamp::UNIX_EPOCH, SignedDuration::from_hours(24));
        let first = Rotation::due(&[], every, start);
        assert!(first.make_current && first.make_next && !first.turn);
        let keys = [
            SigningKey::new(KeyStatus::Current, [1; 32], start),
            SigningKey::new(KeyStatus::Next, [2; 32], start),
        ];
        assert!(Rotation::due(&keys, every, start + SignedDuration::from_hours(23)).is_nothing());
        let due = Rotation::due(&keys, every, start + every);
        assert!(due.turn && due.make_next && !due.make_current);
    }

    #[test]
    fn a_retired_key_is_published_until_its_last_token_has_expired() {
        let start = Timestamp::UNIX_EPOCH;
        let retired = SigningKey::new(KeyStatus::Retired, [1; 32], start);
        let keys = [
            retired.clone(),
            SigningKey::new(KeyStatus::Current, [2; 32], start),
            SigningKey::new(KeyStatus::Next, [3; 32], start),
        ];
        let every = SignedDuration::from_hours(24);
        assert!(Rotation::due(&keys, every, start + SignedDuration::from_hours(2)).is_nothing());
        assert_eq!(
            Rotation::due(&keys, every, start + SignedDuration::from_hours(3)).forget,
            vec![retired.id]
        );
    }
}
