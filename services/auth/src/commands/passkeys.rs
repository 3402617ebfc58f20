//! A person's passkeys. Like every second factor they change only in a session whose person proved to be it within the
//! last minutes, and their owner is told by mail.

use quenty_kernel::{
    clock::wall_now,
    id::{PasskeyId, SessionId, UserId, new_uuid},
};
use quenty_platform::Tx;
use serde_json::Value;

use super::{
    Outcome,
    mail::mail_notice,
    mfa::{after_first_factor, after_lost_factor},
    prove_password::stepped_up,
    record_access,
};
use crate::{
    domain::{
        mail::MailKind,
        mfa::{PASSKEY, RecoveryCode},
        origin::Origin,
        passkey::{Asked, Attestation, CEREMONY_LIVES, MOST, Passkey, Purpose, RelyingParty, Unproved},
        session::password_and_passkey,
    },
    error::Error,
    store,
};

/// Keeps what was asked, in place of what the same owner asked before, and gives what the browser is told.
pub(super) async fn keep_asked(tx: &mut Tx, key: (Purpose, &[u8]), asked: Asked) -> Result<Value, Error> {
    store::passkeys::put_ceremony(tx.conn(), key, &asked.state, wall_now() + CEREMONY_LIVES).await?;
    Ok(asked.options)
}

/// What the browser is told to make a passkey.
pub async fn ask_new_passkey(tx: &mut Tx, user: UserId, session: SessionId) -> Result<Value, Error> {
    let (user, session) = stepped_up(tx, user, session).await?;
    let known = store::passkeys::of_user(tx.conn(), user.id()).await?;
    if known.len() >= MOST {
        return Err(Error::TooManyPasskeys);
    }
    let app = tx.app().clone();
    let asked = app.part::<RelyingParty>()?.ask_new(&user, &known)?;
    keep_asked(tx, (Purpose::Registration, session.id.uuid().as_bytes()), asked).await
}

/// The passkey counts from now on. There are recovery codes if it is the first factor. The inner error must be
/// committed, too: what was asked is answered once, however.
pub async fn add_passkey(
    tx: &mut Tx,
    (user, session): (UserId, SessionId),
    name: &str,
    answer: &Attestation,
    origin: &Origin,
) -> Result<Result<(Passkey, Vec<RecoveryCode>), Error>, Error> {
    let (mut user, mut session) = stepped_up(tx, user, session).await?;
    let known = store::passkeys::of_user(tx.conn(), user.id()).await?;
    if known.len() >= MOST {
        return Err(Error::TooManyPasskeys);
    }
    let (app, now) = (tx.app().clone(), wall_now());
    let owner = session.id.uuid();
    let asked = (Purpose::Registration, owner.as_bytes().as_slice());
    let Some(state) = store::passkeys::take_ceremony(tx.conn(), asked, now).await? else {
        return Ok(Err(Error::UnfitPasskey));
    };
    let (credential, kept_in) = match app.part::<RelyingParty>()?.register(&state, answer) {
        Ok(made) => made,
        Err(why) => return refuse(tx, user.id(), &why, origin).map(|()| Err(Error::UnfitPasskey)),
    };
    let passkey = Passkey {
        id: PasskeyId::new(),
        user_id: user.id(),
        name: name.to_owned(),
        credential,
        // An active person has one.
        password_id: store::passwords::current(tx.conn(), user.id()).await?.ok_or(Error::Suspended)?,
        created_at: now,
        last_used_at: None,
    };
    let before = store::mfa::methods(tx.conn(), user.id()).await?;
    if !store::passkeys::insert(tx.conn(), &passkey).await? {
        return Ok(Err(Error::PasskeyExists));
    }
    if !before.passkey {
        let fact = user.enable_mfa(PASSKEY, tx.now());
        store::users::save(tx.conn(), &user).await?;
        tx.record(user.id(), None, &fact)?;
    }
    let codes = if before.is_enabled() {
        Vec::new()
    } else {
        after_first_factor(tx, &mut session, &password_and_passkey(kept_in)).await?
    };
    mail_notice(tx, user.id(), MailKind::PasskeyAdded, new_uuid(), None)?;
    record_access(tx, "add_passkey", Outcome::Succeeded, Some(user.id()), None, origin)?;
    Ok(Ok((passkey, codes)))
}

fn refuse(tx: &mut Tx, user: UserId, why: &Unproved, origin: &Origin) -> Result<(), Error> {
    tracing::info!(user_id = %user, %why, "a new passkey was refused");
    record_access(tx, "add_passkey", Outcome::Refused, Some(user), None, origin)
}

/// The passkey counts no more.
pub async fn remove_passkey(
    tx: &mut Tx,
    (user, session): (UserId, SessionId),
    id: PasskeyId,
    origin: &Origin,
) -> Result<(), Error> {
    let (mut user, mut session) = stepped_up(tx, user, session).await?;
    if !store::passkeys::delete(tx.conn(), user.id(), id).await? {
        return Err(Error::NotFound("passkey"));
    }
    if !store::mfa::methods(tx.conn(), user.id()).await?.passkey {
        let fact = user.disable_mfa(PASSKEY, tx.now());
        store::users::save(tx.conn(), &user).await?;
        tx.record(user.id(), None, &fact)?;
    }
    after_lost_factor(tx, &mut session).await?;
    mail_notice(tx, user.id(), MailKind::PasskeyRemoved, new_uuid(), None)?;
    record_access(tx, "remove_passkey", Outcome::Succeeded, Some(user.id()), None, origin)
}
