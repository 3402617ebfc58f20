//! Asking a person who has no user yet to become one, on behalf of their company. The platform's own people are invited
//! by Auth.
//!
//! Must never hold a secret: Auth makes the link and mails it.

use quenty_contracts::customer::UserInvited;
use quenty_kernel::{
    contact::{Email, LanguageTag, PersonName},
    id::{CompanyId, UserId},
};

use super::profile::ProfileFact;

/// Who is asked.
#[derive(Debug, Clone)]
pub(crate) struct Invitee {
    pub(crate) email: Email,
    pub(crate) given_name: PersonName,
    pub(crate) family_name: PersonName,
    pub(crate) language: LanguageTag,
}

impl Invitee {
    /// Into a company, where the membership says the role.
    pub(crate) fn into_company(self, user_id: UserId, company_id: CompanyId) -> ProfileFact {
        let invited = UserInvited {
            user_id,
            email: self.email,
            given_name: self.given_name.to_string(),
            family_name: self.family_name.to_string(),
            language: self.language.to_string(),
            roles: Vec::new(),
            company_id: Some(company_id),
        };
        invited.into()
    }
}
