//! Asking a person who has no user yet to become one: staff by staff, members by their company.
//!
//! Must never hold a secret: Auth makes the link and mails it.

use quenty_contracts::customer::UserInvited;
use quenty_kernel::{
    contact::{Email, LanguageTag, PersonName},
    id::{CompanyId, UserId},
};

use super::profile::ProfileFact;

quenty_kernel::words! {
    /// A role in the platform itself; roles in a company are those of its members.
    pub(crate) enum PlatformRole ("role") {
        SuperAdmin = "super_admin",
        Admin = "admin",
        Support = "support",
        Dispatcher = "dispatcher",
        Driver = "driver",
        FranchiseManager = "franchise_manager",
        CreditAnalyst = "credit_analyst",
        Auditor = "auditor",
    }
}

impl PlatformRole {
    /// Whether it holds what only an inviter with every permission is sure to hold, too: an `admin` neither
    /// decides on credit and loans nor sees them (design/services/auth.md, "Role").
    const fn needs_everything(self) -> bool {
        matches!(self, Self::SuperAdmin | Self::Admin | Self::CreditAnalyst | Self::Auditor)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    #[error("nobody gives or takes a role whose permissions they lack")]
    RoleOutOfReach(String),
    #[error("an invitation to the platform names a role")]
    NoRole,
}

/// Who is asked.
#[derive(Debug, Clone)]
pub(crate) struct Invitee {
    pub(crate) email: Email,
    pub(crate) given_name: PersonName,
    pub(crate) family_name: PersonName,
    pub(crate) language: LanguageTag,
}

impl Invitee {
    fn invited(self, user_id: UserId, roles: Vec<String>, company_id: Option<CompanyId>) -> ProfileFact {
        let invited = UserInvited {
            user_id,
            email: self.email,
            given_name: self.given_name.to_string(),
            family_name: self.family_name.to_string(),
            language: self.language.to_string(),
            roles,
            company_id,
        };
        invited.into()
    }

    /// Into a company, where the membership says the role.
    pub(crate) fn into_company(self, user_id: UserId, company_id: CompanyId) -> ProfileFact {
        self.invited(user_id, Vec::new(), Some(company_id))
    }

    /// Into the platform. `holds_everything`: whether the inviter's token has every permission.
    pub(crate) fn into_platform(
        self,
        user_id: UserId,
        roles: &[PlatformRole],
        holds_everything: bool,
    ) -> Result<ProfileFact, InvitationError> {
        if roles.is_empty() {
            return Err(InvitationError::NoRole);
        }
        let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
        check_reach(&roles, holds_everything)?;
        Ok(self.invited(user_id, roles, None))
    }
}

/// Who may give these roles may also deactivate who has them, and nobody else. A role that this version does not know
/// is out of reach.
pub(crate) fn check_reach(roles: &[String], holds_everything: bool) -> Result<(), InvitationError> {
    let is_out_of_reach =
        |role: &&String| role.parse::<PlatformRole>().map_or(true, PlatformRole::needs_everything);
    match roles.iter().find(is_out_of_reach).filter(|_| !holds_everything) {
        Some(role) => Err(InvitationError::RoleOutOfReach(role.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitee() -> Invitee {
        Invitee {
            email: "ana@example.com".parse().unwrap(),
            given_name: "Ana".parse().unwrap(),
            family_name: "Gómez".parse().unwrap(),
            language: "es".parse().unwrap(),
        }
    }

    #[test]
    fn only_who_holds_everything_invites_those_who_hold_almost_everything() {
        for role in PlatformRole::ALL {
            let outcome = invitee().into_platform(UserId::new(), &[PlatformRole::Driver, *role], false);
            let out_of_reach =
                matches!(role.as_str(), "super_admin" | "admin" | "credit_analyst" | "auditor");
            assert_eq!(outcome.is_err(), out_of_reach, "{role}");
            assert!(invitee().into_platform(UserId::new(), &[*role], true).is_ok());
        }
    }

    #[test]
    fn staff_without_a_role_is_not_invited() {
        assert_eq!(invitee().into_platform(UserId::new(), &[], true), Err(InvitationError::NoRole));
    }
}
