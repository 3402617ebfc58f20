//! Passkeys: making and removing them, and proving with one who somebody is. Options and answers are the JSON of
//! WebAuthn, Level 3: what `PublicKeyCredential.parse…OptionsFromJSON()` reads and `toJSON()` writes.

use axum::{extract::State, http::header};
use quenty_kernel::{Timestamp, contact::Text, id::PasskeyId};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Json, LoggedIn, Path},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    authority::refuse,
    sessions::own_session,
    tokens_out::{self, TokensOut},
};
use crate::{
    commands,
    domain::{
        mfa::RecoveryCode,
        origin::Origin,
        passkey::{Assertion, Attestation, LoneAssertion, Passkey},
        secret::OpaqueToken,
    },
    store,
};

/// What the browser is told. It holds for five minutes and for one answer.
#[derive(Serialize, ToSchema)]
pub(super) struct PasskeyOptionsOut {
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON()` where a passkey is made, else for
    /// `parseRequestOptionsFromJSON()`.
    #[schema(value_type = Object, example = json!({"challenge": "F5a1Mz6XQ3mJ8cO4eXy2Tw", "timeout": 300_000, "rpId": "localhost", "allowCredentials": [], "userVerification": "required", "hints": [], "extensions": {}}))]
    public_key: Value,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddPasskeyIn {
    /// What the person calls it.
    #[schema(value_type = String, example = "Ana's phone")]
    name: Text<60>,
    /// What `navigator.credentials.create()` gave, by its `toJSON()`.
    #[schema(value_type = Object, example = json!({"id": "s0mJ2oTqRtmNFzRrGwKcYw", "rawId": "s0mJ2oTqRtmNFzRrGwKcYw", "type": "public-key", "clientExtensionResults": {}, "response": {"clientDataJSON": "eyJ0eXBl…", "attestationObject": "o2NmbXRk…", "transports": ["internal"]}}))]
    passkey: Attestation,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AskPasskeyIn {
    /// From the first step of the login.
    mfa_token: OpaqueToken,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyPasskeyIn {
    /// From the first step of the login.
    mfa_token: OpaqueToken,
    /// What `navigator.credentials.get()` gave, by its `toJSON()`.
    #[schema(value_type = Object, example = json!({"id": "s0mJ2oTqRtmNFzRrGwKcYw", "rawId": "s0mJ2oTqRtmNFzRrGwKcYw", "type": "public-key", "clientExtensionResults": {}, "response": {"clientDataJSON": "eyJ0eXBl…", "authenticatorData": "SZYN5YgO…", "signature": "MEUCIQDx…"}}))]
    passkey: Assertion,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginWithPasskeyIn {
    /// What `navigator.credentials.get()` gave, by its `toJSON()`.
    #[schema(value_type = Object, example = json!({"id": "s0mJ2oTqRtmNFzRrGwKcYw", "rawId": "s0mJ2oTqRtmNFzRrGwKcYw", "type": "public-key", "clientExtensionResults": {}, "response": {"clientDataJSON": "eyJ0eXBl…", "authenticatorData": "SZYN5YgO…", "signature": "MEUCIQDx…", "userHandle": "AZOnrHi9clqLZW3Gs6fYrA"}}))]
    passkey: LoneAssertion,
    /// What the first login of this device gave.
    device_token: Option<OpaqueToken>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PasskeyOut {
    id: PasskeyId,
    #[schema(example = "Ana's phone")]
    name: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

/// A new passkey, and what the first second factor brings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewPasskeyOut {
    #[serde(flatten)]
    passkey: PasskeyOut,
    /// Each works once, in place of a passkey. They are never shown again. Empty where there was another factor before:
    /// its codes stay.
    #[schema(example = json!(["MFRG-GZDF-MZTW-Q2LK"]))]
    recovery_codes: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PasskeysOut {
    items: Vec<PasskeyOut>,
    next_cursor: Option<String>,
}

impl From<Passkey> for PasskeyOut {
    fn from(passkey: Passkey) -> Self {
        let Passkey { id, name, created_at, last_used_at, .. } = passkey;
        Self { id, name, created_at, last_used_at }
    }
}

fn told(public_key: Value) -> Result<Answer> {
    Ok(Answer::ok(&PasskeyOptionsOut { public_key })?.header(header::CACHE_CONTROL, "no-store"))
}

/// List the own passkeys: ten at most.
#[utoipa::path(get, path = "/api/v1/auth/mfa/passkeys", operation_id = "list_passkeys", tag = "mfa", security(("bearer" = [])), responses((status = 200, body = PasskeysOut)))]
pub(super) async fn list_passkeys(State(app): State<App>, caller: LoggedIn) -> Result<Json<PasskeysOut>> {
    let (user, _) = own_session(&caller)?;
    let passkeys = store::passkeys::of_user(app.db(), user).await?;
    Ok(Json(PasskeysOut { items: passkeys.into_iter().map(PasskeyOut::from).collect(), next_cursor: None }))
}

/// Begin with a passkey: what the browser is told to make one.
#[utoipa::path(post, path = "/api/v1/auth/mfa/passkeys/options", operation_id = "ask_new_passkey", tag = "mfa", security(("bearer" = [])),
    responses((status = 200, body = PasskeyOptionsOut), (status = 403, description = "`PASSWORD_NEEDED`: give the password again first"), (status = 409, description = "`TOO_MANY_PASSKEYS`")))]
pub(super) async fn ask_new_passkey(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
) -> Result<Answer> {
    let (user, session) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    match commands::ask_new_passkey(&mut tx, user, session).await {
        Ok(options) => tx.answer(told(options)?).await,
        Err(why) => refuse(tx, why, ("ask_new_passkey", Some(user)), &origin).await,
    }
}

/// Add the passkey that the browser has made: it is a second factor from now on, and if its keeper makes sure who the person is, enough alone.
#[utoipa::path(post, path = "/api/v1/auth/mfa/passkeys", operation_id = "add_passkey", tag = "mfa", request_body = AddPasskeyIn, security(("bearer" = [])),
    responses((status = 201, body = NewPasskeyOut), (status = 403, description = "`PASSWORD_NEEDED`"),
        (status = 409, description = "`TOO_MANY_PASSKEYS`, `PASSKEY_EXISTS`"), (status = 422, description = "`INVALID_PASSKEY`: ask for options again")))]
pub(super) async fn add_passkey(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Json(input): Json<AddPasskeyIn>,
) -> Result<Answer> {
    let who = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    match commands::add_passkey(&mut tx, who, input.name.as_str(), &input.passkey, &origin).await {
        Ok(Ok((passkey, codes))) => {
            let id = passkey.id;
            let recovery_codes = codes.iter().map(RecoveryCode::written).collect();
            let body = NewPasskeyOut { passkey: passkey.into(), recovery_codes };
            let answer = Answer::created(format!("/api/v1/auth/mfa/passkeys/{id}"), &body)?;
            tx.answer(answer.header(header::CACHE_CONTROL, "no-store").secret_of(id)).await
        }
        Ok(Err(refused)) => tx.refuse(refused).await,
        Err(why) => refuse(tx, why, ("add_passkey", Some(who.0)), &origin).await,
    }
}

/// Remove a passkey; without another factor a password is enough again. Other sessions end.
#[utoipa::path(delete, path = "/api/v1/auth/mfa/passkeys/{id}", operation_id = "remove_passkey", tag = "mfa", params(("id" = PasskeyId, Path)), security(("bearer" = [])),
    responses((status = 204), (status = 403, description = "`PASSWORD_NEEDED`")))]
pub(super) async fn remove_passkey(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Path(id): Path<PasskeyId>,
) -> Result<Answer> {
    let who = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    match commands::remove_passkey(&mut tx, who, id, &origin).await {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(why) => refuse(tx, why, ("remove_passkey", Some(who.0)), &origin).await,
    }
}

/// The second step of a login with a passkey: what the browser is told.
#[utoipa::path(post, path = "/api/v1/auth/mfa/passkey/options", operation_id = "ask_passkey", tag = "mfa", security(()), request_body = AskPasskeyIn,
    responses((status = 200, body = PasskeyOptionsOut), (status = 401, description = "`INVALID_MFA_TOKEN`: log in again"), (status = 409, description = "`NO_PASSKEY`")))]
pub(super) async fn ask_passkey(
    State(app): State<App>,
    caller: Anyone,
    Json(input): Json<AskPasskeyIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let options = commands::ask_passkey(&mut tx, &input.mfa_token).await?;
    tx.answer(told(options)?).await
}

/// The second step of a login, with a passkey.
#[utoipa::path(post, path = "/api/v1/auth/mfa/passkey/verify", operation_id = "verify_passkey", tag = "mfa", security(()), request_body = VerifyPasskeyIn,
    responses((status = 200, body = TokensOut),
        (status = 401, description = "`INVALID_PASSKEY`: ask for options again; `INVALID_MFA_TOKEN`: unknown, expired, or five codes or passkeys were wrong: log in again"),
        (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn verify_passkey(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<VerifyPasskeyIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::verify_passkey(&mut tx, &input.mfa_token, &input.passkey, &origin).await? {
        Ok(tokens) => tx.answer(tokens_out::answer(tokens)?).await,
        Err(refused) => tx.refuse(refused).await,
    }
}

/// Prove once more to be it with a passkey beside the password: what the browser is told.
#[utoipa::path(post, path = "/api/v1/auth/reauthenticate/options", operation_id = "ask_own_passkey", tag = "auth", security(("bearer" = [])),
    responses((status = 200, body = PasskeyOptionsOut), (status = 409, description = "`NO_PASSKEY`")))]
pub(super) async fn ask_own_passkey(State(app): State<App>, caller: LoggedIn) -> Result<Answer> {
    let (user, session) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let options = commands::ask_own_passkey(&mut tx, user, session).await?;
    tx.answer(told(options)?).await
}

/// Log in with a passkey alone: what the browser is told.
#[utoipa::path(post, path = "/api/v1/auth/passkey/options", operation_id = "ask_any_passkey", tag = "auth", security(()),
    responses((status = 200, body = PasskeyOptionsOut), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn ask_any_passkey(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::ask_any_passkey(&mut tx, &origin).await? {
        Ok(options) => tx.answer(told(options)?).await,
        Err(refused) => tx.refuse(refused).await,
    }
}

/// Log in with a passkey alone: its keeper makes sure who the person is, so that nothing else is asked for.
#[utoipa::path(post, path = "/api/v1/auth/passkey/login", operation_id = "login_with_passkey", tag = "auth", security(()), request_body = LoginWithPasskeyIn,
    responses((status = 200, body = TokensOut),
        (status = 401, description = "`INVALID_PASSKEY`: ask for options again; `PASSWORD_NEEDED_ONCE`: the password was changed since the passkey was last used beside it"),
        (status = 403, description = "`ACCOUNT_SUSPENDED`"), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn login_with_passkey(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<LoginWithPasskeyIn>,
) -> Result<Answer> {
    let LoginWithPasskeyIn { passkey, device_token } = input;
    let mut tx = app.begin(&caller).await?;
    match commands::login_with_passkey(&mut tx, &passkey, device_token.as_ref(), &origin).await? {
        Ok(tokens) => tx.answer(tokens_out::answer(tokens)?).await,
        Err(refused) => tx.refuse(refused).await,
    }
}
