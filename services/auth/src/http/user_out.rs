//! A user as the API shows it.

use quenty_kernel::{
    Timestamp,
    contact::Email,
    id::{CompanyId, UserId},
};
use quenty_platform::{Result, http::Answer};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    access::Membership,
    mfa::Methods,
    user::{User, UserStatus},
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserOut {
    id: UserId,
    #[schema(example = "ana.gomez")]
    username: String,
    email: Email,
    #[schema(example = "Ana")]
    given_name: String,
    #[schema(example = "Gómez")]
    family_name: String,
    #[schema(example = "es-CO")]
    language: String,
    status: UserStatus,
    /// Roles in the platform itself.
    #[schema(example = json!(["driver"]))]
    roles: Vec<String>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// The own profile: the user, and the companies that the person belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProfileOut {
    #[serde(flatten)]
    user: UserOut,
    memberships: Vec<MembershipOut>,
    /// Whether logins ask for a second factor: a code of an authenticator app, or a passkey.
    mfa_enabled: bool,
    /// How many recovery codes are left.
    #[schema(example = 10)]
    recovery_codes_left: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MembershipOut {
    company_id: CompanyId,
    #[schema(example = "owner")]
    role: String,
}

impl From<User> for UserOut {
    fn from(user: User) -> Self {
        let User {
            id,
            username,
            email,
            given_name,
            family_name,
            language,
            status,
            roles,
            version,
            created_at,
            updated_at,
            verified: _,
        } = user;
        Self {
            id,
            username,
            email,
            given_name,
            family_name,
            language,
            status,
            roles,
            version,
            created_at,
            updated_at,
        }
    }
}

impl ProfileOut {
    pub(super) fn new(
        user: User,
        memberships: Vec<Membership>,
        methods: Methods,
        recovery_codes_left: i64,
    ) -> Self {
        let memberships = memberships
            .into_iter()
            .map(|m| MembershipOut { company_id: m.company_id, role: m.role })
            .collect();
        Self { user: user.into(), memberships, mfa_enabled: methods.is_enabled(), recovery_codes_left }
    }
}

/// One who was invited a moment ago.
pub(super) fn invited(user: User) -> Result<Answer> {
    let (at, version) = (format!("/api/v1/admin/users/{}", user.id()), user.version());
    Ok(Answer::created(at, &UserOut::from(user))?.version(version))
}

pub(super) fn answer(user: User) -> Result<Answer> {
    let version = user.version();
    Ok(Answer::ok(&UserOut::from(user))?.version(version))
}
