use quenty_kernel::id::UserId;
use quenty_platform::Tx;

use crate::{Error, store};

/// Who has no profile by now was suspended before answering an invitation, and is nobody here yet.
pub(crate) async fn reactivate_profile(tx: &mut Tx, id: UserId) -> Result<(), Error> {
    let Some(mut profile) = store::profiles::lock(tx.conn(), id).await? else { return Ok(()) };
    if let Some(reactivated) = profile.reactivate(tx.now()) {
        store::profiles::save(tx.conn(), &profile).await?;
        tx.record(id, None, &reactivated)?;
    }
    Ok(())
}
