use quenty_contracts::auth::UserReactivated;
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

pub(super) async fn on_user_reactivated(tx: &mut Tx, event: Received<UserReactivated>) -> Result<(), Error> {
    commands::reactivate_profile(tx, event.data.user_id).await
}
