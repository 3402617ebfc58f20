//! A person's second factor: an authenticator app and recovery codes, and what the first and the last factor of any kind
//! bring. All of it needs a session whose person proved to be it within the last minutes, with the second factor where
//! there is one already; its owner is told by mail.

use quenty_kernel::{
    clock::wall_now,
    id::{SessionId, UserId, new_uuid},
};
use quenty_platform::Tx;
use rand::RngCore;

use super::{
    Outcome, Which, end_sessions, mail::mail_notice, prove_password::stepped_up, record_access, revoke_user,
};
use crate::{
    domain::{
        mail::MailKind,
        mfa::{RECOVERY_BYTES, RECOVERY_CODES, RecoveryCode, TOTP, TotpFactor, TotpSecret},
        origin::Origin,
        session::{PASSWORD_AND_CODE, PASSWORD_ONLY, Session},
    },
    error::Error,
    parts::TokenKeys,
    store,
};

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

async fn factor(tx: &mut Tx, user: UserId) -> Result<Option<TotpFactor>, Error> {
    let app = tx.app().clone();
    Ok(store::mfa::find_totp(tx.conn(), user, &app.part::<TokenKeys>()?.mfa).await?)
}

/// A secret for an authenticator app, which counts once a first code confirms it; and the account's name.
pub async fn enrol_totp(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
) -> Result<(TotpSecret, String), Error> {
    let (user, _) = stepped_up(tx, user, session).await?;
    if factor(tx, user.id()).await?.is_some_and(|factor| factor.is_confirmed) {
        return Err(Error::MfaEnabled);
    }
    let secret = TotpSecret::from_bytes(random());
    let sealed = secret.seal(&tx.app().part::<TokenKeys>()?.mfa, random(), user.id());
    store::mfa::put_totp(tx.conn(), user.id(), &sealed, wall_now()).await?;
    Ok((secret, user.email().to_string()))
}

/// The app works: from now on its codes are asked for. There are recovery codes if it is the first factor.
pub async fn confirm_totp(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
    code: &str,
    origin: &Origin,
) -> Result<Vec<RecoveryCode>, Error> {
    let (mut user, mut session) = stepped_up(tx, user, session).await?;
    let factor = factor(tx, user.id()).await?.ok_or(Error::NoFactor)?;
    if factor.is_confirmed {
        return Err(Error::MfaEnabled);
    }
    let now = wall_now();
    let step = factor.secret.step_of(code, factor.last_step, now).ok_or(Error::UnfitCode)?;
    let before = store::mfa::methods(tx.conn(), user.id()).await?;
    store::mfa::take_step(tx.conn(), user.id(), step, now).await?;
    let fact = user.enable_mfa(TOTP, tx.now());
    store::users::save(tx.conn(), &user).await?;
    tx.record(user.id(), None, &fact)?;
    let codes = if before.is_enabled() {
        Vec::new()
    } else {
        after_first_factor(tx, &mut session, &PASSWORD_AND_CODE).await?
    };
    mail_notice(tx, user.id(), MailKind::MfaEnabled, new_uuid(), None)?;
    record_access(tx, "confirm_totp", Outcome::Succeeded, Some(user.id()), None, origin)?;
    Ok(codes)
}

/// The app counts no more.
pub async fn disable_totp(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
    origin: &Origin,
) -> Result<(), Error> {
    let (mut user, mut session) = stepped_up(tx, user, session).await?;
    let known = factor(tx, user.id()).await?.ok_or(Error::NoFactor)?;
    store::mfa::delete_totp(tx.conn(), user.id()).await?;
    if !known.is_confirmed {
        return Ok(());
    }
    let fact = user.disable_mfa(TOTP, tx.now());
    store::users::save(tx.conn(), &user).await?;
    tx.record(user.id(), None, &fact)?;
    after_lost_factor(tx, &mut session).await?;
    mail_notice(tx, user.id(), MailKind::MfaDisabled, new_uuid(), None)?;
    record_access(tx, "disable_totp", Outcome::Succeeded, Some(user.id()), None, origin)
}

/// Ten other recovery codes; those of before work no more.
pub async fn renew_recovery_codes(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
    origin: &Origin,
) -> Result<Vec<RecoveryCode>, Error> {
    let (user, _) = stepped_up(tx, user, session).await?;
    if !store::mfa::methods(tx.conn(), user.id()).await?.is_enabled() {
        return Err(Error::NoFactor);
    }
    mail_notice(tx, user.id(), MailKind::RecoveryCodesRenewed, new_uuid(), None)?;
    record_access(tx, "renew_recovery_codes", Outcome::Succeeded, Some(user.id()), None, origin)?;
    new_codes(tx, user.id()).await
}

/// With the first factor there are recovery codes, and other sessions, begun with a password alone, end; this one's
/// person has just given both.
pub(super) async fn after_first_factor(
    tx: &mut Tx,
    session: &mut Session,
    amr: &[&str],
) -> Result<Vec<RecoveryCode>, Error> {
    let user = session.user_id;
    session.amr = amr.iter().map(|method| (*method).to_owned()).collect();
    store::sessions::save(tx.conn(), session).await?;
    end_sessions(tx, user, Which::AllBut(session.id), "mfa_enabled").await?;
    new_codes(tx, user).await
}

/// With a factor that was given up other sessions end, as they may be a thief's who has it. With the last one the
/// recovery codes go, a password is enough again, and tokens that count on the factor work no more.
pub(super) async fn after_lost_factor(tx: &mut Tx, session: &mut Session) -> Result<(), Error> {
    let user = session.user_id;
    end_sessions(tx, user, Which::AllBut(session.id), "mfa_disabled").await?;
    if store::mfa::methods(tx.conn(), user).await?.is_enabled() {
        return Ok(());
    }
    store::mfa::replace_codes(tx.conn(), user, &[]).await?;
    // The password, if it was given: a passkey alone may have begun the session.
    session.amr.retain(|method| PASSWORD_ONLY.contains(&method.as_str()));
    store::sessions::save(tx.conn(), session).await?;
    // Where staff must have a factor, this session's token says more from now on than is true.
    revoke_user(tx, user).await
}

async fn new_codes(tx: &mut Tx, user: UserId) -> Result<Vec<RecoveryCode>, Error> {
    let codes: Vec<_> =
        (0..RECOVERY_CODES).map(|_| RecoveryCode::from_bytes(random::<RECOVERY_BYTES>())).collect();
    let key = tx.app().part::<TokenKeys>()?.mfa.clone();
    let macs: Vec<_> = codes.iter().map(|code| code.mac(&key, user)).collect();
    store::mfa::replace_codes(tx.conn(), user, &macs).await?;
    Ok(codes)
}
