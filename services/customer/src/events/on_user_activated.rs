use quenty_contracts::auth::UserActivated;
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

/// The person owns the address: the invitations that went to it are taken up.
pub(super) async fn on_user_activated(tx: &mut Tx, event: Received<UserActivated>) -> Result<(), Error> {
    commands::activate_members(tx, event.data.user_id, &event.data.email).await
}
