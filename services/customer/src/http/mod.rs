//! The route table. Handlers read through the store and write through commands; no rule lives here.

mod companies;
mod customers;
mod document_types;
mod internal;
mod invitations;
mod kyc;
mod members;
mod onboarding;
mod privacy_requests;
mod users;
mod wire;

use quenty_platform::{App, permissions, routes};
use utoipa_axum::router::OpenApiRouter;

permissions! {
    ReadCompanies = "companies:read", personal;
    UpdateCompanies = "companies:update", personal;
    SubmitCompanies = "companies:submit";
    ApproveCompanies = "companies:approve";
    RejectCompanies = "companies:reject";
    SuspendCompanies = "companies:suspend";
    ReactivateCompanies = "companies:reactivate";
    CloseCompanies = "companies:close";
    SubmitKyc = "kyc:submit";
    DecideKyc = "kyc:decide";
    ReadMembers = "members:read", personal;
    InviteMembers = "members:invite";
    UpdateMembers = "members:update", personal;
    RemoveMembers = "members:remove";
    ReadUsers = "users:read", personal;
    UpdateUsers = "users:update", personal;
    DeactivateUsers = "users:deactivate";
    ReadCustomers = "customers:read", personal;
    CreateCustomers = "customers:create";
    UpdateCustomers = "customers:update", personal;
    CreatePrivacyRequests = "privacy:create";
    ReadPrivacyRequests = "privacy:read";
    ReadStandings = "internal.companies:read";
    ReadMemberships = "internal.memberships:read";
    CheckCustomers = "internal.customers:read";
    UpsertCustomers = "internal.customers:write";
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(companies::list_companies, companies::register_company))
        .routes(routes!(companies::get_company, companies::update_company))
        .routes(routes!(onboarding::submit_company))
        .routes(routes!(onboarding::approve_company))
        .routes(routes!(onboarding::reject_company))
        .routes(routes!(onboarding::suspend_company))
        .routes(routes!(onboarding::reactivate_company))
        .routes(routes!(onboarding::close_company))
        .routes(routes!(kyc::submit_kyc))
        .routes(routes!(kyc::decide_kyc))
        .routes(routes!(members::list_members, members::invite_member))
        .routes(routes!(members::change_member_role, members::remove_member))
        .routes(routes!(invitations::list_invitations))
        .routes(routes!(invitations::accept_invitation))
        .routes(routes!(users::list_users))
        .routes(routes!(users::get_user, users::update_user, users::deactivate_user))
        .routes(routes!(document_types::list_document_types))
        .routes(routes!(document_types::validate_document_number))
        .routes(routes!(customers::list_customers, customers::create_customer))
        .routes(routes!(customers::get_customer, customers::update_customer))
        .routes(routes!(privacy_requests::list_privacy_requests, privacy_requests::create_privacy_request))
        .routes(routes!(privacy_requests::get_privacy_request))
        .routes(routes!(internal::get_standing))
        .routes(routes!(internal::list_memberships))
        .routes(routes!(internal::check_customer))
        .routes(routes!(internal::upsert_customer))
}
