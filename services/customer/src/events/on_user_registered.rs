use std::{fmt::Display, str::FromStr};

use quenty_contracts::{auth::UserRegistered, customer::ProfileCreated};
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

/// The one place where profiles come from.
pub(super) async fn on_user_registered(tx: &mut Tx, event: Received<UserRegistered>) -> Result<(), Error> {
    let UserRegistered { user_id, email, given_name, family_name, language, roles, .. } = event.data;
    let person = ProfileCreated {
        user_id,
        email,
        given_name: read(&given_name)?,
        family_name: read(&family_name)?,
        language: read(&language)?,
    };
    commands::create_profile(tx, person).await?;
    commands::set_platform_roles(tx, user_id, &roles).await
}

fn read<T: FromStr<Err: Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|why| {
        quenty_platform::Error::internal(format!("Auth tells what is no value here: {why}")).into()
    })
}
