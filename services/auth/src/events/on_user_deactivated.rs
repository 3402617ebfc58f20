//! Customer deactivated a person, who therefore may not log in any more.

use quenty_contracts::customer::UserDeactivated;
use quenty_platform::{Received, Tx};

use crate::{commands, error::Error};

pub(super) async fn on_user_deactivated(tx: &mut Tx, event: Received<UserDeactivated>) -> Result<(), Error> {
    commands::deactivate_user(tx, event.data.user_id, &event.data.reason).await
}
