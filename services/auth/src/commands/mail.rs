//! Mails that a command asks for; they are sent by a task.

use quenty_kernel::{
    clock::wall_now,
    id::{CompanyId, UserId},
};
use quenty_platform::Tx;
use uuid::Uuid;

use crate::{
    domain::{
        link::{self, Link, LinkPurpose},
        mail::MailKind,
    },
    error::Error,
    parts::TokenKeys,
    store,
    tasks::{SEND_MAIL, SendMail},
};

/// Mails a new link; earlier ones of this user work no more.
pub(super) async fn mail_link(tx: &mut Tx, user: UserId, purpose: LinkPurpose) -> Result<(), Error> {
    let now = wall_now();
    store::links::use_all(tx.conn(), user, now).await?;
    let link = Link::new(user, purpose, now);
    let token = link::token(&tx.app().part::<TokenKeys>()?.link, link.id);
    store::links::insert(tx.conn(), &link, &token.hash()).await?;
    let kind = match purpose {
        LinkPurpose::Verification => MailKind::Verification,
        LinkPurpose::Invitation => MailKind::Invitation,
    };
    let task = SendMail { kind, user_id: user, link: Some(link.id) };
    Ok(tx.enqueue(SEND_MAIL, format!("{}-{}", kind.as_str(), link.id), None, &task)?)
}

/// Mails something without a secret; `cause` tells one mail of a kind from the next.
pub(super) fn mail_notice(
    tx: &mut Tx,
    user: UserId,
    kind: MailKind,
    cause: Uuid,
    company: Option<CompanyId>,
) -> Result<(), Error> {
    let task = SendMail { kind, user_id: user, link: None };
    Ok(tx.enqueue(SEND_MAIL, format!("{}-{cause}", kind.as_str()), company, &task)?)
}
