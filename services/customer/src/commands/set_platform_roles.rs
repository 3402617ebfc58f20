use quenty_kernel::id::UserId;
use quenty_platform::Tx;

use crate::{Error, store};

/// Auth tells which roles a user has in the platform itself.
pub(crate) async fn set_platform_roles(tx: &mut Tx, user_id: UserId, roles: &[String]) -> Result<(), Error> {
    Ok(store::staff::put(tx.conn(), user_id, roles).await?)
}
