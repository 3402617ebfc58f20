use quenty_contracts::auth::UserRolesChanged;
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

pub(super) async fn on_user_roles_changed(
    tx: &mut Tx,
    event: Received<UserRolesChanged>,
) -> Result<(), Error> {
    commands::set_platform_roles(tx, event.data.user_id, &event.data.roles).await
}
