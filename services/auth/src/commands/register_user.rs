//! A person registers. Whether the e-mail address has an account already, or was invited, is told to its owner only, by
//! mail.

use quenty_kernel::{clock::wall_now, id::new_uuid};
use quenty_platform::Tx;

use super::{
    Outcome,
    mail::{mail_invitation_again, mail_notice, mail_verification},
    record_access,
};
use crate::{
    domain::{
        link,
        mail::MailKind,
        origin::Origin,
        rate_limit::{REGISTRATIONS, VERIFICATION_MAILS},
        registration::Registration,
    },
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
    if let Some(retry_after) = store::rate_limits::hit(tx.conn(), &REGISTRATIONS, &bucket, wall).await? {
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
    let bucket = VERIFICATION_MAILS.bucket(&person.email.canonical());
    // Many networks that register one address fill nobody's mailbox; they get the same answer.
    let is_mailed = store::rate_limits::hit(tx.conn(), &VERIFICATION_MAILS, &bucket, wall).await?.is_none();
    if let Some(owner) = store::users::find_by_login(tx.conn(), person.email.as_str()).await? {
        if is_mailed {
            // Who was invited may have let the link run out: the address is theirs, and has no password yet.
            if owner.is_invited_without_roles() {
                mail_invitation_again(tx, owner.id()).await?;
            } else {
                mail_notice(tx, owner.id(), MailKind::AlreadyRegistered, new_uuid(), None)?;
            }
        }
        record_access(tx, "register_user", Outcome::Refused, Some(owner.id()), None, origin)?;
        return Ok(Ok(()));
    }
    let token = link::token(&tx.app().part::<TokenKeys>()?.link, registration.id);
    store::registrations::insert(tx.conn(), registration, &token.hash()).await?;
    if is_mailed {
        mail_verification(tx, registration.id)?;
    }
    record_access(tx, "register_user", Outcome::Succeeded, None, None, origin)?;
    Ok(Ok(()))
}
