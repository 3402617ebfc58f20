//! A session speaks for another of the person's companies, or for none.

use quenty_contracts::customer::Membership as Told;
use quenty_kernel::{
    clock::wall_now,
    id::{CompanyId, SessionId, UserId},
};
use quenty_platform::Tx;

use super::{Outcome, Tokens, record_access, sign_access};
use crate::{
    domain::{
        facts::{CompanySwitched, SessionFact},
        origin::Origin,
        user::UserStatus,
    },
    error::Error,
    store,
};

/// `told` is what Customer answered when it was asked.
pub async fn switch_company(
    tx: &mut Tx,
    user_id: UserId,
    session: SessionId,
    company: Option<CompanyId>,
    told: &[Told],
    origin: &Origin,
) -> Result<Tokens, Error> {
    let now = wall_now();
    let session = store::sessions::lock(tx.conn(), session).await?;
    let mut session = session
        .filter(|session| session.user_id == user_id && session.is_live(now))
        .ok_or(Error::NoSession)?;
    store::revocations::lock_shared(tx.conn()).await?;
    let user = store::users::find(tx.conn(), user_id).await?;
    let user = user.filter(|user| user.status() == UserStatus::Active).ok_or(Error::Suspended)?;
    store::memberships::fill(tx.conn(), told).await?;
    let memberships = store::memberships::of_user(tx.conn(), user_id).await?;
    if company.is_some_and(|id| !memberships.iter().any(|membership| membership.company_id == id)) {
        return Err(Error::NotFound("company"));
    }
    (session.company_id, session.last_used_at) = (company, now);
    store::sessions::save(tx.conn(), &session).await?;
    let fact = CompanySwitched { session_id: session.id, user_id, company_id: company };
    tx.record_about(session.id, user_id, company, &SessionFact::from(fact))?;
    record_access(tx, "switch_company", Outcome::Succeeded, Some(user_id), None, origin)?;
    sign_access(tx, &session, &user, &memberships, None).await
}
