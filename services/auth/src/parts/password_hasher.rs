//! Argon2id with the parameters that OWASP recommends, on a bounded pool: a login storm queues and then gets
//! 429, and never takes the processors from everyone else.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::phc::PasswordHash,
};
use quenty_platform::Error as PlatformError;
use rand::RngCore;
use tokio::sync::Semaphore;

use crate::{
    domain::password::{self, Password, WeakPassword},
    error::Error,
};

/// OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

#[derive(Debug)]
pub struct PasswordHasher {
    /// Running and waiting.
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// Checked where there is no account, so that it takes as long as where there is one.
    decoy: String,
}

/// The outcome of checking a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    pub matches: bool,
    /// Hashed with other parameters than today's.
    pub is_outdated: bool,
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(PlatformError::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8]) -> Result<String, Error> {
    let hash: PasswordHash = argon2()?.hash_password(password).map_err(PlatformError::internal)?;
    Ok(hash.to_string())
}

fn check(password: &[u8], stored: &str) -> Result<Checked, Error> {
    let parsed = PasswordHash::new(stored).map_err(PlatformError::internal)?;
    let matches = argon2()?.verify_password(password, &parsed).is_ok();
    let today = Params::try_from(&parsed)
        .is_ok_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (MEMORY_KIB, PASSES, LANES));
    Ok(Checked { matches, is_outdated: !today || parsed.algorithm.as_str() != "argon2id" })
}

impl PasswordHasher {
    /// # Errors
    /// When the decoy cannot be hashed.
    pub async fn new(workers: usize, queue: usize) -> Result<Self, Error> {
        let workers = workers.max(1);
        let mut hasher = Self {
            admitted: Arc::new(Semaphore::new(workers + queue)),
            running: Arc::new(Semaphore::new(workers)),
            decoy: String::new(),
        };
        let mut random = [0_u8; 32];
        rand::rng().fill_bytes(&mut random);
        hasher.decoy = hasher.run(move || hash(&random)).await?;
        Ok(hasher)
    }

    /// Hashes a new password if it is good enough and none of the `earlier` ones; rating it is work, too. `personal` are its
    /// owner's names and addresses.
    ///
    /// # Errors
    /// [`Error::WeakPassword`], [`Error::HasherFull`].
    pub async fn hash_new(
        &self,
        password: &Password,
        personal: &[&str],
        earlier: Vec<String>,
    ) -> Result<String, Error> {
        let password = password.clone();
        let personal: Vec<String> = personal.iter().map(|text| (*text).to_owned()).collect();
        self.run(move || {
            let personal: Vec<&str> = personal.iter().map(String::as_str).collect();
            password::check(&password, &personal).map_err(Error::WeakPassword)?;
            for stored in &earlier {
                if check(password.as_str().as_bytes(), stored)?.matches {
                    return Err(Error::WeakPassword(WeakPassword::Reused));
                }
            }
            hash(password.as_str().as_bytes())
        })
        .await
    }

    /// # Errors
    /// [`Error::HasherFull`].
    pub async fn hash(&self, password: &Password) -> Result<String, Error> {
        let password = password.clone();
        self.run(move || hash(password.as_str().as_bytes())).await
    }

    /// Checks a password against a stored hash; where there is none, does the same work in vain.
    ///
    /// # Errors
    /// [`Error::HasherFull`].
    pub async fn check(&self, password: &Password, stored: Option<String>) -> Result<Checked, Error> {
        let exists = stored.is_some();
        let (password, stored) = (password.clone(), stored.unwrap_or_else(|| self.decoy.clone()));
        let checked = self.run(move || check(password.as_str().as_bytes(), &stored)).await?;
        Ok(Checked { matches: exists && checked.matches, ..checked })
    }

    /// The permits go into the work: they come back when it ends, not when a caller loses patience.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Error::HasherFull)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(PlatformError::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop((running, admitted));
            outcome
        });
        done.await.map_err(PlatformError::internal)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_hash_checks_its_own_password_only() {
        let hasher = PasswordHasher::new(1, 4).await.unwrap();
        let stored = hasher.hash(&password("right")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(
            hasher.check(&password("right"), Some(stored.clone())).await.unwrap(),
            Checked { matches: true, is_outdated: false }
        );
        assert!(!hasher.check(&password("wrong"), Some(stored)).await.unwrap().matches);
        assert!(!hasher.check(&password("right"), None).await.unwrap().matches);
    }

    #[tokio::test]
    async fn a_hash_of_earlier_parameters_is_told() {
        let earlier =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8 * 1024, 1, 1, None).unwrap());
        let stored: PasswordHash = earlier.hash_password(b"right").unwrap();
        let hasher = PasswordHasher::new(1, 4).await.unwrap();
        assert_eq!(
            hasher.check(&password("right"), Some(stored.to_string())).await.unwrap(),
            Checked { matches: true, is_outdated: true }
        );
    }

    #[tokio::test]
    async fn a_full_pool_refuses_and_recovers() {
        let hasher = PasswordHasher::new(1, 1).await.unwrap();
        let password = password("x");
        let (a, b, c) = tokio::join!(hasher.hash(&password), hasher.hash(&password), hasher.hash(&password));
        assert!(a.is_ok() && b.is_ok());
        assert!(matches!(c, Err(Error::HasherFull)));
        assert!(hasher.hash(&password).await.is_ok());
    }
}
