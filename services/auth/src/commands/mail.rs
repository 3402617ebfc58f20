//! Mails that a command asks for; they are sent by a task.

use quenty_kernel::{
    clock::wall_now,
    id::{CompanyId, UserId, new_uuid},
};
use quenty_platform::Tx;
use uuid::Uuid;

use crate::{
    domain::{
        link::{self, Link},
        mail::MailKind,
        password_reset::PasswordReset,
        user::UserStatus,
    },
    error::Error,
    parts::TokenKeys,
    store,
    tasks::{Addressee, SEND_MAIL, SendMail},
};

/// Mails the link of a registration, for the first time or again.
pub(super) fn mail_verification(tx: &mut Tx, registration: Uuid) -> Result<(), Error> {
    let kind = MailKind::Verification;
    let task = SendMail { kind, to: Addressee::Registration(registration) };
    Ok(tx.enqueue(SEND_MAIL, format!("{}-{}", kind.as_str(), new_uuid()), None, &task)?)
}

/// Mails a new link to who was invited; earlier ones of this user work no more.
pub(super) async fn mail_invitation(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    store::links::use_all(tx.conn(), user, wall_now()).await?;
    mail_invitation_again(tx, user).await
}

/// As [`mail_invitation`], but earlier links work on: a stranger may have asked for this one.
pub(super) async fn mail_invitation_again(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    // Who answers at this moment has done so, or finds this link among theirs and uses it up.
    let invited = store::users::lock(tx.conn(), user).await?;
    if invited.is_none_or(|user| user.status() != UserStatus::PendingVerification) {
        return Ok(());
    }
    let link = Link::new(user, wall_now());
    let token = link::token(&tx.app().part::<TokenKeys>()?.link, link.id);
    store::links::insert(tx.conn(), &link, &token.hash()).await?;
    let kind = MailKind::Invitation;
    let task = SendMail { kind, to: Addressee::User { id: user, link: Some(link.id) } };
    Ok(tx.enqueue(SEND_MAIL, format!("{}-{}", kind.as_str(), link.id), None, &task)?)
}

/// Keeps a link to choose another password, and mails it if it is anybody's.
pub(super) async fn mail_password_reset(tx: &mut Tx, reset: &PasswordReset) -> Result<(), Error> {
    let token = link::token(&tx.app().part::<TokenKeys>()?.link, reset.id);
    store::password_resets::insert(tx.conn(), reset, &token.hash()).await?;
    let kind = MailKind::PasswordReset;
    let task = SendMail { kind, to: Addressee::PasswordReset(reset.id) };
    Ok(tx.enqueue(SEND_MAIL, format!("{}-{}", kind.as_str(), reset.id), None, &task)?)
}

/// Mails something without a secret; `cause` tells one mail of a kind from the next.
pub(super) fn mail_notice(
    tx: &mut Tx,
    user: UserId,
    kind: MailKind,
    cause: Uuid,
    company: Option<CompanyId>,
) -> Result<(), Error> {
    let task = SendMail { kind, to: Addressee::User { id: user, link: None } };
    Ok(tx.enqueue(SEND_MAIL, format!("{}-{cause}", kind.as_str()), company, &task)?)
}
