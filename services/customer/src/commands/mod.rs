//! One file per verb: load and lock, ask the domain, save, record. A command never commits, and speaks
//! neither HTTP nor to the network.
//!
//! Who touches a company and its members locks the company first, so that two owners who remove each other
//! at once are seen one after the other.

mod accept_invitation;
mod activate_members;
mod approve_company;
mod change_member_role;
mod close_company;
mod create_customer;
mod create_privacy_request;
mod create_profile;
mod deactivate_user;
mod decide_kyc;
mod follow_privacy_request;
mod invite_member;
mod reactivate_company;
mod reactivate_profile;
mod register_company;
mod reject_company;
mod remove_member;
mod set_platform_roles;
mod submit_company;
mod submit_kyc;
mod suspend_company;
mod suspend_profile;
mod update_company;
mod update_customer;
mod update_user;
mod upsert_customer;

pub(crate) use accept_invitation::accept_invitation;
pub(crate) use activate_members::activate_members;
pub(crate) use approve_company::approve_company;
pub(crate) use change_member_role::change_member_role;
pub(crate) use close_company::close_company;
pub(crate) use create_customer::create_customer;
pub(crate) use create_privacy_request::create_privacy_request;
pub(crate) use create_profile::create_profile;
pub(crate) use deactivate_user::deactivate_user;
pub(crate) use decide_kyc::decide_kyc;
pub(crate) use follow_privacy_request::follow_privacy_request;
pub(crate) use invite_member::{MemberInvitation, invite_member};
pub(crate) use reactivate_company::reactivate_company;
pub(crate) use reactivate_profile::reactivate_profile;
pub(crate) use register_company::{Registration, register_company};
pub(crate) use reject_company::reject_company;
pub(crate) use remove_member::remove_member;
pub(crate) use set_platform_roles::set_platform_roles;
pub(crate) use submit_company::submit_company;
pub(crate) use submit_kyc::submit_kyc;
pub(crate) use suspend_company::suspend_company;
pub(crate) use suspend_profile::suspend_profile;
pub(crate) use update_company::update_company;
pub(crate) use update_customer::update_customer;
pub(crate) use update_user::update_user;
pub(crate) use upsert_customer::upsert_customer;

use quenty_kernel::{
    Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::company::{Company, CompanyError, CompanyFact, Reviewer},
    store,
};

async fn lock_company(tx: &mut Tx, scope: Scope, id: CompanyId) -> Result<Company, Error> {
    Ok(store::companies::lock(tx.conn(), scope, id).await?.ok_or(CompanyError::NotFound)?)
}

async fn save_company(tx: &mut Tx, company: &Company, fact: &CompanyFact) -> Result<(), Error> {
    store::companies::save(tx.conn(), company).await.map_err(document_taken)?;
    Ok(tx.record(company.id(), Some(company.id()), fact)?)
}

/// Another company with the document came into review first.
fn document_taken(error: quenty_platform::Error) -> Error {
    match error.violated_constraint() {
        Some("companies_judged_document") => CompanyError::DocumentTaken.into(),
        _ => error.into(),
    }
}

/// A person of the platform, and what they are to the company.
async fn reviewer(tx: &mut Tx, company: CompanyId, user_id: UserId) -> Result<Reviewer, Error> {
    let is_member = store::members::find_active(tx.conn(), company, user_id).await?.is_some();
    Ok(Reviewer { user_id, is_member })
}
