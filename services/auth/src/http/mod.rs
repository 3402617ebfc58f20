//! The route table.

mod api_keys;
mod audit;
mod authority;
mod customer;
mod internal;
mod invitations;
mod json_or_form;
mod jwks;
mod login;
mod mfa;
mod oauth;
mod origin;
mod passkeys;
mod passwords;
mod profile;
mod qr_svg;
mod register;
mod roles;
mod service_token;
mod sessions;
mod tokens_out;
mod user_out;
mod users;

use quenty_platform::{App, routes};
use utoipa_axum::router::OpenApiRouter;

quenty_platform::permissions! {
    ReadUsers = "users:read", personal;
    InviteUsers = "users:invite";
    UpdateUsers = "users:update", personal;
    SuspendUsers = "users:suspend";
    ReactivateUsers = "users:reactivate";
    UnlockUsers = "users:unlock";
    ResetMfa = "users:reset_mfa";
    AssignRoles = "users:assign_roles", personal;
    ReadRoles = "roles:read";
    CreateRoles = "roles:create";
    UpdateRoles = "roles:update";
    DeleteRoles = "roles:delete";
    ReadAudit = "audit:read", personal;
    VerifyAudit = "audit:verify";
    ReadApiKeys = "api_keys:read";
    CreateApiKeys = "api_keys:create";
    RotateApiKeys = "api_keys:rotate";
    RevokeApiKeys = "api_keys:revoke";
    ExchangeApiKeys = "internal.api_keys:exchange";
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register::register_user))
        .routes(routes!(register::verify_user))
        .routes(routes!(register::resend_verification))
        .routes(routes!(invitations::accept_invitation))
        .routes(routes!(login::login))
        .routes(routes!(sessions::refresh))
        .routes(routes!(sessions::switch_company))
        .routes(routes!(sessions::logout))
        .routes(routes!(sessions::logout_all))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(passwords::change_password))
        .routes(routes!(passwords::reauthenticate))
        .routes(routes!(mfa::verify_mfa))
        .routes(routes!(mfa::enrol_totp, mfa::disable_totp))
        .routes(routes!(mfa::confirm_totp))
        .routes(routes!(mfa::renew_recovery_codes))
        .routes(routes!(passkeys::list_passkeys, passkeys::add_passkey))
        .routes(routes!(passkeys::ask_new_passkey))
        .routes(routes!(passkeys::remove_passkey))
        .routes(routes!(passkeys::ask_passkey))
        .routes(routes!(passkeys::verify_passkey))
        .routes(routes!(passkeys::ask_own_passkey))
        .routes(routes!(passkeys::ask_any_passkey))
        .routes(routes!(passkeys::login_with_passkey))
        .routes(routes!(passwords::request_password_reset))
        .routes(routes!(passwords::confirm_password_reset))
        .routes(routes!(profile::get_profile, profile::update_profile))
        .routes(routes!(api_keys::list_api_keys, api_keys::create_api_key))
        .routes(routes!(api_keys::revoke_api_key))
        .routes(routes!(api_keys::rotate_api_key))
        .routes(routes!(internal::exchange_api_key))
        .routes(routes!(service_token::issue_service_token))
        .routes(routes!(oauth::introspect_token))
        .routes(routes!(oauth::revoke_token))
        .routes(routes!(jwks::get_jwks))
        .routes(routes!(jwks::get_revocations))
        .routes(routes!(users::list_users, users::invite_user))
        .routes(routes!(users::get_user, users::update_user))
        .routes(routes!(users::suspend_user))
        .routes(routes!(users::reactivate_user))
        .routes(routes!(users::unlock_user))
        .routes(routes!(users::reset_mfa))
        .routes(routes!(users::assign_roles))
        .routes(routes!(roles::list_roles, roles::create_role))
        .routes(routes!(roles::update_role, roles::delete_role))
        .routes(routes!(roles::list_permissions))
        .routes(routes!(audit::list_audit))
        .routes(routes!(audit::verify_audit))
}
