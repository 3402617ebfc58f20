//! The projection of Customer's members and companies; tokens follow at their next renewal.

use quenty_contracts::customer::Standing;
use quenty_kernel::id::{CompanyId, MemberId, UserId};
use quenty_platform::Tx;

use crate::{
    domain::role::{self, Sphere},
    error::Error,
    store,
};

pub async fn set_membership(
    tx: &mut Tx,
    member: MemberId,
    company: CompanyId,
    user: UserId,
    role: &str,
) -> Result<(), Error> {
    if role::find(Sphere::Company, role).is_none() {
        return Err(
            quenty_platform::Error::internal(format!("no company role {role} in this version")).into()
        );
    }
    Ok(store::memberships::put(tx.conn(), member, company, user, role).await?)
}

pub async fn remove_membership(
    tx: &mut Tx,
    member: MemberId,
    company: CompanyId,
    user: UserId,
) -> Result<(), Error> {
    store::memberships::remove(tx.conn(), member, company, user).await?;
    Ok(store::sessions::leave_company(tx.conn(), user, company).await?)
}

pub async fn set_standing(tx: &mut Tx, standing: &Standing) -> Result<(), Error> {
    Ok(store::memberships::put_standing(tx.conn(), standing).await?)
}
