use quenty_kernel::id::UserId;
use quenty_platform::Tx;

use crate::{Error, domain::profile::ProfileError, store};

pub(crate) async fn reactivate_profile(tx: &mut Tx, id: UserId) -> Result<(), Error> {
    let mut profile = store::profiles::lock(tx.conn(), id).await?.ok_or(ProfileError::NotKnownYet)?;
    if let Some(reactivated) = profile.reactivate(tx.now()) {
        store::profiles::save(tx.conn(), &profile).await?;
        tx.record(id, None, &reactivated)?;
    }
    Ok(())
}
