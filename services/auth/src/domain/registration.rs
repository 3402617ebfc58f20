//! A person who says that an e-mail address is theirs. Nobody is a user until the link that was mailed there is
//! followed; the password that comes with it tells which registration of the address is theirs, and the names are that
//! one's.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::new_uuid;
use uuid::Uuid;

use super::person::Person;

/// How long the link works.
pub const LIVES: SignedDuration = SignedDuration::from_hours(24);
/// How long after the registration it is mailed again, and works for as long anew.
pub const RENEWED: SignedDuration = SignedDuration::from_hours(3 * 24);

pub struct Registration {
    /// The id of its link, too.
    pub id: Uuid,
    pub person: Person,
    pub password_hash: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Registration {
    /// `now` is wall time.
    #[must_use]
    pub fn new(person: Person, password_hash: String, now: Timestamp) -> Self {
        Self { id: new_uuid(), person, password_hash, created_at: now, expires_at: now + LIVES }
    }
}
