//! A person's names and language.

use quenty_kernel::{
    contact::{LanguageTag, PersonName},
    id::UserId,
};
use quenty_platform::{Tx, http::IfMatch};

use super::{Authority, Outcome, record_access};
use crate::{
    domain::{origin::Origin, user::User},
    error::Error,
    store,
};

/// What an update sets; absent fields stay.
#[derive(Debug, Default)]
pub struct UserChanges {
    pub given_name: Option<PersonName>,
    pub family_name: Option<PersonName>,
    pub language: Option<LanguageTag>,
}

/// One's own.
pub async fn update_profile(
    tx: &mut Tx,
    id: UserId,
    seen: IfMatch,
    changes: &UserChanges,
    origin: &Origin,
) -> Result<User, Error> {
    let user = store::users::lock(tx.conn(), id).await?.ok_or(Error::NotFound("user"))?;
    update(tx, user, seen, changes, ("update_profile", origin)).await
}

/// Another's, by who holds all that they hold: whoever names an administrator could else take their place in mails
/// and lists.
pub async fn update_user(
    tx: &mut Tx,
    authority: Authority<'_>,
    id: UserId,
    seen: IfMatch,
    changes: &UserChanges,
) -> Result<User, Error> {
    let user = authority.lock(tx, id).await?;
    update(tx, user, seen, changes, ("update_user", authority.origin)).await
}

async fn update(
    tx: &mut Tx,
    mut user: User,
    seen: IfMatch,
    changes: &UserChanges,
    (operation, origin): (&str, &Origin),
) -> Result<User, Error> {
    seen.check(user.version())?;
    let given_name = changes.given_name.as_ref().map_or(user.given_name(), PersonName::as_str).to_owned();
    let family_name = changes.family_name.as_ref().map_or(user.family_name(), PersonName::as_str).to_owned();
    let language = changes.language.as_ref().map_or(user.language(), LanguageTag::as_str).to_owned();
    let is_same = (given_name.as_str(), family_name.as_str(), language.as_str())
        == (user.given_name(), user.family_name(), user.language());
    if !is_same {
        let fact = user.update(&given_name, &family_name, &language, tx.now());
        store::users::save(tx.conn(), &user).await?;
        tx.record(user.id(), None, &fact)?;
        record_access(tx, operation, Outcome::Succeeded, Some(user.id()), None, origin)?;
    }
    Ok(user)
}
