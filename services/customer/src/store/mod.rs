//! The only SQL of the service. A function here reads or writes; it decides nothing.

pub(crate) mod companies;
pub(crate) mod customers;
pub(crate) mod invariants;
pub(crate) mod members;
pub(crate) mod profiles;
pub(crate) mod staff;
pub(crate) mod user_invitations;

use std::{fmt::Display, str::FromStr};

use quenty_platform::{Error, Result};

/// For a row that breaks the rules of the type that it is read into: a bug or a hand at work, never a
/// caller's fault. Never repeats the value.
fn unreadable(why: impl Display) -> Error {
    Error::internal(format!("a row cannot be read: {why}"))
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T> {
    text.parse().map_err(unreadable)
}

fn parse_some<T: FromStr<Err: Display>>(text: Option<&str>) -> Result<Option<T>> {
    text.map(parse).transpose()
}
