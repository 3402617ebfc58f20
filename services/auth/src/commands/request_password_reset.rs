//! A link to choose another password is mailed to the owner of an address, if there is one. Whoever asks never
//! learns whether there is: the answer, the rows and the tasks are the same.

use quenty_kernel::{clock::wall_now, contact::Email};
use quenty_platform::Tx;

use super::{Outcome, mail::mail_password_reset, record_access};
use crate::{
    domain::{
        origin::Origin,
        password_reset::PasswordReset,
        rate_limit::{PASSWORD_RESETS, PASSWORD_RESETS_OF_ADDRESS},
        user::UserStatus,
    },
    error::Error,
    store,
};

/// The inner error must be committed, too: the attempt counts.
pub async fn request_password_reset(
    tx: &mut Tx,
    email: &Email,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let now = wall_now();
    for (limit, bucket) in [
        (PASSWORD_RESETS, PASSWORD_RESETS.bucket(&email.canonical())),
        (PASSWORD_RESETS_OF_ADDRESS, PASSWORD_RESETS_OF_ADDRESS.bucket(&origin.network())),
    ] {
        let before = store::rate_limits::hit(tx.conn(), &limit, &bucket, now).await?;
        if let Some(retry_after) = limit.wait(Some(before), now) {
            return Ok(Err(Error::TooManyAttempts { retry_after }));
        }
    }
    let known = store::users::find_by_login(tx.conn(), email.as_str()).await?;
    // Who was invited has another link; who is suspended asks the support.
    let owner = known.filter(|user| user.status() == UserStatus::Active).map(|user| user.id());
    mail_password_reset(tx, &PasswordReset::new(owner, now)).await?;
    record_access(tx, "request_password_reset", Outcome::Succeeded, owner, None, origin)?;
    Ok(Ok(()))
}
