//! Which passwords we take (NIST SP 800-63B: length and guessability, no composition rules).

use std::fmt;

use serde::Deserialize;
use utoipa::ToSchema;
use zxcvbn::{Score, zxcvbn};

const SHORTEST: usize = 10;
const LONGEST: usize = 128;
/// Shorter pieces of names occur in words by chance.
const PERSONAL_PIECE: usize = 4;
/// How many earlier passwords may not come back.
pub const REMEMBERED: usize = 5;

/// A password in clear: it lives for one request, is never stored and never shown.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = Password, min_length = 10, max_length = 128, example = "violet-anchor-river-42")]
pub struct Password(String);

impl Password {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Password {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // Bounds the work of hashing and rating; what is too short is told by the rules below.
        if text.chars().count() > LONGEST {
            Err(format!("a password has at most {LONGEST} characters"))
        } else {
            Ok(Self(text))
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("use at least {SHORTEST} characters")]
    TooShort,
    #[error("leave your name, username and e-mail address out of the password")]
    Personal,
    #[error("this is too easy to guess; use several unrelated words")]
    Guessable,
    #[error("this is one of your last {REMEMBERED} passwords; use a new one")]
    Reused,
}

/// Checks a new password; `personal` are the owner's names and addresses.
///
/// # Errors
/// When it is too short, holds something personal, or is easy to guess.
pub fn check(password: &Password, personal: &[&str]) -> Result<(), WeakPassword> {
    if password.0.chars().count() < SHORTEST {
        return Err(WeakPassword::TooShort);
    }
    let lower = password.0.to_lowercase();
    let holds =
        |piece: &str| piece.chars().count() >= PERSONAL_PIECE && lower.contains(&piece.to_lowercase());
    // The part before an @ is personal by itself, the domain is not.
    let local_part = |text: &'_ str| text.split_once('@').map_or(text, |(local, _)| local).to_owned();
    if personal
        .iter()
        .any(|text| holds(text) || holds(&local_part(text)) || local_part(text).split_whitespace().any(holds))
    {
        return Err(WeakPassword::Personal);
    }
    if zxcvbn(&password.0, personal).score() < Score::Three {
        return Err(WeakPassword::Guessable);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(password: &str) -> Result<(), WeakPassword> {
        check(
            &Password::try_from(password.to_owned()).unwrap(),
            &["Ana María", "Gómez", "anagomez", "ana.gomez@example.com"],
        )
    }

    #[test]
    fn long_and_unpredictable_is_good() {
        assert_eq!(outcome("violet-anchor-river-42"), Ok(()));
        assert_eq!(outcome("llueve sobre el páramo gris"), Ok(()));
    }

    #[test]
    fn short_guessable_and_personal_ones_are_refused() {
        for (password, why) in [
            ("kX9#qLw2!", WeakPassword::TooShort),
            ("password123", WeakPassword::Guessable),
            ("aaaaaaaaaaaaaaaa", WeakPassword::Guessable),
            ("qwertyuiop", WeakPassword::Guessable),
            ("violet-GÓMEZ-river-42", WeakPassword::Personal),
            ("violet-anagomez-river", WeakPassword::Personal),
            ("ana.gomez-violet-42-xz", WeakPassword::Personal),
            ("violet-maría-river-42", WeakPassword::Personal),
        ] {
            assert_eq!(outcome(password), Err(why), "{password}");
        }
    }

    #[test]
    fn what_is_too_long_to_hash_is_no_password() {
        assert!(Password::try_from("x".repeat(129)).is_err());
        assert_eq!(format!("{:?}", Password::try_from("hush".to_owned()).unwrap()), "Password(…)");
    }
}
