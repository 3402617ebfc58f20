//! Columns as the types that they were written from.
//!
//! A row that breaks the rules of such a type is a bug or a hand at work, never the caller's fault.

use std::{fmt::Display, str::FromStr};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Result};

#[must_use]
pub fn unreadable(why: impl Display) -> Error {
    Error::internal(format!("a row cannot be read: {why}"))
}

/// A text column.
///
/// # Errors
/// When the type refuses it, as all of these do.
pub fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T> {
    text.parse().map_err(unreadable)
}

/// A text column that may be null.
///
/// # Errors
/// As [`parse`].
pub fn parse_some<T: FromStr<Err: Display>>(text: Option<impl AsRef<str>>) -> Result<Option<T>> {
    text.map(|text| parse(text.as_ref())).transpose()
}

/// A number column as a narrower type.
///
/// # Errors
/// As [`parse`].
pub fn narrow<T, F: TryInto<T, Error: Display>>(number: F) -> Result<T> {
    number.try_into().map_err(unreadable)
}

/// A `jsonb` column.
///
/// # Errors
/// As [`parse`].
pub fn document<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(unreadable)
}
