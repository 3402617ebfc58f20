//! Staff who act on accounts and roles: on whose authority; and what is refused to them, and to everybody in what needs a
//! fresh proof.

use quenty_kernel::{Scope, id::UserId};
use quenty_platform::{
    Result, Tx,
    http::{Answer, Caller},
};

use super::sessions::own_session;
use crate::{
    commands::{Authority, Outcome, record_bounded},
    domain::origin::Origin,
    error::Error,
};

/// No role of a company holds what is for the platform's own people; a token that says so all the same reaches nothing.
pub(super) fn staff_only(caller: &Caller) -> Result<()> {
    match caller.scope()? {
        Scope::All => Ok(()),
        Scope::Company(_) => Err(Error::StaffOnly.into()),
    }
}

pub(super) fn authority<'a>(caller: &'a Caller, origin: &'a Origin) -> Result<Authority<'a>> {
    staff_only(caller)?;
    let (user, session) = own_session(caller)?;
    Ok(Authority { user, session, held: caller.permissions(), origin })
}

/// Refuses. That somebody tried what is not theirs to do, or did not prove to be it, is on record: each of these is told
/// before anything is changed.
pub(super) async fn refuse(
    mut tx: Tx,
    why: Error,
    (operation, about): (&str, Option<UserId>),
    origin: &Origin,
) -> Result<Answer> {
    match why {
        Error::BeyondOwnPermissions | Error::LastSuperAdmin | Error::OwnMfa | Error::ProofTooOld => {
            record_bounded(&mut tx, operation, Outcome::Refused, about, origin).await?;
            tx.refuse(why).await
        }
        why => Err(why.into()),
    }
}
