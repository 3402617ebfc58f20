//! Links that are mailed: single use, for a limited time. The token in a link is derived from its id, so that
//! it lies nowhere: neither in a row nor in a task.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::{UserId, new_uuid};
use uuid::Uuid;

use super::secret::{Key, OpaqueToken};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    Verification,
    Invitation,
}

impl LinkPurpose {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Invitation => "invitation",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Verification, Self::Invitation].into_iter().find(|purpose| purpose.as_str() == text)
    }

    fn lives(self) -> SignedDuration {
        match self {
            Self::Verification => SignedDuration::from_hours(24),
            Self::Invitation => SignedDuration::from_hours(7 * 24),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub id: Uuid,
    pub user_id: UserId,
    pub purpose: LinkPurpose,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Link {
    /// `now` is wall time.
    #[must_use]
    pub fn new(user_id: UserId, purpose: LinkPurpose, now: Timestamp) -> Self {
        Self { id: new_uuid(), user_id, purpose, created_at: now, expires_at: now + purpose.lives() }
    }
}

/// The token in the link of this id.
#[must_use]
pub fn token(key: &Key, link: Uuid) -> OpaqueToken {
    key.token_for(link.as_bytes())
}
