//! Logging in.

use std::time::Duration;

use axum::extract::State;
use quenty_kernel::{clock::wall_now, contact::Text};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Json},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::tokens_out::{self, TokensOut};
use crate::{
    commands::{self, Attempt, account_name},
    domain::{
        lockout,
        origin::Origin,
        password::Password,
        rate_limit::{FAILURES_OF_ACCOUNT, FAILURES_OF_ADDRESS},
    },
    error::Error,
    parts::PasswordHasher,
    store,
};

/// What a stuffed account's attempts are slowed down by.
const SLOWED_BY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginIn {
    #[schema(value_type = String, example = "ana.gomez@example.com")]
    username_or_email: Text<254>,
    password: Password,
}

/// Log in with a password.
#[utoipa::path(post, path = "/api/v1/auth/login", operation_id = "login", tag = "auth", request_body = LoginIn,
    responses(
        (status = 200, body = TokensOut),
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
    slow_down(&app, &origin, &lockout::account(user_id, &store::users::key(login))).await?;
    let hasher = app.part::<PasswordHasher>()?;
    let hash = stored.as_ref().map(|stored| stored.hash.clone());
    let checked = hasher.check(&input.password, hash).await?;
    let rehash =
        if checked.matches && checked.is_outdated { Some(hasher.hash(&input.password).await?) } else { None };
    let proved = stored.filter(|_| checked.matches).map(|stored| stored.id);
    let mut tx = app.begin(&caller).await?;
    let attempt = Attempt { login: login.to_owned(), user_id, proved, rehash, origin };
    match commands::login(&mut tx, attempt).await? {
        Ok(tokens) => tx.answer(tokens_out::answer(tokens)?).await,
        Err(refused) => {
            tx.commit().await?;
            Err(refused.into())
        }
    }
}

/// Refuses an address that tries many accounts, and slows down whoever tries one account from many addresses.
async fn slow_down(app: &App, origin: &Origin, account: &[u8; 32]) -> Result<(), Error> {
    let now = wall_now();
    let of_address = store::rate_limits::find(app.db(), &FAILURES_OF_ADDRESS.bucket(&origin.address)).await?;
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
