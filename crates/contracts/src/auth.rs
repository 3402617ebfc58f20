//! What Auth tells: people who can log in, their sessions and roles.

use quenty_kernel::{
    contact::Email,
    id::{CompanyId, SessionId, UserId},
};

use crate::events;

events! {
    /// A person proved to own the address that they registered, or accepted an invitation.
    "quenty.auth.user.registered.v1" UserRegistered personal["username", "email", "given_name", "family_name"] {
        user_id: UserId,
        username: String,
        email: Email,
        given_name: String,
        family_name: String,
        language: String,
        /// Platform roles, such as `driver`; empty for merchants' people.
        roles: Vec<String>,
    }
    /// The person proved to own the e-mail address and may log in.
    "quenty.auth.user.activated.v1" UserActivated personal["email"] {
        user_id: UserId,
        email: Email,
    }
    "quenty.auth.user.suspended.v1" UserSuspended {
        user_id: UserId,
        reason: String,
    }
    /// The person may log in again; or still may, where others deactivated them and were not allowed to.
    "quenty.auth.user.reactivated.v1" UserReactivated {
        user_id: UserId,
    }
    "quenty.auth.user.roles_changed.v1" UserRolesChanged {
        user_id: UserId,
        roles: Vec<String>,
    }
    "quenty.auth.session.started.v1" SessionStarted personal["address", "user_agent"] {
        session_id: SessionId,
        user_id: UserId,
        company_id: Option<CompanyId>,
        address: String,
        user_agent: String,
    }
    "quenty.auth.session.ended.v1" SessionEnded {
        session_id: SessionId,
        user_id: UserId,
        /// `logout`, `logout_all`, `suspended`, `password_changed`, `expired`.
        reason: String,
    }
    /// A refresh token was used a second time: the whole session is revoked.
    "quenty.auth.session.reuse_detected.v1" SessionReuseDetected personal["address"] {
        session_id: SessionId,
        user_id: UserId,
        address: String,
    }
    "quenty.auth.login.failed.v1" LoginFailed personal["login", "address", "user_agent"] {
        /// Absent when nobody has that name.
        user_id: Option<UserId>,
        /// Only what names somebody: anything else may be a secret in the wrong field.
        login: Option<String>,
        address: String,
        user_agent: String,
        /// `bad_credentials`, `locked`, `not_active`.
        reason: String,
    }
    "quenty.auth.password.changed.v1" PasswordChanged {
        user_id: UserId,
    }
}
