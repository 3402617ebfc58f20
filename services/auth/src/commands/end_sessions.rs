//! Ending sessions: logging out, here or everywhere, and everything that revokes.

use quenty_contracts::auth::SessionEnded;
use quenty_kernel::{
    clock::wall_now,
    id::{SessionId, UserId},
};
use quenty_platform::Tx;

use super::revoke_sessions;
use crate::{domain::facts::SessionFact, error::Error, store};

/// Which of a user's sessions.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    All,
    Only(SessionId),
    AllBut(SessionId),
}

/// Ends live sessions and tells how many.
pub async fn end_sessions(tx: &mut Tx, user: UserId, which: Which, reason: &str) -> Result<usize, Error> {
    let (only, except) = match which {
        Which::All => (None, None),
        Which::Only(id) => (Some(id), None),
        Which::AllBut(id) => (None, Some(id)),
    };
    let ended = store::sessions::end(tx.conn(), user, only, except, reason, wall_now()).await?;
    for session_id in &ended {
        let fact = SessionEnded { session_id: *session_id, user_id: user, reason: reason.to_owned() };
        tx.record_about(*session_id, user, None, &SessionFact::from(fact))?;
    }
    revoke_sessions(tx, user, &ended).await?;
    Ok(ended.len())
}
