//! The projection of Customer's members and companies. Tokens that say more than what is true now are over; those that
//! say less follow at their next renewal.
//!
//! The person is locked first, and then the sessions that follow: whoever begins a session holds its person until others
//! see it, and whoever renews one holds its row before anything else.

use quenty_contracts::customer::Standing;
use quenty_kernel::id::{CompanyId, MemberId, UserId};
use quenty_platform::Tx;

use super::{api_keys::revoke_api_keys, revoke_company, revoke_user};
use crate::{
    domain::{
        access::first_company,
        role::{self, Sphere},
    },
    error::Error,
    store,
};

async fn set_membership(
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

/// The person may do other things for the company from now on.
pub async fn change_membership(
    tx: &mut Tx,
    member: MemberId,
    company: CompanyId,
    user: UserId,
    role: &str,
) -> Result<(), Error> {
    revoke_user(tx, user).await?;
    set_membership(tx, member, company, user, role).await
}

/// A person has joined. The sessions of one who belonged to no company speak for it from their next renewal on.
pub async fn add_membership(
    tx: &mut Tx,
    member: MemberId,
    company: CompanyId,
    user: UserId,
    role: &str,
) -> Result<(), Error> {
    let found = store::users::lock(tx.conn(), user).await?;
    store::sessions::lock_all(tx.conn(), user).await?;
    set_membership(tx, member, company, user, role).await?;
    let roles = found.map(|user| user.roles().to_vec()).unwrap_or_default();
    let memberships = store::memberships::of_user(tx.conn(), user).await?;
    match first_company(&roles, &memberships, None) {
        Some(only) => Ok(store::sessions::enter_company(tx.conn(), user, only).await?),
        None => Ok(()),
    }
}

/// A person has left. The keys that act for them there are revoked: they would come to life again with another membership.
/// A removal that is told late, or twice, may find that one: then what is younger than it stays, and so do the sessions. An
/// older one, whose own removal is not heard yet, keeps nothing.
pub async fn remove_membership(
    tx: &mut Tx,
    member: MemberId,
    company: CompanyId,
    user: UserId,
) -> Result<(), Error> {
    store::users::lock(tx.conn(), user).await?;
    store::sessions::lock_all(tx.conn(), user).await?;
    let next = store::memberships::next(tx.conn(), member, company, user).await?;
    revoke_api_keys(tx, user, Some(company), next).await?;
    revoke_user(tx, user).await?;
    store::memberships::remove(tx.conn(), member, company, user).await?;
    match next {
        Some(_) => Ok(()),
        None => Ok(store::sessions::leave_company(tx.conn(), user, company).await?),
    }
}

pub async fn set_standing(tx: &mut Tx, standing: &Standing) -> Result<(), Error> {
    revoke_company(tx, standing.company_id).await?;
    Ok(store::memberships::put_standing(tx.conn(), standing).await?)
}
