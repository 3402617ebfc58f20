use quenty_kernel::{Scope, contact::Email, id::UserId};
use quenty_platform::Tx;

use super::lock_company;
use crate::{Error, domain::member::MemberStatus, store};

/// A person has proved to own `email`: whatever companies invited it, they are in.
pub(crate) async fn activate_members(tx: &mut Tx, user_id: UserId, email: &Email) -> Result<(), Error> {
    let now = tx.now();
    for invited in store::members::all_invited(tx.conn(), email).await? {
        let (id, company_id) = (invited.id(), invited.company_id());
        let company = lock_company(tx, Scope::All, company_id).await?;
        let still_invited = store::members::lock_invited(tx.conn(), id, email)
            .await?
            .filter(|member| member.state().status == MemberStatus::Invited);
        let Some(mut member) = still_invited else { continue };
        // The founder may have been invited by mail before this event came.
        let is_in = store::members::find_active(tx.conn(), company_id, user_id).await?.is_some();
        let fact = if is_in || company.ensure_open().is_err() {
            member.remove(0, now)?
        } else {
            member.accept(user_id, now)?
        };
        store::members::save(tx.conn(), &member).await?;
        tx.record(id, Some(company_id), &fact)?;
    }
    Ok(())
}
