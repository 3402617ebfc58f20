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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
        net::TcpListener,
    };

    use super::*;

    /// A mail server that takes one mail and tells what it heard (RFC 5321).
    async fn take_one(listener: TcpListener) -> Vec<String> {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        stream.write_all(b"220 ready\r\n").await.unwrap();
        let (mut heard, mut in_mail) = (Vec::new(), false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap() == 0 {
                return heard;
            }
            let line = line.trim_end().to_owned();
            let answer = match line.as_str() {
                "." if in_mail => "250 taken\r\n",
                _ if in_mail => "",
                "DATA" => "354 go on\r\n",
                _ => "250 ok\r\n",
            };
            in_mail = line == "DATA" || (in_mail && line != ".");
            stream.write_all(answer.as_bytes()).await.unwrap();
            let is_taken = answer.contains("taken");
            heard.push(line);
            if is_taken {
                return heard;
            }
        }
    }

    #[tokio::test]
    async fn a_mail_reaches_its_server_with_its_key_as_id_and_adds_no_header() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let smtp = Smtp::new(&url, "Quenty <no-reply@quenty.local>").unwrap();
        let mail = Mail {
            to: "ana@example.com".to_owned(),
            subject: "Tu devolución\r\nBcc: eve@example.com".to_owned(),
            text: "Hola Ana".to_owned(),
            kind: "return_approved".to_owned(),
            link: None,
        };
        let (sent, heard) = tokio::join!(smtp.send("return_approved-1", &mail), take_one(listener));
        sent.unwrap();
        for line in [
            "MAIL FROM:<no-reply@quenty.local>",
            "RCPT TO:<ana@example.com>",
            "Message-ID: <return_approved-1@quenty.local>",
            "Hola Ana",
        ] {
            assert!(heard.iter().any(|said| said.starts_with(line)), "{line} in {heard:#?}");
        }
        assert!(!heard.iter().any(|said| said.to_lowercase().starts_with("bcc:")), "{heard:#?}");
        assert_eq!(heard.iter().filter(|said| said.starts_with("RCPT")).count(), 1);
    }
}
