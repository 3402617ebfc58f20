use quenty_kernel::{contact::Text, id::UserId};
use quenty_platform::Tx;

use crate::{Error, domain::profile::ProfileError, store};

/// Auth hears of it and lets the person in no more. Who has platform roles is suspended at Auth: should that not be known
/// here yet, Auth tells so by reactivating them.
pub(crate) async fn deactivate_user(tx: &mut Tx, id: UserId, reason: &Text<500>) -> Result<(), Error> {
    let mut profile = store::profiles::lock(tx.conn(), id).await?.ok_or(ProfileError::NotFound)?;
    if !store::staff::roles(tx.conn(), id).await?.is_empty() {
        return Err(ProfileError::IsStaff.into());
    }
    let deactivated = profile.deactivate(reason, tx.now());
    store::profiles::save(tx.conn(), &profile).await?;
    Ok(tx.record(id, None, &deactivated)?)
}
