//! Durable work: sending mails. The task names the link; its secret is derived only here, as the mail is written.

use quenty_kernel::{Scope, id::UserId};
use quenty_platform::{App, service::TaskKind, tasks::Claimed};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    domain::{
        link,
        mail::{MailKind, compose},
    },
    error::Error,
    parts::{Post, TokenKeys},
    store,
};

pub const SEND_MAIL: &str = "send_mail";

/// What is written to whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendMail {
    pub kind: MailKind,
    pub user_id: UserId,
    /// The link that it carries, if it carries a secret one.
    pub link: Option<Uuid>,
}

pub fn tasks() -> Vec<TaskKind> {
    vec![TaskKind::new(SEND_MAIL, send_mail)]
}

async fn send_mail(app: App, task: Claimed<SendMail>) -> Result<(), Error> {
    let SendMail { kind, user_id, link } = &task.payload;
    let user = store::users::find(app.db(), Scope::All, *user_id).await?.ok_or(Error::NotFound("user"))?;
    let base =
        app.settings().require("public_url").map_err(quenty_platform::Error::internal)?.trim_end_matches('/');
    let mut address = format!("{base}{}", kind.path());
    if let Some(id) = link {
        let token = link::token(&app.part::<TokenKeys>()?.link, *id);
        address = format!("{address}?token={}", token.as_str());
    }
    let mail = compose(*kind, user.email().as_str(), user.given_name(), user.language(), address);
    app.part::<Post>()?.0.send(&task.key, &mail).await.map_err(quenty_platform::Error::internal)?;
    metrics::counter!("quenty_mails_sent_total", "kind" => kind.as_str()).increment(1);
    Ok(())
}
