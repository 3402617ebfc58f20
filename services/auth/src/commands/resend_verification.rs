//! Another verification mail. The caller never learns whether one was sent.

use quenty_kernel::{clock::wall_now, contact::Email};
use quenty_platform::Tx;

use super::{Outcome, mail::mail_link, record_access};
use crate::{
    domain::{link::LinkPurpose, origin::Origin, rate_limit::VERIFICATION_MAILS, user::UserStatus},
    error::Error,
    store,
};

/// The inner error must be committed, too: the attempt counts, whether or not the account exists.
pub async fn resend_verification(
    tx: &mut Tx,
    email: &Email,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let now = wall_now();
    let bucket = VERIFICATION_MAILS.bucket(&email.canonical());
    let before = store::rate_limits::hit(tx.conn(), &VERIFICATION_MAILS, &bucket, now).await?;
    if let Some(retry_after) = VERIFICATION_MAILS.wait(Some(before), now) {
        return Ok(Err(Error::TooManyAttempts { retry_after }));
    }
    let user = store::users::find_by_login(tx.conn(), email.as_str()).await?;
    if let Some(user) = user.filter(|user| user.status() == UserStatus::PendingVerification) {
        // Who was invited has no password yet, and gets another invitation from whoever invited.
        if !store::passwords::latest(tx.conn(), user.id(), 1).await?.is_empty() {
            mail_link(tx, user.id(), LinkPurpose::Verification).await?;
            record_access(tx, "resend_verification", Outcome::Succeeded, Some(user.id()), None, origin)?;
        }
    }
    Ok(Ok(()))
}
