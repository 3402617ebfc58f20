use quenty_kernel::{contact::Text, id::UserId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{invitation::check_reach, profile::ProfileError},
    store,
};

/// Auth hears of it and lets the person in no more; what it forbids after all, it tells by reactivating them.
pub(crate) async fn deactivate_user(
    tx: &mut Tx,
    id: UserId,
    reason: &Text<500>,
    holds_everything: bool,
) -> Result<(), Error> {
    let mut profile = store::profiles::lock(tx.conn(), id).await?.ok_or(ProfileError::NotFound)?;
    check_reach(&store::staff::roles(tx.conn(), id).await?, holds_everything)?;
    if let Some(deactivated) = profile.deactivate(reason, tx.now()) {
        store::profiles::save(tx.conn(), &profile).await?;
        tx.record(id, None, &deactivated)?;
    }
    Ok(())
}
