//! Why a value was refused, in words that the caller of the API reads.
//!
//! Must never repeat the refused value: it may be personal data, and errors are logged.

/// A value that breaks the rules of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Invalid {
    what: &'static str,
    why: String,
}

impl Invalid {
    /// `what` names the value (`postal code`), `why` says what it has to be (`must be …`).
    #[must_use]
    pub fn new(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, why: why.into() }
    }

    #[must_use]
    pub const fn what(&self) -> &'static str {
        self.what
    }

    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }
}

/// Trims a line of text; refuses an empty one, one above `max` characters and control characters.
pub(crate) fn line_of_text(what: &'static str, text: &str, max: usize) -> Result<String, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Invalid::new(what, "must not be empty"));
    }
    if text.chars().count() > max {
        return Err(Invalid::new(what, format!("must be at most {max} characters long")));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(what, "must not contain control characters such as line breaks or tabs"));
    }
    Ok(text.to_owned())
}

/// The conversions that every type has which is one string on the wire.
/// The type brings `as_str` and `FromStr`; JSON goes through the latter.
macro_rules! string_value {
    ($name:ty $(, const $param:ident)?) => {
        impl$(<const $param: usize>)? TryFrom<String> for $name {
            type Error = $crate::invalid::Invalid;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl$(<const $param: usize>)? From<$name> for String {
            fn from(value: $name) -> String {
                value.as_str().to_owned()
            }
        }
        impl$(<const $param: usize>)? AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
        impl$(<const $param: usize>)? std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl$(<const $param: usize>)? serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de $(, const $param: usize)?> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use string_value;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_the_value_and_says_what_to_do() {
        let error = line_of_text("city", "  ", 10).unwrap_err();
        assert_eq!(error.to_string(), "city: must not be empty");
        assert_eq!((error.what(), error.why()), ("city", "must not be empty"));
    }

    #[test]
    fn a_line_is_trimmed_and_its_length_counted_in_characters() {
        assert_eq!(line_of_text("city", " Bogotá\n", 6).unwrap(), "Bogotá");
        assert!(line_of_text("city", "Bogotá", 5).is_err());
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\nb", "a\tb", "a\0b", "a\u{7f}b", "a\u{85}b"] {
            assert!(line_of_text("city", text, 10).is_err(), "{text:?}");
        }
    }
}
