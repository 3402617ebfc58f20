//! A person left a company: sessions that spoke for it speak for none.

use quenty_contracts::customer::MemberRemoved;
use quenty_platform::{Received, Tx};

use crate::{commands, error::Error};

pub(super) async fn on_member_removed(tx: &mut Tx, event: Received<MemberRemoved>) -> Result<(), Error> {
    let MemberRemoved { member_id, company_id, user_id } = event.data;
    commands::remove_membership(tx, member_id, company_id, user_id).await
}
