//! The way out for mails: a mail server, or a folder on this machine.
//!
//! What is written, and in which language, is the service's matter; a mail is sent by a durable task.

mod outbox;
mod smtp;

use futures_util::future::BoxFuture;
use quenty_platform::{
    Error, Result,
    settings::{Setting, Settings},
};

/// A service that sends mails has these among its own.
pub const SETTINGS: &[Setting] = &[
    Setting::new("mail_dir", "folder in which mails are left instead of being sent: one JSON file each"),
    Setting::new("smtp_url", "mail server, like `smtps://user:password@host`").secret(),
    Setting::new("mail_from", "sender of mails that go through a server")
        .default("Quenty <no-reply@quenty.local>"),
    Setting::new("public_url", "what links in mails begin with").default("http://127.0.0.1:8000"),
];

/// A mail as it is sent: plain text.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    /// What kind of mail it is, for metrics and logs: one of a few words.
    pub kind: String,
    /// Where it leads, as it stands in the text. May hold a secret: never logged.
    pub link: Option<String>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail({})", self.kind)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the mail could not be sent: {0}")]
pub struct MailError(String);

impl From<MailError> for Error {
    fn from(error: MailError) -> Self {
        Self::internal(error)
    }
}

/// Sends mails. The same key is the same mail: a repeat after a fault must not become a second one where that
/// can be prevented.
pub trait Mailer: Send + Sync {
    fn send<'a>(&'a self, key: &'a str, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>>;
}

/// The way out that the settings chose; a part of the service.
pub struct Post(pub Box<dyn Mailer>);

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Post")
    }
}

impl Post {
    /// Sends a mail under the key of its task. The key becomes a file's name and part of a message's id.
    ///
    /// # Errors
    /// When nobody took the mail, or the key cannot be one.
    pub async fn send(&self, key: &str, mail: &Mail) -> Result<(), MailError> {
        if !is_key(key) {
            return Err(MailError(format!(
                "{key:?} is no key: it may have letters, digits, `-`, `_` and `.`"
            )));
        }
        self.0.send(key, mail).await?;
        metrics::counter!("quenty_mails_sent_total", "kind" => mail.kind.clone()).increment(1);
        Ok(())
    }
}

fn is_key(key: &str) -> bool {
    !key.starts_with('.')
        && (1..=128).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The way out that the settings choose.
///
/// # Errors
/// When they choose none, or one that cannot work.
pub fn from_settings(settings: &Settings) -> Result<Post> {
    if let Some(url) = settings.get("smtp_url") {
        let from = settings.require("mail_from").map_err(Error::internal)?;
        let smtp = smtp::Smtp::new(url, from)
            .map_err(|why| Error::internal(format!("QUENTY_SMTP_URL, QUENTY_MAIL_FROM: {why}")))?;
        return Ok(Post(Box::new(smtp)));
    }
    let Some(folder) = settings.get("mail_dir") else {
        return Err(Error::internal(
            "no way to send mails: set QUENTY_SMTP_URL, or QUENTY_MAIL_DIR to leave them in a folder of this machine",
        ));
    };
    let outbox =
        outbox::Outbox::new(folder).map_err(|why| Error::internal(format!("QUENTY_MAIL_DIR: {why}")))?;
    Ok(Post(Box::new(outbox)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(values: &[(&str, &str)]) -> Result<Post> {
        let settings = Settings::load(&[SETTINGS], None, std::iter::empty()).unwrap();
        from_settings(&values.iter().fold(settings, |settings, (key, value)| settings.with(key, *value)))
    }

    #[test]
    fn a_way_out_that_cannot_work_is_told_by_its_setting_and_without_its_secret() {
        for (values, told) in [
            (&[][..], "QUENTY_MAIL_DIR"),
            (&[("mail_dir", "/proc/no/mails")], "QUENTY_MAIL_DIR"),
            (&[("smtp_url", "http://user:hush@host")], "QUENTY_SMTP_URL"),
            (&[("smtp_url", "smtp://user:hush@host"), ("mail_from", "nobody")], "QUENTY_MAIL_FROM"),
        ] {
            let why = chosen(values).expect_err("refused").to_string();
            assert!(why.contains(told) && !why.contains("hush"), "{values:?}: {why}");
        }
    }

    #[tokio::test]
    async fn a_key_names_a_file_of_the_folder_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = folder.path().join("mail");
        let post = chosen(&[("mail_dir", outbox.to_str().unwrap())]).unwrap();
        let mail = Mail {
            to: "ana@example.com".to_owned(),
            subject: "Hola".to_owned(),
            text: String::new(),
            kind: "return_approved".to_owned(),
            link: None,
        };
        for key in ["", ".", "..", "../a", "a/b", "a b", "a>\r\nBcc: x", &"a".repeat(129)] {
            assert!(post.send(key, &mail).await.is_err(), "{key:?}");
        }
        post.send("return_approved-RET-01.x", &mail).await.unwrap();
        let left: Vec<_> =
            std::fs::read_dir(&outbox).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(left, ["return_approved-RET-01.x.json"]);
    }
}
