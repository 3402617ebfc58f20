//! Logging in.

use std::time::Duration;

use axum::{extract::State, http::header};
use quenty_kernel::{clock::wall_now, contact::Text};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tokens_out::{self, TokensOut};
use crate::{
    commands::{self, Attempt, LoggedIn, account_name},
    domain::{
        lockout,
        origin::Origin,
        password::Password,
        rate_limit::{FAILURES_OF_ACCOUNT, FAILURES_OF_ADDRESS},
        secret::OpaqueToken,
    },
    error::Error,
    parts::PasswordHasher,
    store,
};

/// What each attempt at a stuffed account takes longer.
const SLOWED_BY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginIn {
    #[schema(value_type = String, example = "ana.gomez@example.com")]
    username_or_email: Text<254>,
    password: Password,
    /// What the first login of this device gave.
    device_token: Option<OpaqueToken>,
}

/// Tokens, or what is asked for beside the password.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described: the answers are of the two types in it")]
enum LoginOut {
    Session(TokensOut),
    SecondStep(SecondStepOut),
}

#[derive(Debug, Serialize, ToSchema)]
struct SecondStepOut {
    #[schema(example = true)]
    mfa_required: bool,
    /// Send it with a code to `POST /api/v1/auth/mfa/verify`, or to `POST /api/v1/auth/mfa/passkey/options`, and with what
    /// the passkey answers to `…/passkey/verify`.
    mfa_token: OpaqueToken,
    /// Which of `totp`, `passkey` and `recovery_code` the person has.
    #[schema(example = json!(["totp", "passkey", "recovery_code"]))]
    methods: Vec<&'static str>,
    /// Seconds until the login begins anew.
    #[schema(example = 300)]
    expires_in: i64,
}

/// Log in with a password.
#[utoipa::path(post, path = "/api/v1/auth/login", operation_id = "login", tag = "auth", security(()), request_body = LoginIn,
    extensions(("x-own-pace" = json!(true))),
    responses(
        (status = 200, body = LoginOut),
        (status = 401, description = "`INVALID_CREDENTIALS`: the same whether the name, the password, a lock or an address that was never verified is the reason"),
        (status = 403, description = "`ACCOUNT_SUSPENDED`: told only to those who know the password"),
        (status = 429, description = "`TOO_MANY_ATTEMPTS`, `TOO_MANY_LOGINS`: try again after `Retry-After`"),
    ))]
pub(super) async fn login(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<LoginIn>,
) -> Result<Answer> {
    let login = input.username_or_email.as_str();
    let (user_id, stored) = store::passwords::by_login(app.db(), login).await?;
    let device = store::devices::find(app.db(), user_id, input.device_token.as_ref(), wall_now()).await?;
    // A device that the person has logged in with waits for its own failures only.
    if device.is_none() {
        slow_down(&app, &origin, &lockout::account(user_id, &store::users::key(login))).await?;
    }
    let hasher = app.part::<PasswordHasher>()?;
    let hash = stored.as_ref().map(|stored| stored.hash.clone());
    let checked = hasher.check(&input.password, hash).await?;
    let rehash =
        if checked.matches && checked.is_outdated { Some(hasher.hash(&input.password).await?) } else { None };
    let proved = stored.filter(|_| checked.matches).map(|stored| stored.id);
    let mut tx = app.begin(&caller).await?;
    let attempt = Attempt { login: login.to_owned(), user_id, proved, rehash, device, origin };
    match commands::login(&mut tx, attempt).await? {
        Ok(LoggedIn::Session(tokens)) => tx.answer(tokens_out::answer(tokens)?).await,
        Ok(LoggedIn::SecondStep { mfa_token, methods, expires_in }) => {
            let methods = methods.names().chain(["recovery_code"]).collect();
            let body = SecondStepOut { mfa_required: true, mfa_token, methods, expires_in };
            tx.answer(Answer::ok(&body)?.header(header::CACHE_CONTROL, "no-store")).await
        }
        Err(refused) => tx.refuse(refused).await,
    }
}

/// Refuses an address that tries many accounts, and lets each attempt at an account that many addresses try take longer.
/// Attempts at once wait side by side: how many are looked at in a second is bounded by the [`PasswordHasher`] alone.
pub(super) async fn slow_down(app: &App, origin: &Origin, account: &[u8; 32]) -> Result<(), Error> {
    let now = wall_now();
    let of_address =
        store::rate_limits::find(app.db(), &FAILURES_OF_ADDRESS.bucket(&origin.network())).await?;
    if let Some(retry_after) = FAILURES_OF_ADDRESS.wait(of_address, now) {
        return Err(Error::TooManyAttempts { retry_after });
    }
    let of_account =
        store::rate_limits::find(app.db(), &FAILURES_OF_ACCOUNT.bucket(&account_name(account))).await?;
    if FAILURES_OF_ACCOUNT.wait(of_account, now).is_some() {
        tokio::time::sleep(SLOWED_BY).await;
    }
    Ok(())
}
