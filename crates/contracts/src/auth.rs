//! What Auth tells: people who can log in, their sessions and roles.

use std::{fmt, net::IpAddr};

use quenty_kernel::{
    Timestamp,
    contact::Email,
    id::{ApiKeyId, CompanyId, RoleId, SessionId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events;

/// What the gateway asks for who comes with an API key: the body of `POST /internal/api-keys/exchange`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyExchange {
    /// As the client sent it: `qk_<id>_<secret>`.
    #[schema(format = Password, example = "qk_01JD3ZK8Q5V0E8XW4T2M9R6B7C_k3J0b2tlbi1mcm9tLXRoZS1tYWlsLW9yLWxvZ2luLWFuc3c")]
    pub api_key: String,
    /// The client's own address.
    #[schema(value_type = String, example = "203.0.113.7")]
    pub address: IpAddr,
}

/// Its answer. What does not work is a 401 problem, `INVALID_API_KEY`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ExchangedApiKey {
    /// Realm `company`; its `client_id` is the key's id.
    pub access_token: String,
    /// Seconds until it expires.
    #[schema(example = 900)]
    pub expires_in: i64,
}

impl fmt::Debug for ApiKeyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyExchange(…, {})", self.address)
    }
}

impl fmt::Debug for ExchangedApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExchangedApiKey(…)")
    }
}

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
        /// `logout`, `logout_all`, `ended`, `suspended`, `password_changed`, `password_reset`, `reuse_detected`,
        /// `mfa_enabled`, `mfa_disabled`, `mfa_reset`, `revoked`, `superseded`, `wrong_passwords`.
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
        /// `bad_credentials`, `locked`, `not_active`, `bad_code`, `bad_passkey`, `cloned_passkey`, `old_passkey`.
        reason: String,
    }
    "quenty.auth.password.changed.v1" PasswordChanged {
        user_id: UserId,
    }
    "quenty.auth.api_key.created.v1" ApiKeyCreated {
        api_key_id: ApiKeyId,
        /// For whom it acts.
        user_id: UserId,
        company_id: CompanyId,
        name: String,
        scopes: Vec<String>,
        expires_at: Timestamp,
    }
    /// Tokens that were given for it name it as their client; they are revoked with it.
    "quenty.auth.api_key.revoked.v1" ApiKeyRevoked {
        api_key_id: ApiKeyId,
        user_id: UserId,
        company_id: CompanyId,
    }
    "quenty.auth.mfa.enabled.v1" MfaEnabled {
        user_id: UserId,
        /// `totp` or `passkey`.
        method: String,
    }
    "quenty.auth.mfa.disabled.v1" MfaDisabled {
        user_id: UserId,
        method: String,
    }
    /// A platform role that staff made, changed or removed; tokens of who has it are revoked.
    "quenty.auth.role.changed.v1" RoleChanged {
        role_id: RoleId,
        name: String,
        permissions: Vec<String>,
        removed: bool,
    }
}
