//! The first start creates the administrator. No default password exists: it is given, or made up and told once.

use std::{io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use quenty_kernel::id::UserId;
use quenty_platform::{App, Error, Result, tx::Cause};
use rand::RngCore;

use super::PasswordHasher;
use crate::{
    commands,
    domain::{
        password::{self, Password},
        person::Person,
        secret::OpaqueToken,
    },
    store,
};

/// Creates the administrator if nobody exists yet.
///
/// # Errors
/// When a setting is unfit, the password cannot be told, or the database refuses.
pub async fn bootstrap(app: App) -> Result<()> {
    if store::users::any(app.db()).await? {
        return Ok(());
    }
    let email = app.settings().require("admin_email").map_err(Error::internal)?;
    let person = Person {
        username: Some("admin".parse().map_err(Error::internal)?),
        email: email.parse().map_err(|e| Error::internal(format!("QUENTY_ADMIN_EMAIL: {e}")))?,
        given_name: "Platform".parse().map_err(Error::internal)?,
        family_name: "Administrator".parse().map_err(Error::internal)?,
        language: "en".parse().map_err(Error::internal)?,
    };
    let (password, is_made_up) = first_password(&app)?;
    let hash = app.part::<PasswordHasher>()?.hash(&password).await?;
    let mut tx = app.begin_as(Cause::system()).await?;
    if !commands::create_administrator(&mut tx, UserId::new(), &person, &hash).await? {
        // Another replica was faster.
        return Ok(());
    }
    if is_made_up {
        // Before the commit: an administrator whose password nobody was told would be worse than none.
        tell(app.settings().get("generated_password_file").map(Path::new), &password)?;
    }
    tx.commit().await?;
    tracing::info!(email, "created the administrator");
    Ok(())
}

fn first_password(app: &App) -> Result<(Password, bool)> {
    if let Some(given) = app.settings().get("admin_password") {
        let unfit = |why: &dyn std::fmt::Display| Error::internal(format!("QUENTY_ADMIN_PASSWORD: {why}"));
        let given = Password::try_from(given.to_owned()).map_err(|why| unfit(&why))?;
        password::check(&given, &[]).map_err(|why| unfit(&why))?;
        return Ok((given, false));
    }
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    Ok((
        Password::try_from(OpaqueToken::from_bytes(bytes).as_str().to_owned()).map_err(Error::internal)?,
        true,
    ))
}

#[expect(
    clippy::print_stderr,
    reason = "the one way to tell an operator a secret without leaving it in a log"
)]
fn tell(file: Option<&Path>, password: &Password) -> Result<()> {
    let Some(path) = file else {
        eprintln!("The administrator's password, shown this once: {}", password.as_str());
        return Ok(());
    };
    let cannot = |e: std::io::Error| {
        Error::internal(format!("cannot write the administrator's password to {}: {e}", path.display()))
    };
    // A file from an earlier try may have other rights.
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(cannot(e)),
        _ => {}
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(cannot)?;
    file.write_all(format!("{}\n", password.as_str()).as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(cannot)
}
