//! A person may do other things in a company.

use quenty_contracts::customer::MemberRoleChanged;
use quenty_platform::{Received, Tx};

use crate::{commands, error::Error};

pub(super) async fn on_member_role_changed(
    tx: &mut Tx,
    event: Received<MemberRoleChanged>,
) -> Result<(), Error> {
    let MemberRoleChanged { member_id, company_id, user_id, role } = event.data;
    commands::change_membership(tx, member_id, company_id, user_id, &role).await
}
