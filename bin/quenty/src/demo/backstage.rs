//! What the demo is given beside the public API: the administrator, and the mails.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use hmac::{Hmac, Mac};
use quenty_kernel::hex;
use serde_json::Value;
use sha2::Sha256;
use tokio::time::{Duration, Instant};

use super::api::Api;
use crate::{embedded::Folder, mails, services};

/// The user name of the administrator that every platform's first start makes.
const ADMINISTRATOR: &str = "admin";
const MAIL_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(30);

#[derive(Clone)]
pub struct Backstage {
    pub url: String,
    pub admin_login: String,
    pub admin_password: String,
    pub mail_dir: PathBuf,
}

impl Backstage {
    /// Of the platform at `url`; `admin_email` where it is not the first administrator.
    pub fn new(url: String, admin_email: Option<&str>, admin_password: String, mail_dir: PathBuf) -> Self {
        Self { url, admin_login: admin_email.unwrap_or(ADMINISTRATOR).to_owned(), admin_password, mail_dir }
    }

    /// Of an embedded platform.
    ///
    /// # Errors
    /// When the administrator's password is nowhere.
    pub fn of_folder(url: String, folder: &Folder, admin_email: Option<&str>) -> Result<Self> {
        let password = admin_password(&folder.admin_password())?;
        Ok(Self::new(url, admin_email, password, folder.mail()))
    }

    /// The password of one of the demo's own people: made for this platform, kept nowhere else.
    pub fn password(&self, who: &str) -> Result<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.admin_password.as_bytes())
            .map_err(|error| anyhow!("a password cannot be made: {error}"))?;
        mac.update(b"quenty demo password v1 ");
        mac.update(who.as_bytes());
        let tag = mac.finalize().into_bytes();
        Ok(format!("Raices-{}", hex(&tag[..12])))
    }

    /// Sends the secret of the newest link that was mailed to somebody; a later mail may have made it void.
    pub async fn follow_link(&self, api: &Api, to: &str, path: &str, mut body: Value) -> Result<()> {
        let deadline = Instant::now() + MAIL_LIMIT;
        let (mut tried, mut refusal) = (None, String::new());
        loop {
            let newest = newest_token(&self.mail_dir, to)?;
            if let Some(token) = newest.filter(|token| tried.as_ref() != Some(token)) {
                body["token"] = token.as_str().into();
                match api.try_post_open(path, &body).await? {
                    Ok(_) => return Ok(()),
                    Err(refused) => refusal = format!(", and its link is refused: {}", refused.detail),
                }
                tried = Some(token);
            }
            if Instant::now() > deadline {
                bail!("no new mail to {to} in {}{refusal}", self.mail_dir.display());
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// The administrator's: the generated one in this file, or the one that the platform was given.
///
/// # Errors
/// When it is in neither place.
pub fn admin_password(file: &Path) -> Result<String> {
    match std::fs::read_to_string(file) {
        Ok(password) => Ok(password.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let settings = services::settings()?;
            settings.get("admin_password").map(str::to_owned).with_context(|| {
                format!(
                    "there is no {}: set QUENTY_ADMIN_PASSWORD, as at the platform's first start",
                    file.display()
                )
            })
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

fn newest_token(folder: &Path, to: &str) -> Result<Option<String>> {
    let mails = mails::read(folder, Some(to))?;
    let token = |mail: &Value| Some(mail["link"].as_str()?.split_once("token=")?.1.to_owned());
    Ok(mails.iter().rev().find_map(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_the_same_in_every_release_and_differ_by_person_and_platform() {
        let of = |admin: &str, who: &str| {
            let backstage = Backstage::new(String::new(), None, admin.to_owned(), PathBuf::new());
            backstage.password(who).unwrap()
        };
        assert_eq!(of("one", "camila"), "Raices-8721cf413c2cbc31bf879973");
        assert_ne!(of("one", "camila"), of("one", "wilson"));
        assert_ne!(of("one", "camila"), of("two", "camila"));
    }
}
