//! The administrator of the first start.

use quenty_kernel::{clock::wall_now, id::UserId};
use quenty_platform::Tx;

use crate::{
    domain::{
        password::REMEMBERED,
        role::SUPER_ADMIN,
        user::{Person, User},
    },
    error::Error,
    store,
};

/// Creates the administrator unless somebody exists already; tells whether it did.
pub async fn create_administrator(
    tx: &mut Tx,
    id: UserId,
    person: &Person,
    password_hash: &str,
) -> Result<bool, Error> {
    store::users::lock_staff(tx.conn()).await?;
    if store::users::any(tx.conn()).await? {
        return Ok(false);
    }
    let now = tx.now();
    let (mut user, registered) = User::register(id, person, vec![SUPER_ADMIN.to_owned()], now);
    let activated = user.activate(now)?;
    store::users::insert(tx.conn(), &user).await?;
    store::passwords::insert(tx.conn(), id, password_hash, REMEMBERED, wall_now()).await?;
    tx.record(id, None, &registered)?;
    tx.record(id, None, &activated)?;
    Ok(true)
}
