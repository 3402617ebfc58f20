//! A person who logs in, as the platform knows them: identity, password and roles are Auth's.
//!
//! A profile is made by Auth's word alone, never by a request.

use quenty_contracts::customer::{ProfileCreated, ProfileUpdated, UserDeactivated, UserInvited};
use quenty_kernel::{
    Event, Timestamp,
    contact::{Email, LanguageTag, PersonName, Phone, Text},
    id::UserId,
};
use serde::{Deserialize, Serialize};

quenty_kernel::words! {
    pub(crate) enum ProfileStatus ("user status") { Active = "active", Deactivated = "deactivated" }
}

/// Auth lets the person in no more. Not published: Auth would hear it as ours to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProfileSuspended {
    pub(crate) user_id: UserId,
    pub(crate) reason: String,
}

impl Event for ProfileSuspended {
    const TYPE: &'static str = "quenty.customer.user.suspended.v1";
    const PUBLISHED: bool = false;
}

/// Auth let the person in again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProfileReactivated {
    pub(crate) user_id: UserId,
}

impl Event for ProfileReactivated {
    const TYPE: &'static str = "quenty.customer.user.reactivated.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    /// An invitation comes before the profile, or asks who has one into another company: the profile stays as it is.
    pub(crate) enum ProfileFact {
        Invited(UserInvited),
        Created(ProfileCreated),
        Updated(ProfileUpdated),
        Deactivated(UserDeactivated),
        Suspended(ProfileSuspended),
        Reactivated(ProfileReactivated),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error("there is no such user")]
    NotFound,
    /// Auth's event is still on its way.
    #[error("the person's profile is not known yet")]
    NotKnownYet,
    #[error("the user is deactivated")]
    Deactivated,
    /// Auth decides over who has roles in the platform.
    #[error("the user has roles in the platform")]
    IsStaff,
}

/// What an update sets; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProfileChanges {
    pub(crate) given_name: Option<PersonName>,
    pub(crate) family_name: Option<PersonName>,
    pub(crate) phone: Option<Option<Phone>>,
    pub(crate) language: Option<LanguageTag>,
}

/// A profile and all that its row keeps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProfileState {
    pub(crate) user_id: UserId,
    pub(crate) email: Email,
    pub(crate) given_name: PersonName,
    pub(crate) family_name: PersonName,
    pub(crate) phone: Option<Phone>,
    pub(crate) language: LanguageTag,
    pub(crate) status: ProfileStatus,
    /// Why it was deactivated.
    pub(crate) status_reason: Option<String>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Profile(ProfileState);

impl Profile {
    pub(crate) fn create(created: ProfileCreated, now: Timestamp) -> (Self, ProfileFact) {
        let fact = created.clone().into();
        let ProfileCreated { user_id, email, given_name, family_name, language } = created;
        let state = ProfileState {
            user_id,
            email,
            given_name,
            family_name,
            phone: None,
            language,
            status: ProfileStatus::Active,
            status_reason: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        (Self(state), fact)
    }

    /// Nothing to tell when nothing changes.
    pub(crate) fn update(
        &mut self,
        changes: ProfileChanges,
        now: Timestamp,
    ) -> Result<Option<ProfileFact>, ProfileError> {
        if self.0.status == ProfileStatus::Deactivated {
            return Err(ProfileError::Deactivated);
        }
        let old = self.0.clone();
        let updated = ProfileUpdated {
            user_id: old.user_id,
            given_name: changes.given_name.unwrap_or(old.given_name),
            family_name: changes.family_name.unwrap_or(old.family_name),
            phone: changes.phone.unwrap_or(old.phone),
            language: changes.language.unwrap_or(old.language),
        };
        let before = self.clone();
        let fact = updated.into();
        self.apply(&fact, now);
        if self.0 == (ProfileState { version: self.0.version, updated_at: now, ..before.0.clone() }) {
            *self = before;
            return Ok(None);
        }
        Ok(Some(fact))
    }

    /// Recorded also for who is deactivated already: Auth may have let them in again, and its event not have come yet.
    pub(crate) fn deactivate(&mut self, reason: &Text<500>, now: Timestamp) -> ProfileFact {
        let fact = UserDeactivated { user_id: self.0.user_id, reason: reason.to_string() }.into();
        self.apply(&fact, now);
        fact
    }

    /// Who is deactivated already stays so, for the reason of before.
    pub(crate) fn suspend(&mut self, reason: &str, now: Timestamp) -> Option<ProfileFact> {
        if self.0.status == ProfileStatus::Deactivated {
            return None;
        }
        let fact = ProfileSuspended { user_id: self.0.user_id, reason: reason.to_owned() }.into();
        self.apply(&fact, now);
        Some(fact)
    }

    pub(crate) fn reactivate(&mut self, now: Timestamp) -> Option<ProfileFact> {
        if self.0.status == ProfileStatus::Active {
            return None;
        }
        let fact = ProfileReactivated { user_id: self.0.user_id }.into();
        self.apply(&fact, now);
        Some(fact)
    }

    fn apply(&mut self, fact: &ProfileFact, now: Timestamp) {
        let state = &mut self.0;
        match fact {
            ProfileFact::Invited(_) | ProfileFact::Created(_) => return,
            ProfileFact::Updated(fact) => {
                let fact = fact.clone();
                state.given_name = fact.given_name;
                state.family_name = fact.family_name;
                state.phone = fact.phone;
                state.language = fact.language;
            }
            ProfileFact::Deactivated(UserDeactivated { reason, .. })
            | ProfileFact::Suspended(ProfileSuspended { reason, .. }) => {
                state.status = ProfileStatus::Deactivated;
                state.status_reason = Some(reason.clone());
            }
            ProfileFact::Reactivated(_) => {
                state.status = ProfileStatus::Active;
                state.status_reason = None;
            }
        }
        state.version += 1;
        state.updated_at = now;
    }

    /// Rebuilds the profile from its facts.
    #[cfg(test)]
    fn fold(facts: impl IntoIterator<Item = (ProfileFact, Timestamp)>) -> Option<Self> {
        facts.into_iter().fold(None, |profile: Option<Self>, (fact, at)| match (profile, fact) {
            (None, ProfileFact::Created(created)) => Some(Self::create(created, at).0),
            (Some(mut profile), fact) => {
                profile.apply(&fact, at);
                Some(profile)
            }
            (None, _) => None,
        })
    }

    /// The way back from storage.
    pub(crate) fn from_state(state: ProfileState) -> Self {
        Self(state)
    }
    pub(crate) fn state(&self) -> &ProfileState {
        &self.0
    }
    pub(crate) fn user_id(&self) -> UserId {
        self.0.user_id
    }
    pub(crate) fn version(&self) -> i64 {
        self.0.version
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quenty_kernel::Fact;

    use super::*;

    fn profile() -> (Profile, ProfileFact) {
        let created = ProfileCreated {
            user_id: UserId::new(),
            email: "ana@example.com".parse().unwrap(),
            given_name: "Ana".parse().unwrap(),
            family_name: "Gómez".parse().unwrap(),
            language: "es".parse().unwrap(),
        };
        Profile::create(created, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_update_that_changes_nothing_tells_nothing() {
        let (mut profile, _) = profile();
        let before = profile.clone();
        let same = ProfileChanges { given_name: Some("Ana".parse().unwrap()), ..ProfileChanges::default() };
        assert_eq!(profile.update(same, Timestamp::MAX), Ok(None));
        assert_eq!(profile, before);
    }

    #[test]
    fn a_deactivated_profile_is_not_updated() {
        let (mut profile, _) = profile();
        assert!(profile.deactivate(&"left".parse().unwrap(), Timestamp::MAX).published());
        assert_eq!(profile.update(ProfileChanges::default(), Timestamp::MAX), Err(ProfileError::Deactivated));
    }

    #[test]
    fn nobody_is_told_of_what_auth_said_itself() {
        let (mut profile, _) = profile();
        let suspended = profile.suspend("fraud", Timestamp::MAX).unwrap();
        assert!(!suspended.published());
        assert_eq!(profile.suspend("again", Timestamp::MAX), None);
        assert_eq!(profile.state().status_reason.as_deref(), Some("fraud"));
    }

    #[test]
    fn auth_is_told_of_a_deactivation_whatever_it_said_before() {
        let (mut profile, _) = profile();
        assert!(profile.suspend("fraud", Timestamp::MAX).is_some());
        for reason in ["left", "left again"] {
            assert!(profile.deactivate(&reason.parse().unwrap(), Timestamp::MAX).published());
            assert_eq!(profile.state().status_reason.as_deref(), Some(reason));
        }
    }

    proptest! {
        #[test]
        fn folding_the_facts_gives_the_profile(steps in prop::collection::vec((0..5_u8, "[a-c]"), 0..12)) {
            let (mut profile, first) = profile();
            let mut journal = vec![(first, Timestamp::UNIX_EPOCH)];
            for (second, (step, name)) in (1..).zip(steps) {
                let now = Timestamp::from_second(second).unwrap();
                let changes = ProfileChanges { given_name: Some(name.parse().unwrap()), ..ProfileChanges::default() };
                let fact = match step {
                    0 | 1 => profile.update(changes, now).ok().flatten(),
                    2 => Some(profile.deactivate(&name.parse().unwrap(), now)),
                    3 => profile.suspend(&name, now),
                    _ => profile.reactivate(now),
                };
                journal.extend(fact.map(|fact| (fact, now)));
            }
            prop_assert_eq!(Profile::fold(journal), Some(profile));
        }
    }
}
