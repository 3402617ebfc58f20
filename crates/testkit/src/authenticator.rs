//! An authenticator and its browser, as far as a relying party sees them: keys on P-256, no attestation. Whatever it
//! tells can be bent.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use rand::RngCore;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// WebAuthn, section 6.1: flags of the authenticator data.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

#[derive(Debug, Clone)]
pub struct Authenticator {
    /// Of the pages that the browser is on.
    pub origin: String,
    /// Which the authenticator signs for, whatever it is asked.
    pub rp_id: String,
    pub is_present: bool,
    pub is_verified: bool,
    /// Copied to other devices.
    pub is_synced: bool,
    /// Of signatures; none of them has counted where it stays at nought.
    pub counter: u32,
    pub credential: [u8; 16],
    pub key: SigningKey,
    /// Of the person who made the key here.
    pub handle: Value,
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

impl Default for Authenticator {
    /// Beside the pages of a platform on its default port.
    fn default() -> Self {
        Self {
            origin: "http://localhost:8000".to_owned(),
            rp_id: "localhost".to_owned(),
            is_present: true,
            is_verified: true,
            is_synced: false,
            counter: 0,
            credential: random(),
            key: SigningKey::from_slice(&random::<32>()).expect("a key"),
            handle: Value::Null,
        }
    }
}

impl Authenticator {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `navigator.credentials.create()`
    ///
    /// # Panics
    /// When the options are none.
    pub fn create(&mut self, options: &Value) -> Value {
        self.handle = options["user"]["id"].clone();
        let point = self.key.verifying_key().to_encoded_point(false);
        // COSE (RFC 9053): EC2, ES256, P-256 and the two coordinates.
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let cose =
            [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32], x, &[0x22, 0x58, 32], y].concat();
        let attested = [[0; 16].as_slice(), &[0, 16], &self.credential, &cose].concat();
        let data = [self.data(ATTESTED), attested].concat();
        let object = [
            b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".as_slice(),
            &[u8::try_from(data.len()).expect("a short key")],
            &data,
        ]
        .concat();
        let client = self.client_data("webauthn.create", options);
        let response = json!({
            "clientDataJSON": encode(&client), "attestationObject": encode(&object), "transports": ["internal"],
            // What browsers add, and nobody needs.
            "authenticatorData": encode(&data), "publicKeyAlgorithm": -7,
        });
        self.credential(response)
    }

    /// `navigator.credentials.get()`
    ///
    /// # Panics
    /// When the options are none.
    pub fn get(&mut self, options: &Value) -> Value {
        self.counter = self.counter.saturating_add(u32::from(self.counter > 0));
        let (data, client) = (self.data(0), self.client_data("webauthn.get", options));
        let signed = [data.as_slice(), &Sha256::digest(&client)[..]].concat();
        let signature: Signature = self.key.sign(&signed);
        let response = json!({
            "clientDataJSON": encode(&client), "authenticatorData": encode(&data),
            "signature": encode(signature.to_der().as_bytes()), "userHandle": self.handle,
        });
        self.credential(response)
    }

    fn credential(&self, response: Value) -> Value {
        let id = encode(&self.credential);
        json!({"id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform", "clientExtensionResults": {}, "response": response})
    }

    fn data(&self, more: u8) -> Vec<u8> {
        let flags = [
            (self.is_present, PRESENT),
            (self.is_verified, VERIFIED),
            (self.is_synced, BACKUP_ELIGIBLE | BACKED_UP),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set).fold(more, |all, (_, flag)| all | flag);
        [&Sha256::digest(&self.rp_id)[..], &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = options["challenge"].as_str().expect("a challenge");
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
