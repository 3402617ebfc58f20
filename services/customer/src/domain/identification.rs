//! A document number that passed the rules of its type: what a company or a customer is identified by.

use std::fmt;

use quenty_kernel::country::CountryCode;

use super::document_type::{self, DocumentNumberError, DocumentType};

/// Whom a document identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identified {
    Person,
    Company,
}

impl Identified {
    fn may_hold(self, known: &DocumentType) -> bool {
        match self {
            Self::Person => known.holder.includes_person(),
            Self::Company => known.holder.includes_company(),
        }
    }

    pub(crate) fn has_document_of(self, country: CountryCode) -> bool {
        document_type::of(country.as_str()).any(|known| self.may_hold(known))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentificationError {
    #[error("{country} has no document type {code}")]
    UnknownType { country: CountryCode, code: String },
    #[error("a document of type {code} does not identify a {}", identified(.holder))]
    WrongHolder { code: &'static str, holder: Identified },
    #[error(transparent)]
    Number(#[from] DocumentNumberError),
}

fn identified(holder: &Identified) -> &'static str {
    match holder {
        Identified::Person => "person",
        Identified::Company => "company",
    }
}

/// `Debug` hides the number, because a debug print is how personal data reaches a log.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identification {
    country: CountryCode,
    code: String,
    number: String,
}

impl Identification {
    /// Checks the number by the rules of its type and keeps its normal form.
    pub(crate) fn new(
        country: CountryCode,
        code: &str,
        number: &str,
        holder: Identified,
    ) -> Result<Self, IdentificationError> {
        let Some(known) = document_type::find(country.as_str(), code) else {
            return Err(IdentificationError::UnknownType { country, code: code.to_owned() });
        };
        if !holder.may_hold(known) {
            return Err(IdentificationError::WrongHolder { code: known.code, holder });
        }
        Ok(Self { country, code: known.code.to_owned(), number: known.validate(number)?.as_str().to_owned() })
    }

    /// As [`Identification::new`], where there may be one already: `known` is taken as it is kept and shown, too, though a NIT
    /// without its hyphen need not say whether its last digit is the check digit.
    pub(crate) fn again(
        known: Option<Self>,
        country: CountryCode,
        code: &str,
        number: &str,
        holder: Identified,
    ) -> Result<Self, IdentificationError> {
        let is_same = |known: &Self| (known.country, known.code(), known.number()) == (country, code, number);
        known.filter(is_same).map_or_else(|| Self::new(country, code, number, holder), Ok)
    }

    /// The way back from storage: one that was checked when it came in.
    pub(crate) fn known(country: CountryCode, code: String, number: String) -> Self {
        Self { country, code, number }
    }
    pub(crate) fn country(&self) -> CountryCode {
        self.country
    }
    pub(crate) fn code(&self) -> &str {
        &self.code
    }
    pub(crate) fn number(&self) -> &str {
        &self.number
    }
}

impl fmt::Debug for Identification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identification({} {} hidden)", self.country, self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_of_writing_a_number_are_one() {
        let written =
            |number| Identification::new(CountryCode::CO, "NIT", number, Identified::Company).unwrap();
        assert_eq!(written("860.034.313-7"), written("860034313-7"));
        assert!(!format!("{:?}", written("860.034.313-7")).contains("860034313"));
    }

    #[test]
    fn a_number_is_taken_again_as_it_is_shown_and_only_where_it_is_kept() {
        let again = |known: Option<&Identification>, number: &str| {
            Identification::again(known.cloned(), CountryCode::CO, "NIT", number, Identified::Person)
        };
        let kept = again(None, "79.123.456-0").unwrap();
        assert_eq!(kept.number(), "791234560");
        assert_eq!(again(Some(&kept), kept.number()), Ok(kept.clone()));
        for (known, number) in [(None, "791234560"), (Some(&kept), "79123456"), (Some(&kept), "791234561")] {
            assert!(matches!(again(known, number), Err(IdentificationError::Number(_))), "{number}");
        }
        assert_eq!(again(Some(&kept), "900123456-8").unwrap().number(), "9001234568");
    }

    #[test]
    fn the_type_must_exist_and_fit_whom_it_identifies() {
        let of = |code: &str, holder| Identification::new(CountryCode::CO, code, "1", holder).unwrap_err();
        assert!(matches!(of("RFC", Identified::Company), IdentificationError::UnknownType { .. }));
        assert_eq!(
            of("CC", Identified::Company).to_string(),
            "a document of type CC does not identify a company"
        );
        assert!(matches!(of("CC", Identified::Person), IdentificationError::Number(_)));
    }
}
