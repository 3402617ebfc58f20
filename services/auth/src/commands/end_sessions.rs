//! Ending sessions: logging out, here or everywhere, and everything that revokes.

use quenty_contracts::auth::SessionEnded;
use quenty_kernel::{
    clock::wall_now,
    id::{SessionId, UserId},
};
use quenty_platform::Tx;

use super::revoke_sessions;
use crate::{
    domain::{
        facts::{SessionFact, SessionsEnded},
        session::{MOST_SESSIONS, may_have_tokens},
    },
    error::Error,
    store,
};

/// Of so many sessions that end at once each is told; of more only how many. A database from before
/// [`MOST_SESSIONS`] may hold any number, and throwing somebody out must not take longer for it.
const MOST_TOLD: usize = 1000;

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
    tell(tx, user, &ended, reason)?;
    revoke_sessions(tx, user, &ended).await?;
    Ok(ended.len())
}

/// Makes room for another session: that ends which was not used for longest if there are [`MOST_SESSIONS`]. Under the lock of the user, and before
/// [`store::revocations::lock_shared`]: two who hold that together would wait for each other here.
pub(super) async fn make_room(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    let (reason, now) = ("superseded", wall_now());
    let ended = store::sessions::end_oldest(tx.conn(), user, MOST_SESSIONS - 1, reason, now).await?;
    let ids: Vec<SessionId> = ended.iter().map(|(id, _)| *id).collect();
    tell(tx, user, &ids, reason)?;
    // Mostly none: a login at the limit holds up nobody, and ends no token of other sessions.
    let may_have_tokens = ended.into_iter().filter(|(_, used_at)| may_have_tokens(*used_at, now));
    let may_have_tokens: Vec<SessionId> = may_have_tokens.map(|(id, _)| id).collect();
    revoke_sessions(tx, user, &may_have_tokens).await
}

fn tell(tx: &mut Tx, user_id: UserId, ended: &[SessionId], reason: &str) -> Result<(), Error> {
    let reason = reason.to_owned();
    for session_id in ended.iter().take(MOST_TOLD) {
        let fact = SessionEnded { session_id: *session_id, user_id, reason: reason.clone() };
        tx.record_about(*session_id, user_id, None, &SessionFact::from(fact))?;
    }
    if ended.len() > MOST_TOLD {
        let fact = SessionsEnded { user_id, count: ended.len() - MOST_TOLD, reason };
        tx.record_about(SessionId::new(), user_id, None, &SessionFact::from(fact))?;
    }
    Ok(())
}
