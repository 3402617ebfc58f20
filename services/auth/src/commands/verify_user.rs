//! A person proves to own the e-mail address.

use quenty_kernel::{Actor, Scope, clock::wall_now};
use quenty_platform::Tx;

use super::{Outcome, record_access};
use crate::{
    domain::{link::LinkPurpose, origin::Origin, secret::OpaqueToken},
    error::Error,
    store,
};

pub async fn verify_user(tx: &mut Tx, token: &OpaqueToken, origin: &Origin) -> Result<(), Error> {
    let now = wall_now();
    let link = store::links::lock(tx.conn(), LinkPurpose::Verification, &token.hash(), now)
        .await?
        .ok_or(Error::BadLink)?;
    let mut user = store::users::lock(tx.conn(), Scope::All, link.user_id).await?.ok_or(Error::BadLink)?;
    tx.act_as(Actor::User(user.id()));
    let fact = user.activate(tx.now())?;
    store::users::save(tx.conn(), &user).await?;
    store::links::use_all(tx.conn(), user.id(), now).await?;
    tx.record(user.id(), None, &fact)?;
    record_access(tx, "verify_user", Outcome::Succeeded, Some(user.id()), None, origin)
}
