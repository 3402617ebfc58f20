//! Passkeys (WebAuthn, Level 3): keys that an authenticator keeps for one domain and uses when its person is there.
//!
//! The checks of the standard are `webauthn_rp`'s. What it draws and measures by itself, the challenge and its five
//! minutes, is the exception to this folder's rule.

use std::{convert::Infallible, fmt};

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::{PasskeyId, UserId};
use serde::Serialize;
use serde_json::Value;
use url::{Host, Url};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthenticationServerState, DiscoverableCredentialRequestOptions,
    NonDiscoverableAuthenticationServerState, NonDiscoverableCredentialRequestOptions,
    PublicKeyCredentialCreationOptions, RegistrationServerState,
    bin::{Decode, Encode},
    request::{
        AsciiDomain, Credentials, PublicKeyCredentialDescriptor, RpId, TimedCeremony,
        UserVerificationRequirement,
        auth::{AllowedCredentials, AuthenticationVerificationOptions},
        register::{
            CredProtect, Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions,
            ResidentKeyRequirement, UserHandle16, Username,
        },
    },
    response::{
        AuthTransports, Backup, CredentialId,
        auth::{error::AuthCeremonyErr, ser_relaxed::AuthenticationRelaxed},
        register::{CompressedPubKey, DynamicState, StaticState, ser_relaxed::RegistrationRelaxed},
    },
};

use super::user::User;

/// Passkeys of one person.
pub const MOST: usize = 10;
/// How long an authenticator may take to answer.
pub const CEREMONY_LIVES: SignedDuration = SignedDuration::from_mins(5);
const HANDLE_BYTES: usize = 16;

/// What `PublicKeyCredential.toJSON()` makes of a new passkey.
pub type Attestation = RegistrationRelaxed;
/// What it makes of the use of one that was asked for by name.
pub type Assertion = AuthenticationRelaxed<HANDLE_BYTES, false>;
/// The same where the authenticator chose it, and tells whose it is.
pub type LoneAssertion = AuthenticationRelaxed<HANDLE_BYTES, true>;

type PublicKey = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// What an authenticator is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Registration,
    SecondStep,
    Reauthentication,
    Login,
}

impl Purpose {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::SecondStep => "second_step",
            Self::Reauthentication => "reauthentication",
            Self::Login => "login",
        }
    }
}

/// The public part of a key, and what its authenticator told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub id: Vec<u8>,
    pub transports: u8,
    pub static_state: Vec<u8>,
    /// The signature counter, and whether the key is copied to other devices.
    pub dynamic_state: [u8; 7],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    pub id: PasskeyId,
    pub user_id: UserId,
    pub name: String,
    pub credential: Credential,
    /// The newest password beside which it was proved.
    pub password_id: i64,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// A question: what the browser is told, what is kept of it, and the challenge in it.
#[derive(Debug)]
pub struct Asked {
    pub options: Value,
    pub state: Vec<u8>,
    pub challenge: [u8; 16],
}

impl Asked {
    fn new<S>(state: &S, client: &impl Serialize) -> Result<Self, Broken>
    where
        S: TimedCeremony + for<'a> Encode<Output<'a> = Vec<u8>, Err: fmt::Display>,
    {
        Ok(Self {
            options: serde_json::to_value(client).map_err(Broken::new)?,
            state: state.encode().map_err(Broken::new)?,
            challenge: state.sent_challenge().0.to_le_bytes(),
        })
    }
}

/// Why an answer counts for nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unproved {
    /// The signature counter went back: the key has been copied.
    #[error("the signature counter went back")]
    Cloned,
    #[error("{0}")]
    Unfit(String),
}

impl Unproved {
    /// Nobody asked for it, or not of this person, or it was answered before, or too late.
    #[must_use]
    pub fn unasked() -> Self {
        Self::unfit("nothing of this kind is asked for")
    }

    fn unfit(why: impl fmt::Display) -> Self {
        Self::Unfit(why.to_string())
    }

    /// As a failed login names it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Cloned => "cloned_passkey",
            Self::Unfit(_) => "bad_passkey",
        }
    }
}

impl From<AuthCeremonyErr> for Unproved {
    fn from(error: AuthCeremonyErr) -> Self {
        match error {
            AuthCeremonyErr::SignatureCounter => Self::Cloned,
            other => Self::unfit(other),
        }
    }
}

/// What cannot happen with options and states of our own making.
#[derive(Debug, thiserror::Error)]
#[error("passkeys: {0}")]
pub struct Broken(String);

impl Broken {
    fn new(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

/// For whom the keys are: the domain that authenticators bind them to, and the pages that may ask for them.
#[derive(Debug)]
pub struct RelyingParty {
    id: RpId,
    origin: String,
}

impl RelyingParty {
    /// Of the pages below this URL, perhaps with keys of a domain above its host. There are no passkeys for IP
    /// addresses: whoever serves pages on one has passkeys where it is called localhost.
    ///
    /// # Errors
    /// When the URL has no host, or the host is not of that domain.
    pub fn new(public_url: &str, domain: Option<&str>) -> Result<Self, String> {
        let mut url = Url::parse(public_url).map_err(|why| why.to_string())?;
        if !matches!(url.host(), Some(Host::Domain(_))) {
            url.set_host(Some("localhost")).map_err(|why| why.to_string())?;
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let domain = domain.unwrap_or(&host);
        let is_above = host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        if !is_above {
            return Err(format!("{host} is not of the domain {domain}"));
        }
        let id = AsciiDomain::try_from(domain.to_owned()).map_err(|why| why.to_string())?;
        Ok(Self { id: RpId::Domain(id), origin: url.origin().ascii_serialization() })
    }

    /// For a new passkey beside those that the person has. One that its authenticator can find by itself works alone,
    /// too; one that cannot, as an older security key's, is a second factor.
    ///
    /// # Errors
    /// Never with what is stored.
    pub fn ask_new(&self, user: &User, known: &[Passkey]) -> Result<Asked, Broken> {
        let handle = handle(user.id())?;
        let [username, email, ..] = user.personal();
        let name = Username::try_from(username.to_owned()).or_else(|_| Username::try_from(email.to_owned()));
        let display = format!("{} {}", user.given_name(), user.family_name());
        let entity = PublicKeyCredentialUserEntity {
            // No name of ours is unfit, but some addresses may be.
            name: name.or_else(|_| Username::try_from(user.id().to_string())).map_err(Broken::new)?,
            id: &handle,
            display_name: Nickname::try_from(display).ok(),
        };
        let known = known.iter().map(descriptor).collect::<Result<_, _>>()?;
        let mut options = PublicKeyCredentialCreationOptions::passkey(&self.id, entity, known);
        options.authenticator_selection.resident_key = ResidentKeyRequirement::Preferred;
        options.authenticator_selection.user_verification = UserVerificationRequirement::Preferred;
        options.extensions.cred_protect = CredProtect::None;
        let (state, client) = options.start_ceremony().map_err(Broken::new)?;
        Asked::new(&state, &client)
    }

    /// For the use of one of these.
    ///
    /// # Errors
    /// When there are none.
    pub fn ask_one_of(&self, known: &[Passkey]) -> Result<Asked, Broken> {
        let mut allowed = AllowedCredentials::with_capacity(known.len());
        for passkey in known {
            allowed.push(descriptor(passkey)?.into());
        }
        let mut options =
            NonDiscoverableCredentialRequestOptions::second_factor(&self.id, allowed).map_err(Broken::new)?;
        options.options().user_verification = UserVerificationRequirement::Preferred;
        let (state, client) = options.start_ceremony().map_err(Broken::new)?;
        Asked::new(&state, &client)
    }

    /// For whichever the authenticator has; it makes sure who its person is, as nothing else is asked of them.
    ///
    /// # Errors
    /// Never with options of our own making.
    pub fn ask_any(&self) -> Result<Asked, Broken> {
        let options = DiscoverableCredentialRequestOptions::passkey(&self.id);
        let (state, client) = options.start_ceremony().map_err(Broken::new)?;
        Asked::new(&state, &client)
    }

    /// The key that the authenticator has made for what it was asked, and where it lies (RFC 8176).
    ///
    /// # Errors
    /// When the answer is not one to that, or of other pages.
    pub fn register(
        &self,
        state: &[u8],
        answer: &Attestation,
    ) -> Result<(Credential, &'static str), Unproved> {
        let state = RegistrationServerState::<HANDLE_BYTES>::decode(state).map_err(Unproved::unfit)?;
        let origins = [self.origin.as_str()];
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let made = state.verify(&self.id, &answer.0, &options).map_err(Unproved::unfit)?;
        let (id, transports, _, fixed, dynamic, _) = made.into_parts();
        let credential = Credential {
            id: id.as_ref().to_vec(),
            transports: encoded(&transports),
            static_state: encoded(&fixed),
            dynamic_state: encoded(&dynamic),
        };
        Ok((credential, kept_in(dynamic)))
    }

    /// Counts the use, if the answer proves that its person has this key; tells where that lies.
    ///
    /// # Errors
    /// When it does not.
    pub fn prove(
        &self,
        state: &[u8],
        answer: &Assertion,
        passkey: &mut Passkey,
    ) -> Result<&'static str, Unproved> {
        let state = NonDiscoverableAuthenticationServerState::decode(state).map_err(Unproved::unfit)?;
        let origins = [self.origin.as_str()];
        let options = self.options(&origins);
        count_use(passkey, |credential| state.verify(&self.id, &answer.0, credential, &options))
    }

    /// The same where the person was not known before.
    ///
    /// # Errors
    /// When it does not.
    pub fn prove_alone(
        &self,
        state: &[u8],
        answer: &LoneAssertion,
        passkey: &mut Passkey,
    ) -> Result<&'static str, Unproved> {
        let state = DiscoverableAuthenticationServerState::decode(state).map_err(Unproved::unfit)?;
        let origins = [self.origin.as_str()];
        let options = self.options(&origins);
        count_use(passkey, |credential| state.verify(&self.id, &answer.0, credential, &options))
    }

    fn options<'o>(
        &self,
        origins: &'o [&'o str],
    ) -> AuthenticationVerificationOptions<'o, 'static, &'o str, &'static str> {
        AuthenticationVerificationOptions {
            allowed_origins: origins,
            error_on_unsolicited_extensions: false,
            update_uv: true,
            ..AuthenticationVerificationOptions::default()
        }
    }
}

/// Checks the proof by what is stored, and stores what the use has changed.
fn count_use(
    passkey: &mut Passkey,
    check: impl FnOnce(
        &mut AuthenticatedCredential<'_, '_, HANDLE_BYTES, PublicKey>,
    ) -> Result<bool, AuthCeremonyErr>,
) -> Result<&'static str, Unproved> {
    let handle = handle(passkey.user_id).map_err(Unproved::unfit)?;
    let mut credential = authenticated(&passkey.credential, &handle)?;
    check(&mut credential)?;
    let dynamic = credential.dynamic_state();
    passkey.credential.dynamic_state = encoded(&dynamic);
    Ok(kept_in(dynamic))
}

/// Under which name the challenge of a login without a name is kept.
#[must_use]
pub fn challenge_of(answer: &LoneAssertion) -> Option<[u8; 16]> {
    answer.0.challenge_relaxed().ok().map(|challenge| challenge.0.to_le_bytes())
}

/// RFC 8176, as far as the authenticator is believed: a key that is copied to other devices lies in software, at least
/// on its way.
fn kept_in(state: DynamicState) -> &'static str {
    match state.backup {
        Backup::NotEligible => "hwk",
        Backup::Eligible | Backup::Exists => "swk",
    }
}

fn encoded<'a, T: Encode<Err = Infallible>>(value: &'a T) -> T::Output<'a> {
    match value.encode() {
        Ok(bytes) => bytes,
        Err(never) => match never {},
    }
}

fn handle(user: UserId) -> Result<UserHandle16, Broken> {
    UserHandle16::decode(user.uuid().into_bytes()).map_err(Broken::new)
}

fn descriptor(passkey: &Passkey) -> Result<PublicKeyCredentialDescriptor<Vec<u8>>, Broken> {
    Ok(PublicKeyCredentialDescriptor {
        id: CredentialId::decode(passkey.credential.id.clone()).map_err(Broken::new)?,
        transports: AuthTransports::decode(passkey.credential.transports).map_err(Broken::new)?,
    })
}

fn authenticated<'a>(
    stored: &'a Credential,
    handle: &'a UserHandle16,
) -> Result<AuthenticatedCredential<'a, 'a, HANDLE_BYTES, PublicKey>, Unproved> {
    let id = CredentialId::<&[u8]>::decode(&stored.id).map_err(Unproved::unfit)?;
    let fixed = StaticState::decode(&stored.static_state).map_err(Unproved::unfit)?;
    let dynamic = DynamicState::decode(stored.dynamic_state).map_err(Unproved::unfit)?;
    AuthenticatedCredential::new(id, handle, fixed, dynamic).map_err(Unproved::unfit)
}

#[cfg(test)]
mod tests {
    use quenty_testkit::authenticator::Authenticator;
    use serde_json::from_value;

    use super::*;
    use crate::domain::person::Person;

    /// Why it is refused, and how to make it so.
    type Bend = (&'static str, fn(&mut Authenticator));

    fn ana() -> User {
        let person = Person {
            username: None,
            email: "ana@example.com".parse().unwrap(),
            given_name: "Ana".parse().unwrap(),
            family_name: "Gómez".parse().unwrap(),
            language: "es-CO".parse().unwrap(),
        };
        User::invite(UserId::new(), &person, vec![], Timestamp::UNIX_EPOCH).0
    }

    fn registered(party: &RelyingParty, user: &User, phone: &mut Authenticator) -> Passkey {
        let asked = party.ask_new(user, &[]).unwrap();
        let answer = from_value(phone.create(&asked.options)).unwrap();
        let (credential, _) = party.register(&asked.state, &answer).unwrap();
        Passkey {
            id: PasskeyId::new(),
            user_id: user.id(),
            name: "phone".to_owned(),
            credential,
            password_id: 1,
            created_at: Timestamp::UNIX_EPOCH,
            last_used_at: None,
        }
    }

    /// Whatever is bent is refused because of it, and not because of something else.
    #[test]
    fn each_wrong_answer_is_refused_for_its_own_reason() {
        let party = RelyingParty::new("http://127.0.0.1:8000", None).unwrap();
        let (user, mut phone) = (ana(), Authenticator { counter: 5, ..Authenticator::new() });
        let passkey = registered(&party, &user, &mut phone);
        let bends: [Bend; 6] = [
            ("origin", |phone| phone.origin = "http://localhost:8001".to_owned()),
            ("RP ID", |phone| phone.rp_id = "quenty.co".to_owned()),
            ("not present", |phone| phone.is_present = false),
            ("not verified", |phone| phone.is_verified = false),
            ("signature over", |phone| phone.key = Authenticator::new().key),
            ("counter", |phone| phone.counter = 4),
        ];
        for (reason, bend) in bends {
            let (mut bent, mut passkey) = (phone.clone(), passkey.clone());
            bend(&mut bent);
            let asked = party.ask_any().unwrap();
            let answer = from_value(bent.get(&asked.options)).unwrap();
            let why = party.prove_alone(&asked.state, &answer, &mut passkey).unwrap_err().to_string();
            assert!(why.contains(reason), "{reason}: {why}");
        }
        let (asked, other) = (party.ask_any().unwrap(), party.ask_any().unwrap());
        let answer = from_value(phone.get(&other.options)).unwrap();
        let why = party.prove_alone(&asked.state, &answer, &mut passkey.clone()).unwrap_err().to_string();
        assert!(why.contains("challenge"), "{why}");
        let mut right = passkey.clone();
        let answer = from_value(phone.get(&asked.options)).unwrap();
        assert_eq!(party.prove_alone(&asked.state, &answer, &mut right).unwrap(), "hwk");
        assert_ne!(right, passkey, "the use counts");
        let asked = party.ask_one_of(&[right.clone()]).unwrap();
        phone.is_verified = false;
        let answer = from_value(phone.get(&asked.options)).unwrap();
        assert_eq!(party.prove(&asked.state, &answer, &mut right).unwrap(), "hwk", "beside a password");
    }

    fn party(url: &str, domain: Option<&str>) -> (String, String) {
        let party = RelyingParty::new(url, domain).unwrap();
        (String::from(party.id), party.origin)
    }

    #[test]
    fn keys_are_bound_to_the_host_of_the_pages_or_a_domain_above_it() {
        let pair = |id: &str, origin: &str| (id.to_owned(), origin.to_owned());
        assert_eq!(party("https://app.quenty.co/x", None), pair("app.quenty.co", "https://app.quenty.co"));
        assert_eq!(
            party("https://app.quenty.co:8443/", Some("quenty.co")),
            pair("quenty.co", "https://app.quenty.co:8443")
        );
        assert_eq!(party("http://127.0.0.1:8000", None), pair("localhost", "http://localhost:8000"));
        assert_eq!(party("http://[::1]:8000", None), pair("localhost", "http://localhost:8000"));
        for (url, domain) in [("https://notquenty.co", "quenty.co"), ("https://quenty.co", "app.quenty.co")] {
            assert!(RelyingParty::new(url, Some(domain)).is_err(), "{url} {domain}");
        }
        assert!(RelyingParty::new("quenty", None).is_err());
    }
}
