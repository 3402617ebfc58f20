use quenty_contracts::auth::UserSuspended;
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

pub(super) async fn on_user_suspended(tx: &mut Tx, event: Received<UserSuspended>) -> Result<(), Error> {
    commands::suspend_profile(tx, event.data.user_id, &event.data.reason).await
}
