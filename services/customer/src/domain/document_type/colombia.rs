//! Colombia: Registraduría Nacional (CC, TI), Migración Colombia (CE, PPT) and DIAN (NIT).

use super::check_digit::{digit, split_last, weighted_sum};
use super::{Candidate, DocumentNumberError, DocumentType, Holder, is_date, not_padded};

/// Citizens' card: the old series have up to 8 digits, today's NUIP has 10. No check digit.
pub(super) const CC: DocumentType = DocumentType {
    code: "CC",
    country: Some("CO"),
    name: "Cédula de ciudadanía",
    holder: Holder::Person,
    example: "1.020.304.050",
    masks: &["###", "#.###", "##.###", "###.###", "#.###.###", "##.###.###", "###.###.###", "#.###.###.###"],
    check: not_padded,
};

/// Foreigners' card, numbered in the order of issue. No check digit.
pub(super) const CE: DocumentType = DocumentType {
    code: "CE",
    country: Some("CO"),
    name: "Cédula de extranjería",
    holder: Holder::Person,
    example: "654321",
    masks: &["###", "####", "#####", "######", "#######"],
    check: not_padded,
};

/// Minors' card: the NUIP of 10 digits, or the old form of a birth date and five digits.
pub(super) const TI: DocumentType = DocumentType {
    code: "TI",
    country: Some("CO"),
    name: "Tarjeta de identidad",
    holder: Holder::Person,
    example: "1.020.304.050",
    masks: &["#.###.###.###", "######-#####"],
    check: ti,
};

/// Tax number of companies (9 digits) and persons (that of their card), with DIAN's check digit.
pub(super) const NIT: DocumentType = DocumentType {
    code: "NIT",
    country: Some("CO"),
    name: "Número de identificación tributaria",
    holder: Holder::Both,
    example: NIT_EXAMPLE,
    masks: &["##.###-#", "###.###-#", "#.###.###-#", "##.###.###-#", "###.###.###-#", "#.###.###.###-#"],
    check: nit,
};

/// Temporary protection permit for Venezuelans (decree 216 of 2021), numbered in the order of
/// registration. No check digit.
pub(super) const PPT: DocumentType = DocumentType {
    code: "PPT",
    country: Some("CO"),
    name: "Permiso por protección temporal",
    holder: Holder::Person,
    example: "1234567",
    masks: &["#####", "######", "#######", "########"],
    check: not_padded,
};

const NIT_EXAMPLE: &str = "900.123.456-8";

fn ti<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    if candidate.text.len() == 10 {
        return not_padded(candidate);
    }
    let birth = split_last(candidate.text, 5).0;
    if !is_date(birth, 1900) && !is_date(birth, 2000) {
        return Err(DocumentNumberError::WrongPart { part: "birth date" });
    }
    Ok(candidate.text)
}

fn nit<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    not_padded(candidate)?;
    if !has_check_digit(candidate) {
        return Err(DocumentNumberError::MissingCheckDigit { example: NIT_EXAMPLE });
    }
    let (body, given) = split_last(candidate.text, 1);
    if given.chars().next() != nit_check_digit(body) {
        return Err(DocumentNumberError::WrongCheckDigit);
    }
    Ok(candidate.text)
}

/// People write NITs with and without the check digit. Without a hyphen only two lengths are
/// certain: 11 digits, and 10 that are not a NUIP, all of which start with 1.
fn has_check_digit(candidate: &Candidate<'_>) -> bool {
    match candidate.text.len() {
        _ if candidate.last_set_off => true,
        11 => true,
        10 => !candidate.text.starts_with('1'),
        _ => false,
    }
}

/// DIAN, Orden Administrativa 4 of 1989: primes as weights, modulo 11. The remainders 1 and 10
/// share the digit 1, so a mistyped digit can pass where the check digit is 1.
fn nit_check_digit(body: &str) -> Option<char> {
    const WEIGHTS: [u32; 15] = [71, 67, 59, 53, 47, 43, 41, 37, 29, 23, 19, 17, 13, 7, 3];
    match weighted_sum(body, &WEIGHTS) % 11 {
        remainder @ (0 | 1) => digit(remainder),
        remainder => digit(11 - remainder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document_type::testing::{accepts, notices_every_mistyped_digit, validate};
    use proptest::prelude::*;

    #[test]
    fn published_nits_are_valid() {
        accepts(
            "CO",
            "NIT",
            &[
                ("213.123.432-1", "2131234321"),
                ("2131234351", "2131234351"),
                ("899.999.068-1", "8999990681"), // Ecopetrol
                ("890.903.938-8", "8909039388"), // Bancolombia
                ("860.002.964-4", "8600029644"), // Banco de Bogotá
                ("800197268-4", "8001972684"),   // DIAN itself
            ],
        );
        notices_every_mistyped_digit("CO", "NIT", "890903938-8");
    }

    #[test]
    fn a_nit_without_its_check_digit_asks_for_it() {
        let missing = Err(DocumentNumberError::MissingCheckDigit { example: NIT_EXAMPLE });
        assert_eq!(validate("CO", "NIT", "900123456"), missing);
        assert_eq!(validate("CO", "NIT", "900.123.456"), missing);
        assert_eq!(validate("CO", "NIT", "1020304050"), missing);
        assert_eq!(validate("CO", "NIT", "900123456-7"), Err(DocumentNumberError::WrongCheckDigit));
        assert_eq!(validate("CO", "NIT", "900123456 8").as_deref(), Ok("9001234568"));
    }

    #[test]
    fn cards_have_no_check_digit_but_a_form() {
        accepts("CO", "CC", &[("79.123.456", "79123456"), ("1020304050", "1020304050")]);
        accepts("CO", "TI", &[("990228-12345", "99022812345")]);
        let zero = Err(DocumentNumberError::WrongPart { part: "leading zero" });
        assert_eq!(validate("CO", "CC", "079123456"), zero);
        assert_eq!(
            validate("CO", "TI", "990231-12345"),
            Err(DocumentNumberError::WrongPart { part: "birth date" })
        );
        assert_eq!(
            validate("CO", "CE", "12345678"),
            Err(DocumentNumberError::WrongLength { min: 3, max: 7 })
        );
        assert!(validate("CO", "PPT", "ABC1234").is_err());
    }

    proptest! {
        #[test]
        fn a_body_with_its_check_digit_is_valid(body in "[1-9][0-9]{4,9}") {
            let check = nit_check_digit(&body).unwrap();
            let written = format!("{body}-{check}");
            prop_assert_eq!(validate("CO", "NIT", &written), Ok(format!("{body}{check}")));
            if check != '1' {
                notices_every_mistyped_digit("CO", "NIT", &written);
            }
        }
    }
}
