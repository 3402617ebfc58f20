//! A link to choose another password is mailed to the owner of an address, if there is one. Whoever asks never
//! learns whether there is: the answer, and how many rows and tasks are written, are the same.

use quenty_kernel::{clock::wall_now, contact::Email};
use quenty_platform::Tx;

use super::{
    Outcome,
    mail::{mail_invitation_again, mail_password_reset},
    record_access,
};
use crate::{
    domain::{
        origin::Origin,
        password_reset::PasswordReset,
        rate_limit::{PASSWORD_RESETS, PASSWORD_RESETS_OF_ADDRESS},
        user::{User, UserStatus},
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
        if let Some(retry_after) = store::rate_limits::hit(tx.conn(), &limit, &bucket, now).await? {
            return Ok(Err(Error::TooManyAttempts { retry_after }));
        }
    }
    let known = store::users::find_by_login(tx.conn(), email.as_str()).await?;
    let owner = known.as_ref().filter(|user| user.status() == UserStatus::Active).map(User::id);
    let invited = known.as_ref().filter(|user| user.is_invited_without_roles()).map(User::id);
    match invited {
        // Who was invited has no password yet, and may have let the link to choose one run out.
        Some(invited) => mail_invitation_again(tx, invited).await?,
        // Who is suspended asks the support, and who was invited to the platform those who did that.
        None => mail_password_reset(tx, &PasswordReset::new(owner, now)).await?,
    }
    record_access(tx, "request_password_reset", Outcome::Succeeded, owner.or(invited), None, origin)?;
    Ok(Ok(()))
}
