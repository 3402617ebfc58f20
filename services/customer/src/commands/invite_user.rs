use quenty_kernel::id::UserId;
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{
        invitation::{Invitee, PlatformRole},
        profile::ProfileError,
    },
    store,
};

/// Asks somebody to work for the platform. Their profile comes with Auth's word that they accepted.
pub(crate) async fn invite_user(
    tx: &mut Tx,
    invitee: Invitee,
    roles: &[PlatformRole],
    holds_everything: bool,
) -> Result<UserId, Error> {
    if let Some(profile) = store::profiles::find_by_email(tx.conn(), &invitee.email).await? {
        return Err(ProfileError::EmailTaken(profile.user_id()).into());
    }
    let now = tx.now();
    let user_id = store::user_invitations::promise(tx.conn(), &invitee.email, UserId::new(), now).await?;
    tx.record(user_id, None, &invitee.into_platform(user_id, roles, holds_everything)?)?;
    Ok(user_id)
}
