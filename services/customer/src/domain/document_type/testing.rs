//! What the tests of all countries need: published numbers in, mistyped numbers out.

use super::{DocumentNumberError, find};

/// Asserts that each written number is valid and is stored as given.
pub(super) fn accepts(country: &str, code: &str, numbers: &[(&str, &str)]) {
    for (written, stored) in numbers {
        let number = validate(country, code, written).unwrap_or_else(|e| panic!("{code} {written}: {e}"));
        assert_eq!(number, *stored);
    }
}

pub(super) fn validate(country: &str, code: &str, number: &str) -> Result<String, DocumentNumberError> {
    find(country, code).unwrap().validate(number).map(|number| number.as_str().to_owned())
}

/// Asserts that no digit of `number` can be mistyped unnoticed.
pub(super) fn notices_every_mistyped_digit(country: &str, code: &str, number: &str) {
    for mistyped in mistyped(number) {
        assert!(validate(country, code, &mistyped).is_err(), "{code} {number} passes as {mistyped}");
    }
}

/// Every number that differs from `number` in exactly one digit.
fn mistyped(number: &str) -> impl Iterator<Item = String> + '_ {
    number.char_indices().filter(|(_, typed)| typed.is_ascii_digit()).flat_map(move |(at, typed)| {
        ('0'..='9').filter(move |&other| other != typed).map(move |other| {
            let mut changed = number.to_owned();
            changed.replace_range(at..=at, &other.to_string());
            changed
        })
    })
}

/// Writes a separator after each character.
pub(super) fn every_separator(number: &str) -> String {
    number
        .chars()
        .zip([' ', '-', '.', '\u{2013}', '\u{a0}'].into_iter().cycle())
        .flat_map(|(a, b)| [a, b])
        .collect()
}
