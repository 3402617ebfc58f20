//! A person proves to own the e-mail address, and is a user from then on. Any link that was mailed there proves the address;
//! the password tells which of its registrations is theirs, since strangers may have registered it, too: nobody makes a
//! stranger's account by following a link, nor is kept from their own because a stranger's links took all mails.

use quenty_kernel::{Actor, clock::wall_now, id::UserId};
use quenty_platform::Tx;
use uuid::Uuid;

use super::{Outcome, login::count_failure, record_access};
use crate::{
    domain::{origin::Origin, password::REMEMBERED, person::Person, secret::OpaqueToken, user::User},
    error::Error,
    store,
};

/// `proved`: the registration whose password was given. The inner error must be committed, too: the attempt counts.
pub async fn verify_user(
    tx: &mut Tx,
    token: &OpaqueToken,
    proved: Option<Uuid>,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let Some(proved) = proved else {
        count_failure(tx, &token.hash(), origin).await?;
        record_access(tx, "verify_user", Outcome::Refused, None, None, origin)?;
        return Ok(Err(Error::BadProof));
    };
    let found = store::registrations::lock(tx.conn(), proved, wall_now()).await?;
    let registration = found.ok_or(Error::BadProof)?;
    let person = &registration.person;
    store::registrations::forget(tx.conn(), &person.email).await?;
    let id = UserId::new();
    tx.act_as(Actor::User(id));
    if !create_active(tx, id, person, Vec::new(), &registration.password_hash).await? {
        // Somebody was faster: with this address, or with the username alone.
        let known = store::users::find_by_login(tx.conn(), person.email.as_str()).await?;
        return Err(if known.is_some() { Error::BadProof } else { Error::UsernameTaken });
    }
    record_access(tx, "verify_user", Outcome::Succeeded, Some(id), None, origin)?;
    Ok(Ok(()))
}

/// Creates a user who may log in at once, unless the username or the address is taken.
pub(super) async fn create_active(
    tx: &mut Tx,
    id: UserId,
    person: &Person,
    roles: Vec<String>,
    password_hash: &str,
) -> Result<bool, Error> {
    let (mut user, registered) = User::register(id, person, roles, tx.now());
    let activated = user.activate(tx.now())?;
    if !store::users::insert(tx.conn(), &user).await? {
        return Ok(false);
    }
    store::passwords::insert(tx.conn(), id, password_hash, REMEMBERED, wall_now()).await?;
    tx.record(id, None, &registered)?;
    tx.record(id, None, &activated)?;
    Ok(true)
}
