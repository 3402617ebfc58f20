//! Durable work: sending mails. The task names the link; its secret is derived only here, as the mail is written.

use quenty_kernel::{clock::wall_now, id::UserId};
use quenty_mail::{Mail, Post};
use quenty_platform::{App, service::TaskKind, tasks::Claimed};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    domain::{
        link,
        mail::{MailKind, compose},
        person::Person,
    },
    error::Error,
    parts::TokenKeys,
    store,
};

pub const SEND_MAIL: &str = "send_mail";

/// What is written to whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendMail {
    pub kind: MailKind,
    pub to: Addressee,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressee {
    User {
        id: UserId,
        /// The link that the mail carries, if it carries a secret one.
        link: Option<Uuid>,
    },
    /// Nobody yet; the mail carries the link of the registration.
    Registration(Uuid),
    /// The owner of this link to choose another password; it may be nobody's.
    PasswordReset(Uuid),
}

pub fn tasks() -> Vec<TaskKind> {
    vec![TaskKind::new(SEND_MAIL, send_mail)]
}

async fn send_mail(app: App, task: Claimed<SendMail>) -> Result<(), Error> {
    let SendMail { kind, to } = &task.payload;
    let Some(letter) = letter(&app, *kind, to).await? else { return Ok(()) };
    Ok(app.part::<Post>()?.send(&task.key, &letter).await.map_err(quenty_platform::Error::from)?)
}

/// Nothing to write when the registration was verified or forgotten meanwhile, or nobody's password is to be reset.
async fn letter(app: &App, kind: MailKind, to: &Addressee) -> Result<Option<Mail>, Error> {
    match to {
        Addressee::User { id, link } => {
            let address = address(app, kind, *link)?;
            to_user(app, kind, *id, address).await.map(Some)
        }
        Addressee::Registration(id) => {
            let Some(registration) = store::registrations::find(app.db(), *id).await? else {
                return Ok(None);
            };
            // Nobody has proved to own the address: whoever registers it would write there in words of their own.
            let Person { email, language, .. } = registration.person;
            let address = address(app, kind, Some(*id))?;
            Ok(Some(compose(kind, email.as_str(), None, language.as_str(), address)))
        }
        Addressee::PasswordReset(id) => {
            let owner = store::password_resets::addressee(app.db(), *id, wall_now()).await?;
            let Some(owner) = owner else { return Ok(None) };
            let address = address(app, kind, Some(*id))?;
            to_user(app, kind, owner, address).await.map(Some)
        }
    }
}

async fn to_user(app: &App, kind: MailKind, id: UserId, address: String) -> Result<Mail, Error> {
    let user = store::users::find(app.db(), id).await?.ok_or(Error::NotFound("user"))?;
    // Who has not answered has not chosen the name: whoever invites would write to strangers through us.
    let name = user.verified.then(|| user.given_name());
    Ok(compose(kind, user.email().as_str(), name, user.language(), address))
}

/// Where the mail's link leads.
fn address(app: &App, kind: MailKind, link: Option<Uuid>) -> Result<String, Error> {
    let base =
        app.settings().require("public_url").map_err(quenty_platform::Error::internal)?.trim_end_matches('/');
    let page = format!("{base}{}", kind.path());
    let Some(id) = link else { return Ok(page) };
    let token = link::token(&app.part::<TokenKeys>()?.link, id);
    Ok(format!("{page}?token={}", token.as_str()))
}
