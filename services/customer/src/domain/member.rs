//! A member: a user in a company with a role, from the invitation to the end.
//!
//! Must never give permissions: Auth turns roles into those.

use quenty_contracts::customer::{MemberAdded, MemberRemoved, MemberRoleChanged};
use quenty_kernel::{
    Event, Invalid, Timestamp,
    contact::Email,
    id::{CompanyId, MemberId, UserId},
};
use serde::{Deserialize, Serialize};

quenty_kernel::words! {
    pub(crate) enum MemberRole ("role") {
        Owner = "owner",
        Manager = "manager",
        Operator = "operator",
        Warehouse = "warehouse",
        Finance = "finance",
        Viewer = "viewer",
    }
}

quenty_kernel::words! {
    pub(crate) enum MemberStatus ("member status") { Invited = "invited", Active = "active", Removed = "removed" }
}

impl MemberStatus {
    pub(crate) fn may_become(self, next: Self) -> bool {
        matches!((self, next), (Self::Invited, Self::Active | Self::Removed) | (Self::Active, Self::Removed))
    }
}

/// Somebody is asked to join. Not published: only who has joined matters elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MemberInvited {
    pub(crate) member_id: MemberId,
    pub(crate) company_id: CompanyId,
    pub(crate) email: Email,
    pub(crate) role: String,
    pub(crate) invited_by: UserId,
}

impl Event for MemberInvited {
    const TYPE: &'static str = "quenty.customer.member.invited.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["email"];
}

/// The invitation was taken back before anyone took it up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MemberInvitationWithdrawn {
    pub(crate) member_id: MemberId,
    pub(crate) company_id: CompanyId,
}

impl Event for MemberInvitationWithdrawn {
    const TYPE: &'static str = "quenty.customer.member.invitation_withdrawn.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum MemberFact {
        Invited(MemberInvited),
        InvitationWithdrawn(MemberInvitationWithdrawn),
        Added(MemberAdded),
        RoleChanged(MemberRoleChanged),
        Removed(MemberRemoved),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    #[error("there is no such member")]
    NotFound,
    #[error("a member who is {from} cannot become {to}")]
    Illegal { from: &'static str, to: &'static str },
    #[error("a member who is {0} has no role to change")]
    NotActive(&'static str),
    #[error("a company always keeps one owner")]
    LastOwner,
    #[error("the person is in the company or invited")]
    AlreadyThere(MemberId),
    #[error(transparent)]
    Unreadable(#[from] Invalid),
}

/// A member and all that the row keeps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MemberState {
    pub(crate) id: MemberId,
    pub(crate) company_id: CompanyId,
    /// Known from the moment of joining.
    pub(crate) user_id: Option<UserId>,
    /// The address that was invited; none for the founder.
    pub(crate) email: Option<Email>,
    pub(crate) role: MemberRole,
    pub(crate) status: MemberStatus,
    pub(crate) invited_by: Option<UserId>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member(MemberState);

impl Member {
    /// Who registers a company owns it.
    pub(crate) fn found(company_id: CompanyId, user_id: UserId, now: Timestamp) -> (Self, MemberFact) {
        let state = MemberState {
            id: MemberId::new(),
            company_id,
            user_id: Some(user_id),
            email: None,
            role: MemberRole::Owner,
            status: MemberStatus::Active,
            invited_by: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let added = MemberAdded { member_id: state.id, company_id, user_id, role: state.role.to_string() };
        (Self(state), added.into())
    }

    pub(crate) fn invite(
        company_id: CompanyId,
        email: Email,
        role: MemberRole,
        invited_by: UserId,
        now: Timestamp,
    ) -> (Self, MemberFact) {
        let state = MemberState {
            id: MemberId::new(),
            company_id,
            user_id: None,
            email: Some(email.clone()),
            role,
            status: MemberStatus::Invited,
            invited_by: Some(invited_by),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let invited =
            MemberInvited { member_id: state.id, company_id, email, role: role.to_string(), invited_by };
        (Self(state), invited.into())
    }

    /// Takes the invitation up; whether `user_id` is who was invited is the caller's to know.
    pub(crate) fn accept(&mut self, user_id: UserId, now: Timestamp) -> Result<MemberFact, MemberError> {
        self.check_move(MemberStatus::Active)?;
        let added = MemberAdded {
            member_id: self.0.id,
            company_id: self.0.company_id,
            user_id,
            role: self.0.role.to_string(),
        };
        self.record(added, now)
    }

    /// `other_owners` counts the active ones besides this member who can log in. Nothing to tell when nothing changes.
    pub(crate) fn change_role(
        &mut self,
        role: MemberRole,
        other_owners: i64,
        now: Timestamp,
    ) -> Result<Option<MemberFact>, MemberError> {
        let user_id = self.active_user()?;
        if role == self.0.role {
            return Ok(None);
        }
        self.check_owner_stays(other_owners)?;
        let changed = MemberRoleChanged {
            member_id: self.0.id,
            company_id: self.0.company_id,
            user_id,
            role: role.to_string(),
        };
        self.record(changed, now).map(Some)
    }

    /// Ends the membership, or takes the invitation back.
    pub(crate) fn remove(&mut self, other_owners: i64, now: Timestamp) -> Result<MemberFact, MemberError> {
        self.check_move(MemberStatus::Removed)?;
        let (member_id, company_id) = (self.0.id, self.0.company_id);
        if self.0.status == MemberStatus::Invited {
            return self.record(MemberInvitationWithdrawn { member_id, company_id }, now);
        }
        let user_id = self.active_user()?;
        self.check_owner_stays(other_owners)?;
        self.record(MemberRemoved { member_id, company_id, user_id }, now)
    }

    fn check_move(&self, next: MemberStatus) -> Result<(), MemberError> {
        if self.0.status.may_become(next) {
            Ok(())
        } else {
            Err(MemberError::Illegal { from: self.0.status.as_str(), to: next.as_str() })
        }
    }

    fn active_user(&self) -> Result<UserId, MemberError> {
        let is_active = self.0.status == MemberStatus::Active;
        self.0.user_id.filter(|_| is_active).ok_or(MemberError::NotActive(self.0.status.as_str()))
    }

    fn check_owner_stays(&self, other_owners: i64) -> Result<(), MemberError> {
        if self.0.role == MemberRole::Owner && other_owners == 0 {
            Err(MemberError::LastOwner)
        } else {
            Ok(())
        }
    }

    fn record(&mut self, fact: impl Into<MemberFact>, now: Timestamp) -> Result<MemberFact, MemberError> {
        let fact = fact.into();
        self.apply(&fact, now)?;
        Ok(fact)
    }

    fn apply(&mut self, fact: &MemberFact, now: Timestamp) -> Result<(), Invalid> {
        let state = &mut self.0;
        match fact {
            MemberFact::Invited(_) => return Ok(()),
            MemberFact::Added(fact) => {
                (state.user_id, state.status) = (Some(fact.user_id), MemberStatus::Active)
            }
            MemberFact::RoleChanged(fact) => state.role = fact.role.parse()?,
            MemberFact::Removed(_) | MemberFact::InvitationWithdrawn(_) => {
                state.status = MemberStatus::Removed
            }
        }
        state.version += 1;
        state.updated_at = now;
        Ok(())
    }

    /// Rebuilds the member from its facts.
    #[cfg(test)]
    fn fold(facts: impl IntoIterator<Item = (MemberFact, Timestamp)>) -> Result<Option<Self>, Invalid> {
        let mut member: Option<Self> = None;
        for (fact, at) in facts {
            member = Some(match (member, fact) {
                (Some(mut member), fact) => {
                    member.apply(&fact, at)?;
                    member
                }
                (None, MemberFact::Invited(fact)) => {
                    let (Self(state), _) =
                        Self::invite(fact.company_id, fact.email, fact.role.parse()?, fact.invited_by, at);
                    Self(MemberState { id: fact.member_id, ..state })
                }
                (None, MemberFact::Added(fact)) => {
                    let (Self(state), _) = Self::found(fact.company_id, fact.user_id, at);
                    Self(MemberState { id: fact.member_id, ..state })
                }
                (None, _) => return Ok(None),
            });
        }
        Ok(member)
    }

    /// The way back from storage.
    pub(crate) fn from_state(state: MemberState) -> Self {
        Self(state)
    }
    pub(crate) fn state(&self) -> &MemberState {
        &self.0
    }
    pub(crate) fn id(&self) -> MemberId {
        self.0.id
    }
    pub(crate) fn company_id(&self) -> CompanyId {
        self.0.company_id
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn invited(role: MemberRole) -> (Member, MemberFact) {
        Member::invite(CompanyId::new(), "ana@example.com".parse().unwrap(), role, UserId::new(), NOW)
    }

    #[test]
    fn a_member_moves_only_as_the_design_says() {
        let legal = [("invited", "active"), ("invited", "removed"), ("active", "removed")];
        for from in MemberStatus::ALL {
            for to in MemberStatus::ALL {
                assert_eq!(
                    from.may_become(*to),
                    legal.contains(&(from.as_str(), to.as_str())),
                    "{from} -> {to}"
                );
            }
        }
    }

    #[test]
    fn the_last_owner_neither_leaves_nor_steps_down() {
        let (mut owner, _) = Member::found(CompanyId::new(), UserId::new(), NOW);
        assert_eq!(owner.remove(0, NOW), Err(MemberError::LastOwner));
        assert_eq!(owner.change_role(MemberRole::Viewer, 0, NOW), Err(MemberError::LastOwner));
        assert!(owner.change_role(MemberRole::Viewer, 1, NOW).unwrap().is_some());
        assert!(owner.remove(0, NOW).is_ok());
    }

    #[test]
    fn an_invited_owner_is_not_yet_one_who_must_stay() {
        let (mut member, _) = invited(MemberRole::Owner);
        assert!(matches!(member.remove(0, NOW), Ok(MemberFact::InvitationWithdrawn(_))));
    }

    #[test]
    fn an_invitation_is_taken_up_once() {
        let (mut member, _) = invited(MemberRole::Viewer);
        assert!(member.accept(UserId::new(), NOW).is_ok());
        assert_eq!(
            member.accept(UserId::new(), NOW),
            Err(MemberError::Illegal { from: "active", to: "active" })
        );
    }

    proptest! {
        #[test]
        fn folding_the_facts_gives_the_member(founder: bool, steps in prop::collection::vec((0..4_u8, 0..6_usize), 0..12)) {
            let (mut member, first) = if founder { Member::found(CompanyId::new(), UserId::new(), NOW) } else { invited(MemberRole::Operator) };
            let mut journal = vec![(first, NOW)];
            for (second, (step, role)) in (1..).zip(steps) {
                let now = Timestamp::from_second(second).unwrap();
                let fact = match step {
                    0 => member.accept(UserId::new(), now).ok(),
                    1 | 2 => member.change_role(MemberRole::ALL[role], i64::from(step) - 1, now).ok().flatten(),
                    _ => member.remove(1, now).ok(),
                };
                journal.extend(fact.map(|fact| (fact, now)));
            }
            prop_assert_eq!(member.state().version, i64::try_from(journal.len()).unwrap());
            prop_assert_eq!(Member::fold(journal).unwrap(), Some(member));
        }
    }
}
