//! Tokens that are not valid any more, though their time is not over: a session was ended, a person suspended, a role
//! changed, a company stopped. Auth keeps the list; every process that checks tokens has a copy of it.
//!
//! It is asked for more than twice a second, by version, so that nothing needs to be told and nothing that is told can
//! be missed. While Auth is away nothing is revoked, so the copies stay true. A process that is cut off from an Auth that
//! lives misses what is revoked: it believes its copy for [`OLDEST`], as long as a person's token lives, and then no
//! person's token any more. A process without a copy accepts no token.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use quenty_kernel::id::{ApiKeyId, CompanyId, SessionId, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

/// What is revoked, named by a digest: whoever reads the list learns no id from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revocation {
    /// The first 128 bits of the SHA-256 of a session's, an API key's, a user's or a company's id, as unpadded base64url.
    #[schema(example = "n4bQgYhMfWWaL-qgxVrQFQ")]
    pub digest: String,
    /// Of a user or a company: only tokens whose `jti`, a UUIDv7, is smaller.
    pub issued_before: Option<Uuid>,
    /// No token that it concerns lives longer.
    pub until: Timestamp,
}

/// The list as Auth serves it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RevocationList {
    pub revocations: Vec<Revocation>,
}

impl Revocation {
    /// All tokens of a session.
    #[must_use]
    pub fn of_session(id: SessionId, until: Timestamp) -> Self {
        Self { digest: digest(&id.to_string()), issued_before: None, until }
    }

    /// All tokens of an API key.
    #[must_use]
    pub fn of_api_key(id: ApiKeyId, until: Timestamp) -> Self {
        Self { digest: digest(&id.to_string()), issued_before: None, until }
    }

    /// All tokens of a user that were issued before the token id.
    #[must_use]
    pub fn of_user(id: UserId, issued_before: Uuid, until: Timestamp) -> Self {
        Self { digest: digest(&id.to_string()), issued_before: Some(issued_before), until }
    }

    /// All tokens that speak for a company and were issued before the token id.
    #[must_use]
    pub fn of_company(id: CompanyId, issued_before: Uuid, until: Timestamp) -> Self {
        Self { digest: digest(&id.to_string()), issued_before: Some(issued_before), until }
    }
}

pub(crate) fn digest(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(id)[..16])
}

/// The copy of one process. The version is what Auth calls this state of the list.
#[derive(Debug, Default)]
pub(crate) struct Revocations(RwLock<Option<Known>>);

/// For so long a copy is believed that Auth has not confirmed. A token that a person holds is over by then: what comes
/// later was given while this process could not hear whether it was revoked.
const OLDEST: Duration = Duration::from_secs(15 * 60);

#[derive(Debug)]
struct Known {
    version: Option<String>,
    /// When Auth last said that this is the list.
    confirmed_at: Instant,
    /// By digest, the least token id that is not revoked; none is for what never comes back.
    revoked: HashMap<String, Option<Uuid>>,
}

impl Revocations {
    pub(crate) fn replace(&self, list: RevocationList, version: Option<String>) {
        let mut revoked: HashMap<String, Option<Uuid>> = HashMap::with_capacity(list.revocations.len());
        for Revocation { digest, issued_before, .. } in list.revocations {
            let known = revoked.entry(digest).or_insert(issued_before);
            *known = issued_before.and_then(|before| known.map(|known| known.max(before)));
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) =
            Some(Known { version, confirmed_at: Instant::now(), revoked });
    }

    /// Auth says that the copy is the list as it is.
    pub(crate) fn confirm(&self) {
        if let Some(known) = self.0.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.confirmed_at = Instant::now();
        }
    }

    /// Whether the copy is young enough for the tokens of people at a time.
    pub(crate) fn are_fresh(&self, now: Instant) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().is_some_and(|known| now.duration_since(known.confirmed_at) < OLDEST)
    }

    /// Which state of the list is known; nothing if none is.
    pub(crate) fn version(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.version.clone()
    }

    pub(crate) fn are_known(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether a token is revoked by any of the digests; nothing while no list is known.
    pub(crate) fn cover(&self, digests: &[String], token: Option<Uuid>) -> Option<bool> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let revoked = &known.as_ref()?.revoked;
        let covers = |digest: &String| match revoked.get(digest) {
            None => false,
            Some(None) => true,
            // A token whose id tells no time is older than everything.
            Some(Some(before)) => token.is_none_or(|token| token < *before),
        };
        Some(!revoked.is_empty() && digests.iter().any(covers))
    }
}

#[cfg(test)]
mod tests {
    use quenty_kernel::id::new_uuid;

    use super::*;

    #[test]
    fn a_copy_that_nobody_confirms_grows_too_old_for_the_tokens_of_people() {
        let copy = Revocations::default();
        assert!(!copy.are_fresh(Instant::now()), "there is none");
        copy.replace(RevocationList { revocations: Vec::new() }, None);
        let read_at = Instant::now();
        assert!(copy.are_fresh(read_at + OLDEST - Duration::from_secs(1)));
        assert!(!copy.are_fresh(read_at + OLDEST));
        copy.confirm();
        assert!(copy.are_fresh(read_at + OLDEST - Duration::from_secs(1)));
    }

    #[test]
    fn a_session_is_over_for_good_and_a_person_or_company_until_the_next_token() {
        let (session, user, company) = (SessionId::new(), UserId::new(), CompanyId::new());
        let digests = [digest(&session.to_string()), digest(&user.to_string()), digest(&company.to_string())];
        let until = "2026-11-26T12:15:00Z".parse().unwrap();
        let (old, moment, new) = (new_uuid(), new_uuid(), new_uuid());
        let known = Revocations::default();
        assert_eq!(known.cover(&digests, Some(new)), None, "nothing is known yet");

        let learn = |revocations| known.replace(RevocationList { revocations }, None);
        learn(vec![Revocation::of_session(session, until)]);
        assert_eq!(known.cover(&digests, Some(new)), Some(true));
        assert_eq!(known.cover(&digests[1..], Some(new)), Some(false));

        let earlier = Revocation::of_user(user, old, until);
        learn(vec![Revocation::of_user(user, moment, until), earlier]);
        assert_eq!(known.cover(&digests, Some(old)), Some(true), "the later one counts");
        assert_eq!(known.cover(&digests, None), Some(true));
        assert_eq!(known.cover(&digests, Some(new)), Some(false));

        learn(vec![Revocation::of_company(company, moment, until)]);
        assert_eq!(known.cover(&digests, Some(old)), Some(true));
        assert_eq!(known.cover(&digests[..2], Some(old)), Some(false), "of another company");
    }
}
