//! The signing keys as this process holds them: signs access tokens and publishes the public parts.

use std::sync::{PoisonError, RwLock};

use ed25519_dalek::pkcs8::EncodePrivateKey;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use quenty_kernel::clock::wall_now;
use quenty_platform::{
    Error, Result,
    token::{Claims, TYPE},
};
use rand::RngCore;
use sqlx::PgPool;

use crate::{
    domain::{
        secret::Key,
        signing_key::{Jwk, KeyStatus, Rotation, SigningKey},
    },
    store::signing_keys,
};

#[derive(Debug)]
pub struct KeyRing {
    sealing: Key,
    issuer: String,
    every: SignedDuration,
    held: RwLock<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    kid: String,
    signer: EncodingKey,
    published: Vec<Jwk>,
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

impl KeyRing {
    #[must_use]
    pub fn new(sealing: Key, issuer: String, every: SignedDuration) -> Self {
        Self { sealing, issuer, every, held: RwLock::new(None) }
    }

    /// The `iss` of the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Rotates the stored keys if that is due, and holds what is stored then. Replicas do this one after another.
    ///
    /// # Errors
    /// When the database refuses, or a key was sealed with another key-encryption key.
    pub async fn maintain(&self, db: &PgPool) -> Result<()> {
        let mut tx = db.begin().await?;
        signing_keys::lock(&mut tx).await?;
        let mut keys = signing_keys::list(&mut tx, &self.sealing)
            .await?
            .map_err(|e| Error::internal(format!("QUENTY_KEY_ENCRYPTION_KEY: {e}")))?;
        let rotation = Rotation::due(&keys, self.every, wall_now());
        if !rotation.is_nothing() {
            self.rotate(&mut tx, &mut keys, &rotation).await?;
        }
        tx.commit().await?;
        let held = hold(&keys)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(())
    }

    async fn rotate(
        &self,
        tx: &mut sqlx::PgConnection,
        keys: &mut Vec<SigningKey>,
        rotation: &Rotation,
    ) -> Result<()> {
        let now = wall_now();
        for id in &rotation.forget {
            signing_keys::delete(tx, *id).await?;
        }
        keys.retain(|key| !rotation.forget.contains(&key.id));
        if rotation.turn {
            // First the one that leaves its place: each place holds one key.
            for (from, to) in
                [(KeyStatus::Current, KeyStatus::Retired), (KeyStatus::Next, KeyStatus::Current)]
            {
                for key in keys.iter_mut().filter(|key| key.status == from) {
                    (key.status, key.since) = (to, now);
                    signing_keys::set_status(tx, key).await?;
                }
            }
        }
        for (wanted, status) in
            [(rotation.make_current, KeyStatus::Current), (rotation.make_next, KeyStatus::Next)]
        {
            if wanted {
                let key = SigningKey::new(status, random(), now);
                signing_keys::insert(tx, &key, &key.seal(&self.sealing, random())).await?;
                tracing::info!(key = %key.id, status = status.as_str(), "made a signing key");
                keys.push(key);
            }
        }
        Ok(())
    }

    /// Signs an access token.
    ///
    /// # Errors
    /// When no key is held: a bug.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let held = held.as_ref().ok_or_else(|| Error::internal("no signing key is held"))?;
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(held.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, claims, &held.signer).map_err(Error::internal)
    }

    /// All public keys: the coming one, the signing one and those whose tokens may still live.
    #[must_use]
    pub fn published(&self) -> Vec<Jwk> {
        self.held
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|held| held.published.clone())
            .unwrap_or_default()
    }
}

fn hold(keys: &[SigningKey]) -> Result<Held> {
    let current = keys
        .iter()
        .find(|key| key.status == KeyStatus::Current)
        .ok_or_else(|| Error::internal("there is no current signing key"))?;
    let der = current.private().to_pkcs8_der().map_err(Error::internal)?;
    Ok(Held {
        kid: current.id.to_string(),
        signer: EncodingKey::from_ed_der(der.as_bytes()),
        published: keys.iter().map(SigningKey::jwk).collect(),
    })
}
