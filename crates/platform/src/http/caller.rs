//! Who calls, what they may do, and over whose rows: visible in every handler's signature.

use std::{marker::PhantomData, ops::Deref, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use quenty_kernel::{
    Actor, Failure, Kind, Scope,
    id::{CompanyId, SessionId, UserId, new_uuid},
};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    access::{self, Reading},
    http::mtls::PeerCertificate,
    idempotency::Key,
    tls::is_of_service,
    token::{Claims, Realm},
    trace::TraceParent,
    tx::Cause,
};

/// What the edge knows of a request before the handler runs.
#[derive(Debug, Clone)]
pub struct Call {
    pub trace: TraceParent,
    pub request_id: Uuid,
    /// Method and path: what an idempotency key is scoped to, beside company and caller.
    pub operation: String,
    pub idempotency_key: Option<String>,
    pub body_hash: [u8; 32],
}

impl Call {
    fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self {
            trace: TraceParent::root(),
            request_id: new_uuid(),
            operation: format!("{} {}", parts.method, parts.uri.path()),
            idempotency_key: None,
            body_hash: [0; 32],
        })
    }
}

/// One permission, `resource:verb`; declared with [`permissions!`](crate::permissions).
pub trait Permission: Send + Sync + 'static {
    const NAME: &'static str;
    /// Whether its operations answer with people's names, addresses or documents: then it is written down which of the
    /// platform's own people read by it (ADR 18).
    const PERSONAL: bool;
}

/// Declares permissions: `permissions! { CancelOrders = "orders:cancel"; ReadOrders = "orders:read", personal; }`.
#[macro_export]
macro_rules! permissions {
    (@is) => { false };
    (@is personal) => { true };
    ($($name:ident = $text:literal $(, $mark:ident)?;)*) => {$(
        #[doc = concat!("`", $text, "`")]
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name;
        impl $crate::http::Permission for $name {
            const NAME: &'static str = $text;
            const PERSONAL: bool = $crate::permissions!(@is $($mark)?);
        }
    )*};
}

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    claims: Option<Arc<Claims>>,
    call: Call,
    /// To be written down if the request turns out to change nothing.
    reading: Option<Reading>,
}

impl Caller {
    /// Over whose rows: platform staff and services reach all, a company's people their own company's.
    ///
    /// # Errors
    /// 403 for a person who acts for no company.
    pub fn scope(&self) -> Result<Scope, Failure> {
        match self.claims.as_deref() {
            Some(Claims { realm: Realm::Staff | Realm::Service, .. }) => Ok(Scope::All),
            Some(Claims { realm: Realm::Company, company_id: Some(id), .. }) => Ok(Scope::Company(*id)),
            _ => Err(Failure::new(
                Kind::Forbidden,
                "NO_COMPANY",
                "this needs an active company; switch to one or register one",
            )),
        }
    }

    /// The company that the caller acts for.
    ///
    /// # Errors
    /// 403 for staff and for people without one.
    pub fn company(&self) -> Result<CompanyId, Failure> {
        match self.scope()? {
            Scope::Company(id) => Ok(id),
            Scope::All => Err(Failure::new(
                Kind::Forbidden,
                "NO_COMPANY",
                "only a company's own people can do this, in its name",
            )),
        }
    }

    /// # Errors
    /// 403 when a service calls.
    pub fn user(&self) -> Result<UserId, Failure> {
        match self.actor() {
            Actor::User(id) => Ok(id),
            _ => Err(Failure::new(Kind::Forbidden, "NOT_A_PERSON", "only a person can do this")),
        }
    }

    #[must_use]
    pub fn actor(&self) -> Actor {
        self.claims.as_deref().map_or(Actor::System, Claims::actor)
    }

    /// # Errors
    /// 403 for a token that no login gave, as that of an API key.
    pub fn session(&self) -> Result<SessionId, Failure> {
        let session = self.claims.as_deref().and_then(|claims| claims.sid);
        session.ok_or_else(|| {
            Failure::new(Kind::Forbidden, "NO_SESSION", "this needs the access token of a login")
        })
    }

    #[must_use]
    pub fn realm(&self) -> Option<Realm> {
        self.claims.as_deref().map(|claims| claims.realm)
    }

    /// Whether the caller holds a permission beyond the operation's own.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        self.claims.as_deref().is_some_and(|claims| claims.allows(permission))
    }

    /// The permissions of the caller's token.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        self.claims.as_deref().map_or(&[], |claims| &claims.permissions)
    }

    /// For whom the token speaks, in whose company. Nothing for strangers.
    fn principal(&self) -> Option<String> {
        let company = self.claims.as_deref()?.company_id.map(|id| id.to_string()).unwrap_or_default();
        Some(format!("{company}|{}", self.actor()))
    }

    /// Whether the caller would be let in now; who came without a token needs none.
    pub(crate) fn is_still_let_in(&self, app: &App) -> bool {
        self.claims.as_ref().is_none_or(|claims| app.verifier().verify_again(claims).is_ok())
    }

    pub(crate) fn cause(&self) -> Cause {
        Cause {
            actor: self.actor(),
            correlation_id: self.call.request_id,
            causation_id: None,
            traceparent: Some(self.call.trace.to_string()),
        }
    }

    pub(crate) fn reading(&self) -> Option<Reading> {
        self.reading.clone()
    }

    /// The same caller, where the body was streamed and its digest is known only afterwards: what an
    /// idempotency key of the same file means.
    #[must_use]
    pub fn with_body_hash(&self, body_hash: [u8; 32]) -> Self {
        Self { call: Call { body_hash, ..self.call.clone() }, ..self.clone() }
    }

    /// Strangers have none: they could not be told apart, and a digest of what they send (a login's password) is
    /// nothing to keep.
    pub(crate) fn idempotency_key(&self, app: &App) -> Option<Key> {
        let key = self.call.idempotency_key.clone()?;
        Some(Key {
            scope: format!("{}|{} {}", self.principal()?, app.name(), self.call.operation),
            key,
            body_hash: app.keyed_digest(&self.call.body_hash),
        })
    }
}

/// The access token of a request.
///
/// # Errors
/// 401 when there is none, or something else in its place.
pub fn bearer_token(headers: &HeaderMap) -> Result<&str, Failure> {
    let refused = |code, detail: &str| Failure::new(Kind::Unauthenticated, code, detail);
    let value = headers.get(header::AUTHORIZATION).ok_or_else(|| {
        refused("NO_TOKEN", "this operation needs an access token: Authorization: Bearer …")
    })?;
    value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| refused("BAD_AUTHORIZATION", "send Authorization: Bearer <access token>"))
}

async fn authenticate(parts: &Parts, app: &App) -> Result<Caller, Error> {
    let token = bearer_token(&parts.headers)?;
    let claims = app.verifier().verify(token).await?;
    // Where services show certificates, a service's token is worth nothing in the hands of another.
    if claims.realm == Realm::Service
        && let Some(PeerCertificate(shown)) = parts.extensions.get()
        && !is_of_service(shown, &claims.sub)
    {
        return Err(Failure::new(
            Kind::Forbidden,
            "NOT_THIS_SERVICE",
            format!("the token is of {}, and the certificate of another service", claims.sub),
        )
        .into());
    }
    Ok(Caller { claims: Some(claims), call: Call::of(parts), reading: None })
}

/// A caller who holds permission `P`.
#[derive(Debug, Clone)]
pub struct Can<P>(Caller, PhantomData<P>);

impl<P> Deref for Can<P> {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<P: Permission> FromRequestParts<App> for Can<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let mut caller = authenticate(parts, app).await?;
        if !caller.may(P::NAME) {
            return Err(Failure::new(
                Kind::Forbidden,
                "NOT_PERMITTED",
                format!("this needs the permission {}", P::NAME),
            )
            .with("permission", P::NAME)
            .into());
        }
        if P::PERSONAL
            && let Some(reading) = Reading::of(app, &caller, parts, P::NAME)
        {
            if parts.method.is_safe() {
                access::record(app, &caller, &parts.method, reading).await?;
            } else {
                caller.reading = Some(reading);
            }
        }
        Ok(Self(caller, PhantomData))
    }
}

/// A person who is logged in, for what is their own (profile, sessions, registering a company). Not an API key, which
/// does what its scopes say and nothing else in its owner's name.
#[derive(Debug, Clone)]
pub struct LoggedIn(Caller);

impl Deref for LoggedIn {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequestParts<App> for LoggedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let caller = authenticate(parts, app).await?;
        caller.user()?;
        caller.session()?;
        Ok(Self(caller))
    }
}

/// Whoever holds a valid token, of an API key or a service, too: for what is the same for all (document types).
#[derive(Debug, Clone)]
pub struct AnyToken(Caller);

impl Deref for AnyToken {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequestParts<App> for AnyToken {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        authenticate(parts, app).await.map(Self)
    }
}

/// Nobody in particular: registration, login, public tracking.
#[derive(Debug, Clone)]
pub struct Anyone(Caller);

impl Deref for Anyone {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Anyone {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Caller { claims: None, call: Call::of(parts), reading: None }))
    }
}
