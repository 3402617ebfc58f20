//! The identity and tax documents that Quenty knows, and the rules their numbers obey.
//!
//! Pure: it can tell that a number is well formed, never that it was issued or belongs to anyone.
//! Numbers are personal data, so nothing here ever writes one into an error or a log.

mod argentina;
mod brazil;
mod check_digit;
mod chile;
mod colombia;
mod mask;
mod mexico;
mod passport;
mod peru;
#[cfg(test)]
mod testing;
mod united_states;

use std::fmt;

/// A kind of document: who issues it, who holds it and how its number is written.
#[derive(Debug)]
pub struct DocumentType {
    /// The abbreviation people know it by, unique within its country: `NIT`.
    pub code: &'static str,
    /// The issuing country (ISO 3166-1 alpha-2), none for a document that every country issues.
    pub country: Option<&'static str>,
    /// Its official name, in the language of its country.
    pub name: &'static str,
    /// Who may hold one.
    pub holder: Holder,
    /// A number that passes, for forms and error messages.
    pub example: &'static str,
    /// The written forms of the number, one for each length: `#` a digit, `@` a letter, `*` either,
    /// `&` a letter of a Mexican name (`Ñ` and `&` too), `K` a digit or the letter K; the rest is
    /// punctuation that may be left out.
    pub masks: &'static [&'static str],
    check: Check,
}

/// Who may hold a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    Person,
    Company,
    Both,
}

impl Holder {
    /// Whether a natural person may hold it.
    #[must_use]
    pub fn includes_person(self) -> bool {
        matches!(self, Self::Person | Self::Both)
    }

    /// Whether a company may hold it.
    #[must_use]
    pub fn includes_company(self) -> bool {
        matches!(self, Self::Company | Self::Both)
    }
}

/// A number that passed the rules of its type.
///
/// Two people writing the same number differently get the same value, so it can carry a unique
/// index. `Debug` hides it, because a debug print is how personal data reaches a log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NormalisedNumber {
    text: String,
    display: String,
}

impl NormalisedNumber {
    /// The number without separators, as it is stored and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The number as its authority prints it.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }
}

impl fmt::Debug for NormalisedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NormalisedNumber(hidden)")
    }
}

/// Why a number cannot be of its type. None of them repeats the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentNumberError {
    #[error("the number must have {}", Lengths { min: *min, max: *max })]
    WrongLength { min: usize, max: usize },
    #[error("the number has a character in a place where it cannot be, write it like {example}")]
    WrongCharacters { example: &'static str },
    #[error("the {part} in the number does not exist")]
    WrongPart { part: &'static str },
    #[error("the number lacks its check digit, add it after a hyphen, like {example}")]
    MissingCheckDigit { example: &'static str },
    #[error("the check digit does not belong to the number, look for a mistyped digit")]
    WrongCheckDigit,
    #[error("the number is a placeholder that identifies nobody")]
    Placeholder,
}

struct Lengths {
    min: usize,
    max: usize,
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            return write!(f, "{} characters", self.min);
        }
        write!(f, "{} to {} characters", self.min, self.max)
    }
}

/// What a type's own check gets to see: a number whose length and characters are already right.
struct Candidate<'a> {
    /// Upper case, without separators.
    text: &'a str,
    /// Whether the last character was set off by a hyphen or a space, as check digits are.
    last_set_off: bool,
}

/// Returns the part of the candidate that is the number.
type Check = for<'a> fn(&Candidate<'a>) -> Result<&'a str, DocumentNumberError>;

static ALL: [DocumentType; 17] = [
    colombia::CC,
    colombia::CE,
    colombia::TI,
    colombia::NIT,
    colombia::PPT,
    mexico::RFC,
    mexico::CURP,
    mexico::INE,
    brazil::CPF,
    brazil::CNPJ,
    chile::RUT,
    peru::DNI,
    peru::RUC,
    argentina::DNI,
    argentina::CUIT,
    united_states::EIN,
    passport::PASSPORT,
];

/// Every document type, grouped by country.
#[must_use]
pub fn all() -> &'static [DocumentType] {
    &ALL
}

/// The types that `country` (ISO 3166-1 alpha-2) issues, those of every country among them.
pub fn of(country: &str) -> impl Iterator<Item = &'static DocumentType> {
    ALL.iter().filter(move |known| known.country.is_none_or(|issuer| issuer == country))
}

/// The type that `country` (ISO 3166-1 alpha-2) calls `code`; one that every country issues is
/// found under each.
#[must_use]
pub fn find(country: &str, code: &str) -> Option<&'static DocumentType> {
    of(country).find(|known| known.code == code)
}

impl DocumentType {
    /// Checks `number` and gives it its one normal form.
    ///
    /// # Errors
    /// The first rule that it breaks, in the order of [`DocumentNumberError`].
    pub fn validate(&self, number: &str) -> Result<NormalisedNumber, DocumentNumberError> {
        let text = strip(number);
        let length = text.chars().count();
        if !self.lengths().any(|allowed| allowed == length) {
            return Err(self.wrong_length());
        }
        if !self.masks.iter().any(|mask| mask::fits(mask, &text)) {
            return Err(DocumentNumberError::WrongCharacters { example: self.example });
        }
        let candidate = Candidate { text: &text, last_set_off: last_set_off(number) };
        let number = (self.check)(&candidate)?;
        let display =
            self.masks.iter().find(|mask| mask::fits(mask, number)).map(|mask| mask::fill(mask, number));
        Ok(NormalisedNumber {
            text: number.to_owned(),
            display: display.unwrap_or_else(|| number.to_owned()),
        })
    }

    fn lengths(&self) -> impl Iterator<Item = usize> + '_ {
        self.masks.iter().map(|mask| mask::length(mask))
    }

    fn wrong_length(&self) -> DocumentNumberError {
        DocumentNumberError::WrongLength {
            min: self.lengths().min().unwrap_or_default(),
            max: self.lengths().max().unwrap_or_default(),
        }
    }
}

/// Dots, slashes, blanks and every dash that a word processor makes of a hyphen.
fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '.' | '/' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Not `to_uppercase`: that would turn `ß` into two letters, and only `ñ` is used beyond ASCII.
fn upper(character: char) -> char {
    if character == 'ñ' { 'Ñ' } else { character.to_ascii_uppercase() }
}

fn strip(number: &str) -> String {
    number.chars().filter(|&character| !is_separator(character)).map(upper).collect()
}

fn last_set_off(number: &str) -> bool {
    number.trim_end().chars().rev().nth(1).is_some_and(|before| before != '.' && is_separator(before))
}

/// Accepts what has the right length and characters, for numbers without a published check digit.
fn any<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    Ok(candidate.text)
}

/// As [`any`], for numbers that count up from one and are never padded.
fn not_padded<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    if candidate.text.starts_with('0') {
        return Err(DocumentNumberError::WrongPart { part: "leading zero" });
    }
    Ok(candidate.text)
}

/// Whether six digits are a date written year, month, day, in the given century.
fn is_date(yymmdd: &str, century: i16) -> bool {
    let part = |range| yymmdd.get(range).and_then(|digits: &str| digits.parse::<i8>().ok());
    match (part(0..2), part(2..4), part(4..6)) {
        (Some(year), Some(month), Some(day)) => {
            jiff::civil::Date::new(century + i16::from(year), month, day).is_ok()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::testing::every_separator;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_type_is_found_by_its_country_and_code_once() {
        for known in all() {
            let country = known.country.unwrap_or("CO");
            assert!(std::ptr::eq(find(country, known.code).unwrap(), known), "{}", known.code);
        }
    }

    #[test]
    fn the_same_code_means_another_document_in_another_country() {
        assert_eq!(find("PE", "DNI").unwrap().country, Some("PE"));
        assert_eq!(find("AR", "DNI").unwrap().country, Some("AR"));
        assert!(find("CO", "DNI").is_none());
        assert!(find("JP", "PASSPORT").is_some());
        assert_eq!(of("PE").map(|known| known.code).collect::<Vec<_>>(), ["DNI", "RUC", "PASSPORT"]);
    }

    #[test]
    fn every_example_passes_and_is_shown_as_it_is_written() {
        for known in all() {
            let number = known.validate(known.example).unwrap_or_else(|e| panic!("{}: {e}", known.code));
            assert_eq!(number.display(), known.example, "{}", known.code);
        }
    }

    #[test]
    fn separators_and_case_make_no_difference() {
        for known in all() {
            let written = every_separator(&known.example.to_lowercase());
            let number = known.validate(known.example).unwrap();
            // A NIT says with its hyphen which digit is the check digit.
            if known.code != "NIT" {
                assert_eq!(known.validate(&written).unwrap(), number, "{}", known.code);
            }
            assert_eq!(known.validate(number.display()).unwrap(), number, "{}", known.code);
        }
    }

    #[test]
    fn neither_an_error_nor_a_debug_print_shows_the_number() {
        for known in all() {
            let stripped: String = known.example.chars().filter(char::is_ascii_alphanumeric).collect();
            let number = known.validate(known.example).unwrap();
            assert!(!format!("{number:?}").contains(&stripped));
        }
        let error = find("CL", "RUT").unwrap().validate("12.531.909-3").unwrap_err();
        assert_eq!(error, DocumentNumberError::WrongCheckDigit);
        assert!(!error.to_string().contains("12"));
    }

    #[test]
    fn a_wrong_length_says_which_lengths_are_right() {
        let error = find("BR", "CPF").unwrap().validate("").unwrap_err();
        assert_eq!(error.to_string(), "the number must have 11 characters");
        let error = find("MX", "RFC").unwrap().validate("GODE56").unwrap_err();
        assert_eq!(error.to_string(), "the number must have 12 to 13 characters");
    }

    #[test]
    fn digits_of_other_scripts_are_not_digits() {
        let error = find("AR", "DNI").unwrap().validate("٢٠١٢٣٤٥٦").unwrap_err();
        assert!(matches!(error, DocumentNumberError::WrongCharacters { .. }));
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_rule_of_rust(text in "\\PC{0,24}") {
            for known in all() {
                let _ = known.validate(&text);
            }
        }

        #[test]
        fn what_passes_passes_again_as_it_is_displayed(text in "[0-9A-Z]{5,18}") {
            for known in all() {
                if let Ok(number) = known.validate(&text) {
                    prop_assert_eq!(known.validate(number.display()), Ok(number.clone()));
                }
            }
        }
    }
}
