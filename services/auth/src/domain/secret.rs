//! Opaque secrets that we hand out (refresh tokens, links) and the keys that they are derived from.
//!
//! Must never be stored or logged in clear: what is kept of a token is its hash, and `Debug` redacts.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

const LONGEST: usize = 256;
pub const NONCE_BYTES: usize = 12;

/// 256 random or derived bits as text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 256, example = "k3J0b2tlbi1mcm9tLXRoZS1tYWlsLW9yLWxvZ2luLWFuc3c")]
pub struct OpaqueToken(String);

impl OpaqueToken {
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

impl TryFrom<String> for OpaqueToken {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || text.len() > LONGEST {
            Err(format!("expected 1 to {LONGEST} characters"))
        } else {
            Ok(Self(text))
        }
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueToken(…)")
    }
}

/// A secret key of 256 bits.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Reads the key-encryption key as an operator writes it.
    ///
    /// # Errors
    /// When it is not base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, &'static str> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| "it is not base64")?;
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| "it does not hold 32 bytes; make one with `openssl rand -base64 32`")
    }

    /// A key for one purpose: knowing it tells nothing about the others.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self(self.mac(purpose.as_bytes()))
    }

    /// The token that belongs to `input`, always the same; nobody without the key can make it.
    #[must_use]
    pub fn token_for(&self, input: &[u8]) -> OpaqueToken {
        OpaqueToken::from_bytes(self.mac(input))
    }

    /// HMAC-SHA-256 (RFC 2104).
    #[must_use]
    pub fn mac(&self, input: &[u8]) -> [u8; 32] {
        // A key of any length fits HMAC, so that the error cannot happen.
        <Hmac<Sha256> as Mac>::new_from_slice(&self.0)
            .map_or([0; 32], |mac| mac.chain_update(input).finalize().into_bytes().into())
    }

    /// Whether `mac` is the one of `input`, in constant time.
    #[must_use]
    pub fn verifies(&self, input: &[u8], mac: &[u8; 32]) -> bool {
        <Hmac<Sha256> as Mac>::new_from_slice(&self.0)
            .is_ok_and(|own| own.chain_update(input).verify_slice(mac).is_ok())
    }

    /// Nonce and AES-256-GCM ciphertext of a secret that is kept, bound to whose it is. A nonce is used once.
    #[must_use]
    pub fn seal(&self, nonce: [u8; NONCE_BYTES], secret: &[u8], bound_to: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: secret, aad: bound_to };
        // AES-GCM fails only for messages above 64 GiB.
        let ciphertext = Aes256Gcm::new(&self.0.into()).encrypt(&nonce.into(), payload).unwrap_or_default();
        [nonce.as_slice(), &ciphertext].concat()
    }

    /// What was sealed; nothing when it was with another key or for something else, or was changed.
    #[must_use]
    pub fn open(&self, sealed: &[u8], bound_to: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: ciphertext, aad: bound_to };
        Aes256Gcm::new(&self.0.into()).decrypt(&(*nonce).into(), payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::from_base64(&STANDARD.encode([7; 32])).unwrap()
    }

    #[test]
    fn tokens_of_one_input_are_the_same_and_of_others_differ() {
        assert_eq!(key().token_for(b"a"), key().token_for(b"a"));
        assert_ne!(key().token_for(b"a"), key().token_for(b"b"));
        assert_ne!(key().token_for(b"a"), key().derive("x").token_for(b"a"));
    }

    #[test]
    fn a_mac_verifies_its_own_input_only() {
        let mac = key().mac(b"secret");
        assert!(key().verifies(b"secret", &mac));
        assert!(!key().verifies(b"Secret", &mac));
    }

    #[test]
    fn a_key_must_have_32_bytes_and_is_never_shown() {
        assert!(Key::from_base64("c2hvcnQ=").is_err());
        assert!(Key::from_base64("not base64!").is_err());
        assert_eq!(format!("{:?} {:?}", key(), key().token_for(b"a")), "Key(…) OpaqueToken(…)");
    }
}
