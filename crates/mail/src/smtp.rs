//! Mails through a server (RFC 5321), with TLS where the URL asks for it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};

use crate::{Mail, MailError, Mailer};

const TIMEOUT: Duration = Duration::from_secs(20);

pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// `smtps://user:password@host`, or `smtp://host:587?tls=required`.
    pub(super) fn new(url: &str, from: &str) -> Result<Self, String> {
        // The error may repeat the URL, which holds the password.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| "not a URL of a mail server, such as smtps://user:password@host".to_owned())?;
        let from =
            from.parse().map_err(|_| "not a sender, such as Quenty <no-reply@example.com>".to_owned())?;
        Ok(Self { transport: transport.timeout(Some(TIMEOUT)).build(), from })
    }

    fn message(&self, key: &str, mail: &Mail) -> Result<Message, MailError> {
        let failed = |e: &dyn std::fmt::Display| MailError(e.to_string());
        let to = mail.to.parse().map_err(|e| failed(&e))?;
        // The same mail has the same id, so that a reader's program shows a repeat once.
        let id = format!("<{key}@{}>", self.from.email.domain());
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            .message_id(Some(id));
        message.header(ContentType::TEXT_PLAIN).body(mail.text.clone()).map_err(|e| failed(&e))
    }
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, key: &'a str, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(async move {
            let message = self.message(key, mail)?;
            self.transport.send(message).await.map(drop).map_err(|e| MailError(e.to_string()))
        })
    }
}
