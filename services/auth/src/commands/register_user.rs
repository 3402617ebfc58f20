//! A person registers. Whether the e-mail address has an account already is told to its owner only, by mail.

use quenty_kernel::{clock::wall_now, id::new_uuid};
use quenty_platform::Tx;

use super::{
    Outcome,
    mail::{mail_notice, mail_verification},
    record_access,
};
use crate::{
    domain::{link, mail::MailKind, origin::Origin, rate_limit::REGISTRATIONS, registration::Registration},
    error::Error,
    parts::TokenKeys,
    store,
};

/// The inner error must be committed, too: the attempt counts.
pub async fn register_user(
    tx: &mut Tx,
    registration: &Registration,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let wall = wall_now();
    let bucket = REGISTRATIONS.bucket(&origin.network());
    let before = store::rate_limits::hit(tx.conn(), &REGISTRATIONS, &bucket, wall).await?;
    if let Some(retry_after) = REGISTRATIONS.wait(Some(before), wall) {
        return Ok(Err(Error::TooManyAttempts { retry_after }));
    }
    let person = &registration.person;
    // A username is public, an address is not: the name is looked at first, so that the answer never depends on the address.
    if let Some(name) = &person.username
        && store::users::find_by_login(tx.conn(), name.as_str()).await?.is_some()
    {
        record_access(tx, "register_user", Outcome::Refused, None, None, origin)?;
        return Ok(Err(Error::UsernameTaken));
    }
    if let Some(owner) = store::users::find_by_login(tx.conn(), person.email.as_str()).await? {
        mail_notice(tx, owner.id(), MailKind::AlreadyRegistered, new_uuid(), None)?;
        record_access(tx, "register_user", Outcome::Refused, Some(owner.id()), None, origin)?;
        return Ok(Ok(()));
    }
    let token = link::token(&tx.app().part::<TokenKeys>()?.link, registration.id);
    store::registrations::insert(tx.conn(), registration, &token.hash()).await?;
    mail_verification(tx, registration.id)?;
    record_access(tx, "register_user", Outcome::Succeeded, None, None, origin)?;
    Ok(Ok(()))
}
