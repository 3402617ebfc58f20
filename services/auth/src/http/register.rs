//! Registering, and proving the e-mail address.

use axum::extract::State;
use quenty_kernel::{
    clock::wall_now,
    contact::{Email, LanguageTag, NewEmail, PersonName},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::login::slow_down;
use crate::{
    commands,
    domain::{
        origin::Origin,
        password::Password,
        person::{Person, Username},
        rate_limit::REGISTRATIONS,
        registration::Registration,
        secret::OpaqueToken,
    },
    error::Error,
    parts::PasswordHasher,
    store,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterIn {
    /// Another name to log in with; without it, the e-mail address is the only one.
    username: Option<Username>,
    email: NewEmail,
    given_name: PersonName,
    family_name: PersonName,
    /// Spanish unless told.
    language: Option<LanguageTag>,
    password: Password,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegisterOut {
    /// The same whether or not the address has an account already: its owner gets a mail.
    #[schema(example = "pending_verification")]
    status: &'static str,
    email: Email,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyIn {
    /// From the link in the mail.
    token: OpaqueToken,
    /// The one that was chosen when registering: anybody may have registered the address, and it tells whose account this is.
    password: Password,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResendIn {
    email: Email,
}

/// Register a person.
#[utoipa::path(post, path = "/api/v1/auth/register", operation_id = "register_user", tag = "auth", security(()), request_body = RegisterIn,
    responses(
        (status = 202, body = RegisterOut),
        (status = 409, description = "`USERNAME_TAKEN`"),
        (status = 422, description = "`WEAK_PASSWORD`"),
        (status = 429, description = "`TOO_MANY_ATTEMPTS`: three registrations an hour from one address"),
    ))]
pub(super) async fn register_user(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<RegisterIn>,
) -> Result<Answer> {
    let RegisterIn { username, email, given_name, family_name, language, password } = input;
    let language = language.map_or_else(|| "es".parse().map_err(quenty_platform::Error::internal), Ok)?;
    let person = Person { username, email: email.into(), given_name, family_name, language };
    let hits = store::rate_limits::find(app.db(), &REGISTRATIONS.bucket(&origin.network())).await?;
    if let Some(retry_after) = REGISTRATIONS.wait(hits, wall_now()) {
        return Err(Error::TooManyAttempts { retry_after }.into());
    }
    let hash = app.part::<PasswordHasher>()?.hash_new(&password, &person.personal(), Vec::new()).await?;
    let registration = Registration::new(person, hash, wall_now());
    let mut tx = app.begin(&caller).await?;
    match commands::register_user(&mut tx, &registration, &origin).await? {
        Ok(()) => {
            let out = RegisterOut { status: "pending_verification", email: registration.person.email };
            tx.answer(Answer::accepted("/api/v1/auth/verify", &out)?).await
        }
        Err(refused) => tx.refuse(refused).await,
    }
}

/// Prove the e-mail address with the token that was mailed, and who registered it with the password that was chosen.
#[utoipa::path(post, path = "/api/v1/auth/verify", operation_id = "verify_user", tag = "auth", security(()), request_body = VerifyIn,
    extensions(("x-own-pace" = json!(true))),
    responses((status = 204), (status = 409, description = "`USERNAME_TAKEN`: by somebody who was faster; register again"),
        (status = 422, description = "`INVALID_LINK`: unknown, used or expired, or no registration of the address has this password"),
        (status = 429, description = "`TOO_MANY_ATTEMPTS`, `TOO_MANY_LOGINS`: try again after `Retry-After`")))]
pub(super) async fn verify_user(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<VerifyIn>,
) -> Result<Answer> {
    let token = input.token.hash();
    let candidates = store::registrations::candidates(app.db(), &token, wall_now()).await?;
    if candidates.is_empty() {
        return Err(Error::BadProof.into());
    }
    slow_down(&app, &origin, &token).await?;
    let hasher = app.part::<PasswordHasher>()?;
    let mut proved = None;
    for (id, hash) in candidates {
        if hasher.check(&input.password, Some(hash)).await?.matches {
            proved = Some(id);
            break;
        }
    }
    let mut tx = app.begin(&caller).await?;
    match commands::verify_user(&mut tx, &input.token, proved, &origin).await? {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(refused) => tx.refuse(refused).await,
    }
}

/// Mail another verification link.
#[utoipa::path(post, path = "/api/v1/auth/verify/resend", operation_id = "resend_verification", tag = "auth", security(()), request_body = ResendIn,
    responses((status = 204, description = "Sent if there is something to verify"), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn resend_verification(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<ResendIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::resend_verification(&mut tx, &input.email, &origin).await? {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(refused) => tx.refuse(refused).await,
    }
}
