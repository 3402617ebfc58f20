use quenty_kernel::id::UserId;
use quenty_platform::Tx;

use crate::{Error, store};

/// Auth suspended the person, or did so at our word. Who has no profile was suspended before answering an invitation.
pub(crate) async fn suspend_profile(tx: &mut Tx, id: UserId, reason: &str) -> Result<(), Error> {
    let Some(mut profile) = store::profiles::lock(tx.conn(), id).await? else { return Ok(()) };
    if let Some(suspended) = profile.suspend(reason, tx.now()) {
        store::profiles::save(tx.conn(), &profile).await?;
        tx.record(id, None, &suspended)?;
    }
    Ok(())
}
