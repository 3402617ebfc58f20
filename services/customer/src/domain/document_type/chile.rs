//! Chile: the RUT of the Servicio de Impuestos Internos, the same number as the RUN on the card.

use super::check_digit::{digit, split_last, weighted_sum};
use super::{Candidate, DocumentNumberError, DocumentType, Holder, not_padded};

/// Number of persons and companies alike.
pub(super) const RUT: DocumentType = DocumentType {
    code: "RUT",
    country: Some("CL"),
    name: "Rol Único Tributario",
    holder: Holder::Both,
    example: "12.531.909-2",
    masks: &["###.###-K", "#.###.###-K", "##.###.###-K"],
    check: rut,
};

fn rut<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    not_padded(candidate)?;
    let (body, given) = split_last(candidate.text, 1);
    if given.chars().next() != check_digit(body) {
        return Err(DocumentNumberError::WrongCheckDigit);
    }
    Ok(candidate.text)
}

/// Modulo 11 with weights 2 to 7 from the right (Registro Civil); a ten is written `K`. Every
/// remainder has its own sign, so every mistyped digit is noticed.
fn check_digit(body: &str) -> Option<char> {
    const WEIGHTS: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];
    match 11 - weighted_sum(body, &WEIGHTS) % 11 {
        11 => Some('0'),
        10 => Some('K'),
        value => digit(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document_type::testing::{accepts, notices_every_mistyped_digit, validate};
    use proptest::prelude::*;

    #[test]
    fn published_ruts_are_valid() {
        accepts(
            "CL",
            "RUT",
            &[
                ("76086428-5", "760864285"),
                ("12.531.909-2", "125319092"),
                ("60.803.000-k", "60803000K"), // Servicio de Impuestos Internos
                ("97.004.000-5", "970040005"), // Banco de Chile
            ],
        );
        assert_eq!(validate("CL", "RUT", "12531909-3"), Err(DocumentNumberError::WrongCheckDigit));
        assert!(matches!(
            validate("CL", "RUT", "76086A28-5"),
            Err(DocumentNumberError::WrongCharacters { .. })
        ));
    }

    proptest! {
        #[test]
        fn a_rut_with_its_check_digit_is_valid_and_no_mistyped_one_is(body in "[1-9][0-9]{5,7}") {
            let number = format!("{body}{}", check_digit(&body).unwrap());
            prop_assert_eq!(validate("CL", "RUT", &number), Ok(number.clone()));
            notices_every_mistyped_digit("CL", "RUT", &number);
        }
    }
}
