//! Another verification mail. The caller never learns whether one was sent.

use quenty_kernel::{clock::wall_now, contact::Email};
use quenty_platform::Tx;

use super::{Outcome, mail::mail_verification, record_access};
use crate::{
    domain::{
        origin::Origin,
        rate_limit::VERIFICATION_MAILS,
        registration::{LIVES, RENEWED},
    },
    error::Error,
    store,
};

/// The inner error must be committed, too: the attempt counts, whether or not there is something to verify.
pub async fn resend_verification(
    tx: &mut Tx,
    email: &Email,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let now = wall_now();
    let bucket = VERIFICATION_MAILS.bucket(&email.canonical());
    if let Some(retry_after) = store::rate_limits::hit(tx.conn(), &VERIFICATION_MAILS, &bucket, now).await? {
        return Ok(Err(Error::TooManyAttempts { retry_after }));
    }
    // Whose it is matters to nobody: with any link the password tells the registration.
    let renewed = store::registrations::renew(tx.conn(), email, now - RENEWED, now + LIVES, now).await?;
    if let Some(registration) = renewed {
        mail_verification(tx, registration)?;
        record_access(tx, "resend_verification", Outcome::Succeeded, None, None, origin)?;
    }
    Ok(Ok(()))
}
