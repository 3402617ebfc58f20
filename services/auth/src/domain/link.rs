//! Links that are mailed: single use, for a limited time. The token in a link is derived from its id, so that
//! it lies nowhere: neither in a row nor in a task.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::{UserId, new_uuid};
use uuid::Uuid;

use super::secret::{Key, OpaqueToken};

/// How long an invitation may be answered.
const LIVES: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Within this time a used link tells who used it that it was: an answer may be lost on its way.
pub const REPEATED: SignedDuration = SignedDuration::from_mins(10);

/// The link of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub id: Uuid,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Link {
    /// `now` is wall time.
    #[must_use]
    pub fn new(user_id: UserId, now: Timestamp) -> Self {
        Self { id: new_uuid(), user_id, created_at: now, expires_at: now + LIVES }
    }
}

/// The token in the link of this id.
#[must_use]
pub fn token(key: &Key, link: Uuid) -> OpaqueToken {
    key.token_for(link.as_bytes())
}
