//! A person belongs to a company; its tokens may speak for it from now on.

use quenty_contracts::customer::MemberAdded;
use quenty_platform::{Received, Tx};

use crate::{commands, error::Error};

pub(super) async fn on_member_added(tx: &mut Tx, event: Received<MemberAdded>) -> Result<(), Error> {
    let MemberAdded { member_id, company_id, user_id, role } = event.data;
    commands::add_membership(tx, member_id, company_id, user_id, &role).await
}
