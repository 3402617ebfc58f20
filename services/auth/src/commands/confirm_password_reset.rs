//! Who can read the mails of an account chooses another password for it; every session of before ends,
//! and every API key unless its owner wants to keep them.

use quenty_kernel::{Actor, clock::wall_now, id::new_uuid};
use quenty_platform::Tx;

use super::{
    Outcome, Which, api_keys::revoke_api_keys, end_sessions, mail::mail_notice, record_access, revoke_user,
};
use crate::{
    domain::{
        lockout, mail::MailKind, origin::Origin, password::REMEMBERED, rate_limit::MFA_FAILURES,
        secret::OpaqueToken, user::UserStatus,
    },
    error::Error,
    store,
};

pub async fn confirm_password_reset(
    tx: &mut Tx,
    token: &OpaqueToken,
    password_hash: &str,
    keeps_api_keys: bool,
    origin: &Origin,
) -> Result<(), Error> {
    let now = wall_now();
    let id = store::password_resets::lock(tx.conn(), &token.hash(), now).await?.ok_or(Error::BadLink)?;
    let found = store::users::lock(tx.conn(), id).await?;
    let mut user = found.filter(|user| user.status() == UserStatus::Active).ok_or(Error::BadLink)?;
    tx.act_as(Actor::User(id));
    let fact = user.change_password(tx.now());
    store::users::save(tx.conn(), &user).await?;
    store::passwords::insert(tx.conn(), id, password_hash, REMEMBERED, now).await?;
    store::password_resets::use_all(tx.conn(), id, now).await?;
    store::devices::forget_all(tx.conn(), id).await?;
    // Failures were guesses of a password that is none any more, or of codes by who knew it.
    store::lockouts::clear_account(tx.conn(), &lockout::account(Some(id), "")).await?;
    store::rate_limits::clear(tx.conn(), &MFA_FAILURES.bucket(&id.to_string())).await?;
    tx.record(id, None, &fact)?;
    // Rows before the list of revocations: who exchanges a key holds its row and waits for the list.
    let had_api_keys = !keeps_api_keys && revoke_api_keys(tx, id, None, None).await?;
    end_sessions(tx, id, Which::All, "password_reset").await?;
    if had_api_keys {
        revoke_user(tx, id).await?;
    }
    mail_notice(tx, id, MailKind::PasswordChanged, new_uuid(), None)?;
    record_access(tx, "confirm_password_reset", Outcome::Succeeded, Some(id), None, origin)
}
