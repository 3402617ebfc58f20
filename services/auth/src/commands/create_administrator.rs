//! The administrator of the first start.

use quenty_kernel::id::UserId;
use quenty_platform::Tx;

use super::verify_user::create_active;
use crate::{
    domain::{person::Person, role::SUPER_ADMIN},
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
    create_active(tx, id, person, vec![SUPER_ADMIN.to_owned()], password_hash).await
}
