//! Mails as files of one folder, for platforms on one machine: `quenty mail` lists them.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use futures_util::future::BoxFuture;
use quenty_kernel::clock::wall_now;
use serde_json::json;

use crate::{Mail, MailError, Mailer};

#[derive(Debug)]
pub(super) struct Outbox(PathBuf);

impl Outbox {
    pub(super) fn new(folder: &str) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self(PathBuf::from(folder)))
    }
}

impl Mailer for Outbox {
    fn send<'a>(&'a self, key: &'a str, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>> {
        let path = self.0.join(format!("{key}.json"));
        let body = json!({"to": mail.to, "subject": mail.subject, "text": mail.text, "kind": mail.kind, "link": mail.link, "sent_at": wall_now()});
        Box::pin(async move {
            let written =
                tokio::task::spawn_blocking(move || leave(&path, body.to_string().as_bytes())).await;
            written.map_err(|e| MailError(e.to_string()))?.map_err(|e| MailError(e.to_string()))
        })
    }
}

/// Whole or not at all, and readable by its owner only: it holds a secret.
fn leave(path: &Path, body: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("part");
    match fs::remove_file(&unfinished) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(body)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_mail_sent_again_is_one_file_that_only_its_owner_reads() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(folder.path().join("mail").to_str().unwrap()).unwrap();
        let mail = Mail {
            to: "ana@example.com".to_owned(),
            subject: "Confirma tu correo".to_owned(),
            text: "Hola Ana".to_owned(),
            kind: "verification".to_owned(),
            link: Some("http://x".to_owned()),
        };
        outbox.send("verification-1", &mail).await.unwrap();
        outbox.send("verification-1", &mail).await.unwrap();
        let files: Vec<_> =
            fs::read_dir(folder.path().join("mail")).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let body: serde_json::Value = serde_json::from_slice(&fs::read(files[0].path()).unwrap()).unwrap();
        assert_eq!((&body["to"], &body["kind"]), (&json!("ana@example.com"), &json!("verification")));
    }
}
