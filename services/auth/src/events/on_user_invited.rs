//! A company invited a person; the link that we mail is the only place where its secret is seen.
//!
//! Whoever may publish could say to be Customer: an event gives nobody a role in the platform, whatever it names.

use quenty_contracts::customer::UserInvited;
use quenty_platform::{Error as PlatformError, Received, Tx};

use crate::{
    commands::{self, Invitation},
    domain::person::Person,
    error::Error,
};

pub(super) async fn on_user_invited(tx: &mut Tx, event: Received<UserInvited>) -> Result<(), Error> {
    let UserInvited { user_id, email, given_name, family_name, language, roles, company_id } = event.data;
    let Some(company_id) = company_id else {
        tracing::warn!(%user_id, ?roles, "an invitation to the platform was passed over: staff are invited here, by staff");
        return Ok(());
    };
    let person = Person {
        username: None,
        email,
        given_name: given_name.parse().map_err(PlatformError::internal)?,
        family_name: family_name.parse().map_err(PlatformError::internal)?,
        language: language.parse().map_err(PlatformError::internal)?,
    };
    commands::invite_member(tx, Invitation { cause: event.id, user_id, person, company_id }).await
}
