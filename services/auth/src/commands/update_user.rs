//! A person's names and language.

use quenty_kernel::{
    Scope,
    contact::{LanguageTag, PersonName},
    id::UserId,
};
use quenty_platform::{Tx, http::IfMatch};

use crate::{domain::user::User, error::Error, store};

/// What an update sets; absent fields stay.
#[derive(Debug, Default)]
pub struct UserChanges {
    pub given_name: Option<PersonName>,
    pub family_name: Option<PersonName>,
    pub language: Option<LanguageTag>,
}

pub async fn update_user(
    tx: &mut Tx,
    scope: Scope,
    id: UserId,
    seen: IfMatch,
    changes: &UserChanges,
) -> Result<User, Error> {
    let mut user = store::users::lock(tx.conn(), scope, id).await?.ok_or(Error::NotFound("user"))?;
    seen.check(user.version())?;
    let given_name = changes.given_name.as_ref().map_or(user.given_name(), PersonName::as_str).to_owned();
    let family_name = changes.family_name.as_ref().map_or(user.family_name(), PersonName::as_str).to_owned();
    let language = changes.language.as_ref().map_or(user.language(), LanguageTag::as_str).to_owned();
    let is_same = (given_name.as_str(), family_name.as_str(), language.as_str())
        == (user.given_name(), user.family_name(), user.language());
    if !is_same {
        let fact = user.update(&given_name, &family_name, &language, tx.now());
        store::users::save(tx.conn(), &user).await?;
        tx.record(id, None, &fact)?;
    }
    Ok(user)
}
