//! An invited person chooses a password, and is known to everyone from then on.

use quenty_kernel::{Actor, clock::wall_now, id::UserId};
use quenty_platform::Tx;

use super::{Outcome, login::count_failure, record_access};
use crate::{
    domain::{lockout, origin::Origin, password::REMEMBERED, secret::OpaqueToken},
    error::Error,
    store,
};

pub async fn accept_invitation(
    tx: &mut Tx,
    token: &OpaqueToken,
    password_hash: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let wall = wall_now();
    let id = store::links::lock(tx.conn(), &token.hash(), wall).await?.ok_or(Error::BadLink)?;
    let mut user = store::users::lock(tx.conn(), id).await?.ok_or(Error::BadLink)?;
    tx.act_as(Actor::User(id));
    let facts = user.accept_invitation(tx.now())?;
    store::users::save(tx.conn(), &user).await?;
    store::passwords::insert(tx.conn(), id, password_hash, REMEMBERED, wall).await?;
    store::links::use_all(tx.conn(), id, wall).await?;
    for fact in &facts {
        tx.record(id, None, fact)?;
    }
    record_access(tx, "accept_invitation", Outcome::Succeeded, Some(id), None, origin)
}

/// Who has accepted it came again, with another password than was chosen: that counts as a failed login does.
pub async fn refuse_invitation(tx: &mut Tx, id: UserId, origin: &Origin) -> Result<Error, Error> {
    count_failure(tx, &lockout::account(Some(id), ""), origin).await?;
    record_access(tx, "accept_invitation", Outcome::Refused, Some(id), None, origin)?;
    Ok(Error::BadLink)
}
