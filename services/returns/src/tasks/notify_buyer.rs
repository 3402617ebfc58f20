//! Tells the buyer of a step, where an address is known.

use quenty_kernel::Scope;
use quenty_mail::{Mail, Post};
use quenty_platform::{App, tasks::Claimed};

use crate::{Error, commands::BuyerNotice, domain::notice::compose, store};

pub(super) async fn notify_buyer(app: App, task: Claimed<BuyerNotice>) -> Result<(), Error> {
    let BuyerNotice { return_id, step } = &task.payload;
    let of =
        store::returns::find(app.db(), Scope::All, *return_id).await?.ok_or(Error::NotFound("return"))?;
    let token = store::returns::token_of(app.db(), Scope::All, *return_id).await?;
    let token = token.ok_or(Error::NotFound("return"))?;
    let request = &of.request;
    let Some(to) = &request.buyer.email else { return Ok(()) };
    let base = app.settings().require("public_url").map_err(quenty_platform::Error::internal)?;
    let link = format!("{}/api/v1/returns/track/{token}", base.trim_end_matches('/'));
    let (name, merchant) = (request.buyer.name.as_str(), request.destination.name.as_str());
    let Some(notice) = compose(step, &request.language, name, merchant, &link) else { return Ok(()) };
    let mail = Mail {
        to: to.as_str().to_owned(),
        subject: notice.subject,
        text: notice.text,
        kind: format!("return_{step}"),
        link: Some(link),
    };
    let sent = app.part::<Post>()?.send(&task.key, &mail).await;
    Ok(sent.map_err(quenty_platform::Error::from)?)
}
