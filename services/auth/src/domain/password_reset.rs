//! A link to choose another password, mailed to the address of an account: single use, for an hour.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::{UserId, new_uuid};
use uuid::Uuid;

const LIVES: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordReset {
    /// The id of its link, too.
    pub id: Uuid,
    /// Absent when nobody has the address that was named: nothing is mailed then.
    pub user_id: Option<UserId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl PasswordReset {
    /// `now` is wall time.
    #[must_use]
    pub fn new(user_id: Option<UserId>, now: Timestamp) -> Self {
        Self { id: new_uuid(), user_id, created_at: now, expires_at: now + LIVES }
    }
}
