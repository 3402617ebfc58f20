use quenty_kernel::{contact::Email, id::UserId};
use quenty_platform::Tx;

use crate::{Error, store};

/// A person has proved to own `email`: whatever companies invited it, they are in.
pub(crate) async fn activate_members(tx: &mut Tx, user_id: UserId, email: &Email) -> Result<(), Error> {
    let now = tx.now();
    for mut member in store::members::lock_all_invited(tx.conn(), email).await? {
        let company_id = member.company_id();
        // The founder may have been invited by mail before this event came.
        let fact = match store::members::find_active(tx.conn(), company_id, user_id).await? {
            Some(_) => member.remove(0, now)?,
            None => member.accept(user_id, now)?,
        };
        store::members::save(tx.conn(), &member).await?;
        tx.record(member.id(), Some(company_id), &fact)?;
    }
    Ok(())
}
