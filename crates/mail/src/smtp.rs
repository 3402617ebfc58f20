//! Mails through a server (RFC 5321), with TLS where the URL asks for it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::Error as SmtpError,
};
use tokio::time::timeout;

use crate::{Mail, MailError, Mailer};

const CONNECT_LIMIT: Duration = Duration::from_secs(20);
/// For all of a mail: the transport itself waits without end for a server that has taken the connection. Servers make
/// strangers wait, but a mail of ours is small.
const SEND_LIMIT: Duration = Duration::from_secs(120);

pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    limit: Duration,
}

impl Smtp {
    /// `smtps://user:password@host`, or `smtp://host:587?tls=required`.
    pub(super) fn new(url: &str, from: &str) -> Result<Self, String> {
        // The error may repeat the URL, which holds the password.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| "not a URL of a mail server, such as smtps://user:password@host".to_owned())?;
        let from =
            from.parse().map_err(|_| "not a sender, such as Quenty <no-reply@example.com>".to_owned())?;
        Ok(Self { transport: transport.timeout(Some(CONNECT_LIMIT)).build(), from, limit: SEND_LIMIT })
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
            let limit = self.limit;
            match timeout(limit, self.transport.send(message)).await {
                Ok(sent) => sent.map(drop).map_err(|e| MailError(told(&e))),
                Err(_) => Err(MailError(format!("the server did not take it within {limit:?}"))),
            }
        })
    }
}

/// Never in the server's words: they name whom the mail is for, and a task's error is logged and kept.
fn told(error: &SmtpError) -> String {
    match error.status() {
        Some(code) if error.is_permanent() => format!("the server refused it for good ({code})"),
        Some(code) => format!("the server refused it for now ({code})"),
        None if error.is_response() => "the server's answer cannot be read".to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
        net::TcpListener,
    };

    use super::*;

    fn mail() -> Mail {
        Mail {
            to: "ana@example.com".to_owned(),
            subject: "Tu devolución\r\nBcc: eve@example.com".to_owned(),
            text: "Hola Ana".to_owned(),
            kind: "return_approved".to_owned(),
            link: None,
        }
    }

    async fn listen() -> (TcpListener, Smtp) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        (listener, Smtp::new(&url, "Quenty <no-reply@quenty.local>").unwrap())
    }

    /// A mail server that takes one mail, unless it answers the recipient with something else, and tells what it heard
    /// (RFC 5321).
    async fn take_one(listener: TcpListener, to_recipient: &str) -> Vec<String> {
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
                said if said.starts_with("RCPT") => to_recipient,
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
        let (listener, smtp) = listen().await;
        let mail = mail();
        let (sent, heard) =
            tokio::join!(smtp.send("return_approved-1", &mail), take_one(listener, "250 ok\r\n"));
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

    #[tokio::test]
    async fn a_server_that_is_silent_is_given_up() {
        let (_listener, smtp) = listen().await;
        let smtp = Smtp { limit: Duration::from_millis(50), ..smtp };
        let error = smtp.send("return_approved-1", &mail()).await.unwrap_err().to_string();
        assert!(error.contains("did not take it within 50ms"), "{error}");
    }

    #[tokio::test]
    async fn a_refusal_is_told_by_its_code_and_without_whom_the_mail_is_for() {
        let (listener, smtp) = listen().await;
        let mail = mail();
        let refusal = "550 5.1.1 <ana@example.com> unknown\r\n";
        let (sent, _) = tokio::join!(smtp.send("return_approved-1", &mail), take_one(listener, refusal));
        let error = sent.unwrap_err().to_string();
        assert!(error.contains("for good (550)") && !error.contains('@'), "{error}");
    }
}
