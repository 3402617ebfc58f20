use quenty_kernel::id::UserId;
use quenty_platform::{Tx, http::IfMatch};

use crate::{
    Error,
    domain::profile::{Profile, ProfileChanges, ProfileError},
    store,
};

pub(crate) async fn update_user(
    tx: &mut Tx,
    id: UserId,
    seen: IfMatch,
    changes: ProfileChanges,
) -> Result<Profile, Error> {
    let mut profile = store::profiles::lock(tx.conn(), id).await?.ok_or(ProfileError::NotFound)?;
    seen.check(profile.version())?;
    if let Some(updated) = profile.update(changes, tx.now())? {
        store::profiles::save(tx.conn(), &profile).await?;
        tx.record(id, None, &updated)?;
    }
    Ok(profile)
}
