//! Peru: RENIEC's identity number and SUNAT's taxpayers' number.

use super::check_digit::{digit, split_last, weighted_sum};
use super::{Candidate, DocumentNumberError, DocumentType, Holder};

/// Identity card. The ninth character that some copy from the card checks the eight, and is no part
/// of the number.
pub(super) const DNI: DocumentType = DocumentType {
    code: "DNI",
    country: Some("PE"),
    name: "Documento Nacional de Identidad",
    holder: Holder::Person,
    example: "10117410",
    masks: &["########", "########-*"],
    check: dni,
};

/// Taxpayers' number; that of a person holds their DNI.
pub(super) const RUC: DocumentType = DocumentType {
    code: "RUC",
    country: Some("PE"),
    name: "Registro Único de Contribuyentes",
    holder: Holder::Both,
    example: "20512333797",
    masks: &["###########"],
    check: ruc,
};

fn dni<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    let (number, given) = candidate.text.split_at_checked(8).unwrap_or((candidate.text, ""));
    if given.chars().any(|given| !dni_check_signs(number).contains(&Some(given))) {
        return Err(DocumentNumberError::WrongCheckDigit);
    }
    Ok(number)
}

/// Modulo 11; RENIEC printed the remainder as a digit on some cards and as a letter on others.
fn dni_check_signs(number: &str) -> [Option<char>; 2] {
    const WEIGHTS: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];
    let remainder = weighted_sum(number, &WEIGHTS) % 11;
    ["65432110987", "KJIHGFEDCBA"]
        .map(|signs| signs.chars().zip(0..).find(|(_, at)| *at == remainder).map(|(sign, _)| sign))
}

fn ruc<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    // 10 persons, 15 to 17 persons of other papers, 20 companies.
    if !["10", "15", "16", "17", "20"].iter().any(|kind| candidate.text.starts_with(kind)) {
        return Err(DocumentNumberError::WrongPart { part: "prefix" });
    }
    let (body, given) = split_last(candidate.text, 1);
    if given.chars().next() != ruc_check_digit(body) {
        return Err(DocumentNumberError::WrongCheckDigit);
    }
    Ok(candidate.text)
}

/// SUNAT's modulo 11. The remainders 0 and 10 share the digit 1, so a mistyped digit can pass where
/// the check digit is 1.
fn ruc_check_digit(body: &str) -> Option<char> {
    const WEIGHTS: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    digit((11 - weighted_sum(body, &WEIGHTS) % 11) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document_type::testing::{accepts, notices_every_mistyped_digit, validate};
    use proptest::prelude::*;

    #[test]
    fn published_rucs_are_valid() {
        accepts(
            "PE",
            "RUC",
            &[
                ("20512333797", "20512333797"),
                ("10054148289", "10054148289"),
                ("10101174102", "10101174102"),
                ("20131312955", "20131312955"), // SUNAT itself
            ],
        );
        assert_eq!(validate("PE", "RUC", "20512333798"), Err(DocumentNumberError::WrongCheckDigit));
        assert_eq!(
            validate("PE", "RUC", "30512333797"),
            Err(DocumentNumberError::WrongPart { part: "prefix" })
        );
        notices_every_mistyped_digit("PE", "RUC", "20512333797");
    }

    #[test]
    fn a_dni_is_stored_without_its_check_character() {
        accepts(
            "PE",
            "DNI",
            &[("10117410", "10117410"), ("10117410-2", "10117410"), ("10117410 g", "10117410")],
        );
        assert_eq!(validate("PE", "DNI", "10117410-3"), Err(DocumentNumberError::WrongCheckDigit));
    }

    proptest! {
        #[test]
        fn a_ruc_with_its_check_digit_is_valid(kind in "10|15|16|17|20", serial in "[0-9]{8}") {
            let body = format!("{kind}{serial}");
            let check = ruc_check_digit(&body).unwrap();
            let number = format!("{body}{check}");
            prop_assert_eq!(validate("PE", "RUC", &number), Ok(number.clone()));
            if check != '1' {
                notices_every_mistyped_digit("PE", "RUC", &number);
            }
        }

        #[test]
        fn a_dni_with_either_check_character_is_valid(number in "[0-9]{8}") {
            for check in dni_check_signs(&number) {
                prop_assert_eq!(validate("PE", "DNI", &format!("{number}{}", check.unwrap())), Ok(number.clone()));
            }
        }
    }
}
