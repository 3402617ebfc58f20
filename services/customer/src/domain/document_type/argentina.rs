//! Argentina: RENAPER's identity number and the taxpayers' key of ARCA (formerly AFIP).

use super::check_digit::{digit, split_last, weighted_sum};
use super::{Candidate, DocumentNumberError, DocumentType, Holder, not_padded};

/// Identity card, numbered in the order of issue. No check digit.
pub(super) const DNI: DocumentType = DocumentType {
    code: "DNI",
    country: Some("AR"),
    name: "Documento Nacional de Identidad",
    holder: Holder::Person,
    example: "20.123.456",
    masks: &["#.###.###", "##.###.###"],
    check: not_padded,
};

/// Taxpayers' key; that of a person holds their DNI and is the same as their CUIL.
pub(super) const CUIT: DocumentType = DocumentType {
    code: "CUIT",
    country: Some("AR"),
    name: "Clave Única de Identificación Tributaria",
    holder: Holder::Both,
    example: "20-26756539-3",
    masks: &["##-########-#"],
    check: cuit,
};

/// 20 to 27 persons, 30 to 34 companies, 50 to 55 the keys that stand for a foreign country.
const CUIT_PREFIXES: [&str; 12] = ["20", "23", "24", "25", "26", "27", "30", "33", "34", "50", "51", "55"];

fn cuit<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    if !CUIT_PREFIXES.iter().any(|prefix| candidate.text.starts_with(prefix)) {
        return Err(DocumentNumberError::WrongPart { part: "prefix" });
    }
    let (body, given) = split_last(candidate.text, 1);
    if given.chars().next() != check_digit(body) {
        return Err(DocumentNumberError::WrongCheckDigit);
    }
    Ok(candidate.text)
}

/// Modulo 11. Where it gives ten the authority changes the prefix (20 and 27 to 23, 30 to 33) and
/// sums again, so no such key exists, and every mistyped digit is noticed.
fn check_digit(body: &str) -> Option<char> {
    const WEIGHTS: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    match 11 - weighted_sum(body, &WEIGHTS) % 11 {
        11 => Some('0'),
        value => digit(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document_type::testing::{accepts, notices_every_mistyped_digit, validate};
    use proptest::prelude::*;

    #[test]
    fn published_cuits_are_valid() {
        accepts(
            "AR",
            "CUIT",
            &[
                ("20-05536168-2", "20055361682"),
                ("20267565393", "20267565393"),
                ("33-69345023-9", "33693450239"), // AFIP itself
                ("30-50001091-2", "30500010912"), // Banco de la Nación Argentina
            ],
        );
        assert_eq!(validate("AR", "CUIT", "20267565392"), Err(DocumentNumberError::WrongCheckDigit));
        assert_eq!(
            validate("AR", "CUIT", "21-26756539-3"),
            Err(DocumentNumberError::WrongPart { part: "prefix" })
        );
        assert_eq!(
            validate("AR", "CUIT", "2026756539"),
            Err(DocumentNumberError::WrongLength { min: 11, max: 11 })
        );
    }

    #[test]
    fn a_dni_has_seven_or_eight_digits() {
        accepts("AR", "DNI", &[("20.123.456", "20123456"), ("5536168", "5536168")]);
        assert_eq!(
            validate("AR", "DNI", "2012345699"),
            Err(DocumentNumberError::WrongLength { min: 7, max: 8 })
        );
    }

    proptest! {
        #[test]
        fn a_cuit_with_its_check_digit_is_valid_and_no_mistyped_one_is(
            prefix in 0..CUIT_PREFIXES.len(), serial in "[0-9]{8}",
        ) {
            let body = format!("{}{serial}", CUIT_PREFIXES[prefix]);
            match check_digit(&body) {
                Some(check) => {
                    let number = format!("{body}{check}");
                    prop_assert_eq!(validate("AR", "CUIT", &number), Ok(number.clone()));
                    notices_every_mistyped_digit("AR", "CUIT", &number);
                }
                None => for check in 0..=9 {
                    let number = format!("{body}{check}");
                    prop_assert!(validate("AR", "CUIT", &number).is_err());
                },
            }
        }
    }
}
