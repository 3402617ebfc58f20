//! Who somebody says to be, and the name to log in with.

use std::str::FromStr;

use quenty_kernel::{
    Invalid,
    contact::{Email, LanguageTag, PersonName},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A name to log in with, as its owner writes it; told apart without regard to case. It holds no `@`, so that it
/// can never be somebody else's e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$", example = "ana.gomez")]
pub struct Username(String);

impl Username {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let fits = (3..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("username", "must have 3 to 64 letters, digits, dots, dashes or underscores"))
        }
    }
}

impl TryFrom<String> for Username {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

/// Who a new user is.
#[derive(Debug, Clone)]
pub struct Person {
    /// Absent: the e-mail address is the name to log in with.
    pub username: Option<Username>,
    pub email: Email,
    pub given_name: PersonName,
    pub family_name: PersonName,
    pub language: LanguageTag,
}

impl Person {
    #[must_use]
    pub fn login_name(&self) -> String {
        self.username.as_ref().map_or_else(|| self.email.as_str().to_owned(), |name| name.as_str().to_owned())
    }

    /// What a password must not hold.
    #[must_use]
    pub fn personal(&self) -> Vec<&str> {
        let names = [self.email.as_str(), self.given_name.as_str(), self.family_name.as_str()];
        names.into_iter().chain(self.username.as_ref().map(Username::as_str)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_never_an_address() {
        for text in ["ana@example.com", "ab", "-ana", "ana gomez", "äna"] {
            assert!(text.parse::<Username>().is_err(), "{text}");
        }
        assert!("Ana.Gomez-1_x".parse::<Username>().is_ok());
    }
}
