//! The way out for mails: a mail server, or a folder on this machine.

mod outbox;
mod smtp;

use futures_util::future::BoxFuture;
use quenty_platform::{Error, Result, settings::Settings};

use crate::domain::mail::Mail;

#[derive(Debug, thiserror::Error)]
#[error("the mail could not be sent: {0}")]
pub struct MailError(String);

/// Sends mails. The same key is the same mail: a repeat after a fault must not become a second one where that
/// can be prevented.
pub trait Mailer: Send + Sync {
    fn send<'a>(&'a self, key: &'a str, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>>;
}

/// The mailer that the settings choose.
///
/// # Errors
/// When they choose none, or one that cannot work.
pub fn from_settings(settings: &Settings) -> Result<Box<dyn Mailer>> {
    if let Some(url) = settings.get("smtp_url") {
        let from = settings.require("mail_from").map_err(Error::internal)?;
        return Ok(Box::new(
            smtp::Smtp::new(url, from)
                .map_err(|why| Error::internal(format!("QUENTY_SMTP_URL, QUENTY_MAIL_FROM: {why}")))?,
        ));
    }
    let Some(folder) = settings.get("mail_dir") else {
        return Err(Error::internal(
            "no way to send mails: set QUENTY_SMTP_URL, or QUENTY_MAIL_DIR to leave them in a folder of this machine",
        ));
    };
    Ok(Box::new(
        outbox::Outbox::new(folder).map_err(|why| Error::internal(format!("QUENTY_MAIL_DIR: {why}")))?,
    ))
}
