//! A person registers. Whether the e-mail address has an account already is told to its owner only, by mail.

use quenty_kernel::{
    Actor,
    clock::wall_now,
    id::{UserId, new_uuid},
};
use quenty_platform::Tx;

use super::{
    Outcome,
    mail::{mail_link, mail_notice},
    record_access,
};
use crate::{
    domain::{
        link::LinkPurpose,
        mail::MailKind,
        origin::Origin,
        password::REMEMBERED,
        rate_limit::REGISTRATIONS,
        user::{Person, User, UserStatus},
    },
    error::Error,
    store,
};

/// The inner error must be committed, too: the attempt counts.
pub async fn register_user(
    tx: &mut Tx,
    person: &Person,
    password_hash: &str,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let wall = wall_now();
    let bucket = REGISTRATIONS.bucket(&origin.address);
    let before = store::rate_limits::hit(tx.conn(), &REGISTRATIONS, &bucket, wall).await?;
    if let Some(retry_after) = REGISTRATIONS.wait(Some(before), wall) {
        return Ok(Err(Error::TooManyAttempts { retry_after }));
    }
    // A username is public, an address is not: the name is looked at first, so that the answer never depends on the address.
    if let Some(name) = &person.username
        && store::users::find_by_login(tx.conn(), name.as_str()).await?.is_some()
    {
        record_access(tx, "register_user", Outcome::Refused, None, None, origin)?;
        return Ok(Err(Error::UsernameTaken));
    }
    let (user, fact) = User::register(UserId::new(), person, Vec::new(), tx.now());
    if store::users::insert(tx.conn(), &user).await? {
        tx.act_as(Actor::User(user.id()));
        store::passwords::insert(tx.conn(), user.id(), password_hash, REMEMBERED, wall).await?;
        tx.record(user.id(), None, &fact)?;
        mail_link(tx, user.id(), LinkPurpose::Verification).await?;
        record_access(tx, "register_user", Outcome::Succeeded, Some(user.id()), None, origin)?;
        return Ok(Ok(()));
    }
    let Some(owner) = store::users::find_by_login(tx.conn(), person.email.as_str()).await? else {
        return Ok(Err(Error::UsernameTaken));
    };
    remind(tx, &owner).await?;
    record_access(tx, "register_user", Outcome::Refused, Some(owner.id()), None, origin)?;
    Ok(Ok(()))
}

/// The owner of an address that somebody registered again.
async fn remind(tx: &mut Tx, owner: &User) -> Result<(), Error> {
    let is_invited = store::passwords::latest(tx.conn(), owner.id(), 1).await?.is_empty();
    if owner.status() == UserStatus::PendingVerification && !is_invited {
        return mail_link(tx, owner.id(), LinkPurpose::Verification).await;
    }
    mail_notice(tx, owner.id(), MailKind::AlreadyRegistered, new_uuid(), None)
}
