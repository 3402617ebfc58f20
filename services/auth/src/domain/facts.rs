//! What happens here and is nobody else's business: facts that stay in the journal.

use quenty_contracts::auth as published;
use quenty_kernel::{
    Event, Timestamp,
    contact::Email,
    id::{ApiKeyId, CompanyId, SessionId, UserId},
};
use serde::{Deserialize, Serialize};

/// A person was invited by staff or by a company, and may set a password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserInvited {
    pub user_id: UserId,
    pub username: String,
    pub email: Email,
    pub given_name: String,
    pub family_name: String,
    pub language: String,
    pub roles: Vec<String>,
}

impl Event for UserInvited {
    const TYPE: &'static str = "quenty.auth.user.invited.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["username", "email", "given_name", "family_name"];
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileUpdated {
    pub user_id: UserId,
    pub given_name: String,
    pub family_name: String,
    pub language: String,
}

impl Event for ProfileUpdated {
    const TYPE: &'static str = "quenty.auth.user.profile_updated.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["given_name", "family_name"];
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompanySwitched {
    pub session_id: SessionId,
    pub user_id: UserId,
    pub company_id: Option<CompanyId>,
}

impl Event for CompanySwitched {
    const TYPE: &'static str = "quenty.auth.session.company_switched.v1";
    const PUBLISHED: bool = false;
}

/// So many more sessions of a person ended at once than are told one by one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionsEnded {
    pub user_id: UserId,
    pub count: usize,
    pub reason: String,
}

impl Event for SessionsEnded {
    const TYPE: &'static str = "quenty.auth.sessions.ended.v1";
    const PUBLISHED: bool = false;
}

/// An API key got another secret; the one of before works until then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRotated {
    pub api_key_id: ApiKeyId,
    pub user_id: UserId,
    pub previous_until: Timestamp,
}

impl Event for ApiKeyRotated {
    const TYPE: &'static str = "quenty.auth.api_key.rotated.v1";
    const PUBLISHED: bool = false;
}

/// A security-relevant operation and from where it came: the audit trail of what has no fact with an address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessRecorded {
    /// The operation's id, such as `change_password`.
    pub operation: String,
    /// `succeeded` or `refused`.
    pub outcome: String,
    pub user_id: Option<UserId>,
    /// The name of a service, when one asked.
    pub client_id: Option<String>,
    pub address: String,
    pub user_agent: String,
}

impl Event for AccessRecorded {
    const TYPE: &'static str = "quenty.auth.access.recorded.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["address", "user_agent"];
}

/// Staff took every second factor from a person who has lost them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MfaReset {
    pub user_id: UserId,
    pub reason: String,
}

impl Event for MfaReset {
    const TYPE: &'static str = "quenty.auth.mfa.reset.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub enum UserFact {
        Invited(UserInvited),
        Registered(published::UserRegistered),
        Activated(published::UserActivated),
        Suspended(published::UserSuspended),
        Reactivated(published::UserReactivated),
        RolesChanged(published::UserRolesChanged),
        ProfileUpdated(ProfileUpdated),
        PasswordChanged(published::PasswordChanged),
        MfaEnabled(published::MfaEnabled),
        MfaDisabled(published::MfaDisabled),
        MfaReset(MfaReset),
    }
}

quenty_kernel::facts! {
    pub enum SessionFact {
        Started(published::SessionStarted),
        Ended(published::SessionEnded),
        MoreEnded(SessionsEnded),
        ReuseDetected(published::SessionReuseDetected),
        CompanySwitched(CompanySwitched),
        LoginFailed(published::LoginFailed),
        AccessRecorded(AccessRecorded),
    }
}

quenty_kernel::facts! {
    pub enum RoleFact {
        Changed(published::RoleChanged),
    }
}

quenty_kernel::facts! {
    pub enum ApiKeyFact {
        Created(published::ApiKeyCreated),
        Rotated(ApiKeyRotated),
        Revoked(published::ApiKeyRevoked),
    }
}
