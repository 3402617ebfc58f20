//! What a session may do now: which realm, for which company, with which permissions.

use quenty_kernel::id::CompanyId;
use quenty_platform::token::Realm;

use super::role::{self, Sphere};

/// A person in a company, as Customer told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub company_id: CompanyId,
    pub role: String,
    /// The company was suspended or closed.
    pub company_is_stopped: bool,
}

/// What goes into an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub realm: Realm,
    pub company_id: Option<CompanyId>,
    pub permissions: Vec<String>,
}

/// The company that a new session speaks for: none for staff, else the only one, else the last active one.
#[must_use]
pub fn first_company(
    roles: &[String],
    memberships: &[Membership],
    last: Option<CompanyId>,
) -> Option<CompanyId> {
    match memberships {
        _ if !roles.is_empty() => None,
        [only] => Some(only.company_id),
        many => last.filter(|last| many.iter().any(|membership| membership.company_id == *last)),
    }
}

/// The platform roles that a session has: none while its person must have a second factor and gave none.
#[must_use]
pub fn roles_of_session(roles: &[String], needs_mfa: bool, has_mfa: bool) -> &[String] {
    if needs_mfa && !has_mfa { &[] } else { roles }
}

/// Access of a person with these memberships whose session speaks for `company`; `staff` are the permissions of their
/// platform roles, if they have any.
#[must_use]
pub fn access(staff: Option<Vec<String>>, memberships: &[Membership], company: Option<CompanyId>) -> Access {
    let membership = memberships.iter().find(|membership| Some(membership.company_id) == company);
    match (membership, staff) {
        (Some(membership), _) => {
            let held = role::find(Sphere::Company, &membership.role).map_or(&[][..], |role| role.permissions);
            let permissions = if membership.company_is_stopped {
                role::read_only(held)
            } else {
                held.iter().map(|p| (*p).to_owned()).collect()
            };
            Access { realm: Realm::Company, company_id: Some(membership.company_id), permissions }
        }
        (None, Some(permissions)) => Access { realm: Realm::Staff, company_id: None, permissions },
        (None, None) => Access { realm: Realm::User, company_id: None, permissions: Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(company_id: CompanyId, role: &str) -> Membership {
        Membership { company_id, role: role.to_owned(), company_is_stopped: false }
    }

    #[test]
    fn a_login_picks_the_only_company_or_the_last_one() {
        let (a, b) = (CompanyId::new(), CompanyId::new());
        let both = [member(a, "owner"), member(b, "viewer")];
        assert_eq!(first_company(&[], &both[..1], None), Some(a));
        assert_eq!(first_company(&[], &both, Some(b)), Some(b));
        assert_eq!(first_company(&[], &both, None), None);
        assert_eq!(
            first_company(&[], &both, Some(CompanyId::new())),
            None,
            "no longer a member of the last one"
        );
        assert_eq!(first_company(&["support".to_owned()], &both[..1], None), None, "staff begin as staff");
    }

    #[test]
    fn realms_do_not_mix() {
        let (company, staff) = (CompanyId::new(), Some(vec!["companies:approve".to_owned()]));
        let memberships = [member(company, "viewer")];
        let in_company = access(staff.clone(), &memberships, Some(company));
        assert_eq!((in_company.realm, in_company.company_id), (Realm::Company, Some(company)));
        assert!(
            !in_company.permissions.contains(&"companies:approve".to_owned()),
            "a company's token holds no platform permission"
        );
        assert_eq!(access(staff, &memberships, None).realm, Realm::Staff);
        assert_eq!(
            access(None, &memberships, Some(CompanyId::new())),
            Access { realm: Realm::User, company_id: None, permissions: Vec::new() }
        );
    }

    #[test]
    fn staff_who_must_have_a_second_factor_are_nobody_without_one() {
        let staff = ["support".to_owned()];
        for (needs, has, counts) in
            [(false, false, true), (false, true, true), (true, true, true), (true, false, false)]
        {
            assert_eq!(!roles_of_session(&staff, needs, has).is_empty(), counts, "{needs} {has}");
        }
    }

    #[test]
    fn a_stopped_company_only_reads() {
        let company = CompanyId::new();
        let stopped = Membership { company_is_stopped: true, ..member(company, "owner") };
        let permissions = access(None, &[stopped], Some(company)).permissions;
        assert!(
            !permissions.is_empty() && permissions.iter().all(|p| p.ends_with(":read")),
            "{permissions:?}"
        );
    }
}
