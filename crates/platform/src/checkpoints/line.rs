//! A checkpoint as a line of text: signature, public key and content, with spaces between them.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use jiff::Timestamp;
use quenty_kernel::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Result;

/// So that no signature of something else is one of a checkpoint.
const PURPOSE: &str = "quenty checkpoint 1\n";
/// What the first line has in place of the digest of the one before it.
const FIRST: &str = "first";

/// A chain's head: stream, version, hash in hexadecimal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Head(pub String, pub i64, pub String);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub service: String,
    /// From 1, without gaps.
    pub number: u64,
    /// SHA-256 of the line before it.
    pub previous: String,
    pub made_at: Timestamp,
    /// Every journal entry up to this `seq` is behind a head of this or an earlier checkpoint.
    pub up_to: i64,
    pub heads: Vec<Head>,
}

/// Where a file of checkpoints ends.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub number: u64,
    pub digest: String,
    pub up_to: i64,
}

impl Default for End {
    fn default() -> Self {
        Self { number: 0, digest: FIRST.to_owned(), up_to: 0 }
    }
}

impl Checkpoint {
    /// The line, without its end.
    pub(super) fn sign(&self, key: &SigningKey) -> Result<String> {
        let content = serde_json::to_string(self)?;
        let signature = STANDARD.encode(key.sign(format!("{PURPOSE}{content}").as_bytes()).to_bytes());
        Ok(format!("{signature} {} {content}", STANDARD.encode(key.verifying_key().as_bytes())))
    }
}

/// A line that was read; who has signed it is another question.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub checkpoint: Checkpoint,
    signature: Signature,
    content: &'a str,
    text: &'a str,
}

impl<'a> Line<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let (signature, _key, content) = (parts.next()?, parts.next()?, parts.next()?);
        let signature = Signature::from_slice(&STANDARD.decode(signature).ok()?).ok()?;
        Some(Self { checkpoint: serde_json::from_str(content).ok()?, signature, content, text })
    }

    pub(super) fn is_signed_by(&self, trusted: &[VerifyingKey]) -> bool {
        let signed = format!("{PURPOSE}{}", self.content);
        trusted.iter().any(|key| key.verify_strict(signed.as_bytes(), &self.signature).is_ok())
    }

    pub(super) fn end(&self) -> End {
        End { number: self.checkpoint.number, digest: digest(self.text), up_to: self.checkpoint.up_to }
    }
}

pub(super) fn digest(line: &str) -> String {
    hex(Sha256::digest(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_believed_as_it_was_signed_and_by_whom_only() {
        let (ours, others) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let checkpoint = Checkpoint {
            service: "order".to_owned(),
            number: 1,
            previous: End::default().digest,
            made_at: Timestamp::UNIX_EPOCH,
            up_to: 7,
            heads: vec![Head("ORD-1".to_owned(), 2, "ab".to_owned())],
        };
        let trusted = [ours.verifying_key()];
        let text = checkpoint.sign(&ours).unwrap();
        let line = Line::read(&text).unwrap();
        assert!(line.is_signed_by(&trusted));
        assert_eq!((line.end().number, line.end().up_to), (1, 7));
        let changed = text.replace("ORD-1", "ORD-2");
        assert!(!Line::read(&changed).unwrap().is_signed_by(&trusted));
        let forged = checkpoint.sign(&others).unwrap();
        assert!(!Line::read(&forged).unwrap().is_signed_by(&trusted));
        assert!(Line::read(&text[..text.len() - 1]).is_none(), "half a line is none");
    }
}
