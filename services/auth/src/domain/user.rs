//! A person who may log in: `pending_verification → active ⇄ suspended`, or suspended before ever answering. What is secret of a user (passwords,
//! sessions) lies elsewhere; this is what the journal tells and rebuilds.

use jiff::Timestamp;
use quenty_contracts::auth::{
    MfaDisabled, MfaEnabled, PasswordChanged, UserActivated, UserReactivated, UserRegistered,
    UserRolesChanged, UserSuspended,
};
use quenty_kernel::{contact::Email, id::UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    facts::{MfaReset, ProfileUpdated, UserFact, UserInvited},
    person::Person,
    role::SUPER_ADMIN,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    PendingVerification,
    Active,
    Suspended,
}

impl UserStatus {
    pub const ALL: [Self; 3] = [Self::PendingVerification, Self::Active, Self::Suspended];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingVerification => "pending_verification",
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// The legal transitions.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use UserStatus::{Active, PendingVerification, Suspended};
        matches!(
            (self, next),
            (PendingVerification | Suspended, Active)
                | (PendingVerification | Active, Suspended)
                | (Suspended, PendingVerification)
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    #[error("a user who is {} cannot become {}", .from.as_str(), .to.as_str())]
    Transition { from: UserStatus, to: UserStatus },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) email: Email,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) language: String,
    pub(crate) status: UserStatus,
    /// Whether the person ever proved to own the address.
    pub(crate) verified: bool,
    pub(crate) roles: Vec<String>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl User {
    /// A person who registers themselves, or the administrator of the first start.
    pub fn register(id: UserId, person: &Person, roles: Vec<String>, now: Timestamp) -> (Self, UserFact) {
        let fact = UserRegistered {
            user_id: id,
            username: person.login_name(),
            email: person.email.clone(),
            given_name: person.given_name.to_string(),
            family_name: person.family_name.to_string(),
            language: person.language.to_string(),
            roles,
        };
        (Self::from_registered(&fact, now), fact.into())
    }

    /// A person who was invited and has not answered yet.
    pub fn invite(id: UserId, person: &Person, roles: Vec<String>, now: Timestamp) -> (Self, UserFact) {
        let fact = UserInvited {
            user_id: id,
            username: person.login_name(),
            email: person.email.clone(),
            given_name: person.given_name.to_string(),
            family_name: person.family_name.to_string(),
            language: person.language.to_string(),
            roles,
        };
        (Self::from_invited(&fact, now), fact.into())
    }

    /// The invited person answered: others hear of them from now on.
    pub fn accept_invitation(&mut self, now: Timestamp) -> Result<[UserFact; 2], UserError> {
        self.ensure_pending()?;
        let registered = UserRegistered {
            user_id: self.id,
            username: self.username.clone(),
            email: self.email.clone(),
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            language: self.language.clone(),
            roles: self.roles.clone(),
        };
        let registered = self.record(registered.into(), now);
        Ok([registered, self.activate(now)?])
    }

    /// The person proved to own the e-mail address.
    pub fn activate(&mut self, now: Timestamp) -> Result<UserFact, UserError> {
        self.ensure_pending()?;
        Ok(self.record(UserActivated { user_id: self.id, email: self.email.clone() }.into(), now))
    }

    pub fn suspend(&mut self, reason: &str, now: Timestamp) -> Result<UserFact, UserError> {
        if !self.status.may_become(UserStatus::Suspended) {
            return Err(UserError::Transition { from: self.status, to: UserStatus::Suspended });
        }
        Ok(self.record(UserSuspended { user_id: self.id, reason: reason.to_owned() }.into(), now))
    }

    /// Comes back to where they were: who never answered an invitation is no further than that.
    pub fn reactivate(&mut self, now: Timestamp) -> Result<UserFact, UserError> {
        if self.status != UserStatus::Suspended {
            return Err(UserError::Transition { from: self.status, to: UserStatus::Active });
        }
        Ok(self.record(UserReactivated { user_id: self.id }.into(), now))
    }

    /// Others who take the person for deactivated are told that this is not so.
    pub fn stay(&mut self, now: Timestamp) -> UserFact {
        self.record(UserReactivated { user_id: self.id }.into(), now)
    }

    pub fn assign_roles(&mut self, roles: Vec<String>, now: Timestamp) -> UserFact {
        self.record(UserRolesChanged { user_id: self.id, roles }.into(), now)
    }

    pub fn update(
        &mut self,
        given_name: &str,
        family_name: &str,
        language: &str,
        now: Timestamp,
    ) -> UserFact {
        let fact = ProfileUpdated {
            user_id: self.id,
            given_name: given_name.to_owned(),
            family_name: family_name.to_owned(),
            language: language.to_owned(),
        };
        self.record(fact.into(), now)
    }

    pub fn change_password(&mut self, now: Timestamp) -> UserFact {
        self.record(PasswordChanged { user_id: self.id }.into(), now)
    }

    /// A second factor is asked for from now on.
    pub fn enable_mfa(&mut self, method: &str, now: Timestamp) -> UserFact {
        self.record(MfaEnabled { user_id: self.id, method: method.to_owned() }.into(), now)
    }

    pub fn disable_mfa(&mut self, method: &str, now: Timestamp) -> UserFact {
        self.record(MfaDisabled { user_id: self.id, method: method.to_owned() }.into(), now)
    }

    /// Staff took the second factors away; each is told of as disabled, too.
    pub fn reset_mfa(&mut self, reason: &str, now: Timestamp) -> UserFact {
        self.record(MfaReset { user_id: self.id, reason: reason.to_owned() }.into(), now)
    }

    fn ensure_pending(&self) -> Result<(), UserError> {
        if self.status == UserStatus::PendingVerification {
            Ok(())
        } else {
            Err(UserError::Transition { from: self.status, to: UserStatus::Active })
        }
    }

    fn record(&mut self, fact: UserFact, now: Timestamp) -> UserFact {
        self.apply(&fact, now);
        fact
    }

    /// The only place where state changes; `now` is when the fact happened.
    fn apply(&mut self, fact: &UserFact, now: Timestamp) {
        match fact {
            UserFact::Invited(_)
            | UserFact::Registered(_)
            | UserFact::PasswordChanged(_)
            | UserFact::MfaEnabled(_)
            | UserFact::MfaDisabled(_)
            | UserFact::MfaReset(_) => {}
            UserFact::Activated(_) => (self.status, self.verified) = (UserStatus::Active, true),
            UserFact::Reactivated(_) if self.verified => self.status = UserStatus::Active,
            UserFact::Reactivated(_) => self.status = UserStatus::PendingVerification,
            UserFact::Suspended(_) => self.status = UserStatus::Suspended,
            UserFact::RolesChanged(fact) => self.roles.clone_from(&fact.roles),
            UserFact::ProfileUpdated(fact) => {
                self.given_name.clone_from(&fact.given_name);
                self.family_name.clone_from(&fact.family_name);
                self.language.clone_from(&fact.language);
            }
        }
        self.version += 1;
        self.updated_at = now;
    }

    fn from_registered(fact: &UserRegistered, now: Timestamp) -> Self {
        Self {
            id: fact.user_id,
            username: fact.username.clone(),
            email: fact.email.clone(),
            given_name: fact.given_name.clone(),
            family_name: fact.family_name.clone(),
            language: fact.language.clone(),
            status: UserStatus::PendingVerification,
            verified: false,
            roles: fact.roles.clone(),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    fn from_invited(fact: &UserInvited, now: Timestamp) -> Self {
        let UserInvited { user_id, username, email, given_name, family_name, language, roles } = fact.clone();
        Self::from_registered(
            &UserRegistered { user_id, username, email, given_name, family_name, language, roles },
            now,
        )
    }

    /// Rebuilds the row from its journal.
    #[must_use]
    pub fn fold(facts: impl IntoIterator<Item = (UserFact, Timestamp)>) -> Option<Self> {
        facts.into_iter().fold(None, |user, (fact, at)| match (user, fact) {
            (None, UserFact::Registered(fact)) => Some(Self::from_registered(&fact, at)),
            (None, UserFact::Invited(fact)) => Some(Self::from_invited(&fact, at)),
            (None, _) => None,
            (Some(mut user), fact) => {
                user.apply(&fact, at);
                Some(user)
            }
        })
    }

    #[must_use]
    pub fn id(&self) -> UserId {
        self.id
    }
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.email
    }
    #[must_use]
    pub fn status(&self) -> UserStatus {
        self.status
    }
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }
    #[must_use]
    pub fn given_name(&self) -> &str {
        &self.given_name
    }
    #[must_use]
    pub fn family_name(&self) -> &str {
        &self.family_name
    }
    /// Invited by companies alone, and has not answered. Only then does a link that ran out come back at anybody's word:
    /// one that brings platform roles is renewed by who may give these.
    #[must_use]
    pub fn is_invited_without_roles(&self) -> bool {
        self.status == UserStatus::PendingVerification && self.roles.is_empty()
    }
    /// Whether the platform would be left without anyone who can do everything, if this were the last one.
    #[must_use]
    pub fn is_active_super_admin(&self) -> bool {
        self.status == UserStatus::Active && self.roles.iter().any(|role| role == SUPER_ADMIN)
    }
    /// What a password must not hold.
    #[must_use]
    pub fn personal(&self) -> [&str; 4] {
        [&self.username, self.email.as_str(), &self.given_name, &self.family_name]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        Person {
            username: Some("ana".parse().unwrap()),
            email: "ana@example.com".parse().unwrap(),
            given_name: "Ana".parse().unwrap(),
            family_name: "Gómez".parse().unwrap(),
            language: "es-CO".parse().unwrap(),
        }
    }

    #[test]
    fn exactly_the_legal_transitions_are_allowed() {
        use UserStatus::{Active, PendingVerification, Suspended};
        let legal = [
            (PendingVerification, Active),
            (PendingVerification, Suspended),
            (Active, Suspended),
            (Suspended, Active),
            (Suspended, PendingVerification),
        ];
        for from in UserStatus::ALL {
            for to in UserStatus::ALL {
                assert_eq!(from.may_become(to), legal.contains(&(from, to)), "{from:?} → {to:?}");
            }
        }
    }

    #[test]
    fn the_journal_rebuilds_the_user() {
        let (now, later) =
            (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1));
        let (mut user, invited) = User::invite(UserId::new(), &person(), vec!["driver".to_owned()], now);
        let mut facts = vec![(invited, now)];
        facts.extend(user.accept_invitation(later).unwrap().map(|fact| (fact, later)));
        facts.push((user.update("Ana María", "Gómez", "es", later), later));
        facts.push((user.assign_roles(vec![], later), later));
        facts.push((user.suspend("asked for it", later).unwrap(), later));
        facts.push((user.reactivate(later).unwrap(), later));
        facts.push((user.change_password(later), later));
        facts.push((user.enable_mfa("totp", later), later));
        facts.push((user.reset_mfa("lost the phone", later), later));
        facts.push((user.disable_mfa("totp", later), later));
        assert_eq!(User::fold(facts), Some(user));
    }

    #[test]
    fn suspending_is_no_way_around_verification() {
        let now = Timestamp::UNIX_EPOCH;
        let (mut user, invited) = User::invite(UserId::new(), &person(), vec![], now);
        assert!(user.reactivate(now).is_err());
        let suspended = user.suspend("x", now).unwrap();
        assert!(user.accept_invitation(now).is_err() && user.activate(now).is_err());
        let reactivated = user.reactivate(now).unwrap();
        assert_eq!(user.status(), UserStatus::PendingVerification);
        assert_eq!(User::fold([invited, suspended, reactivated].map(|fact| (fact, now))), Some(user));
    }
}
