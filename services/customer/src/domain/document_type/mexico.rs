//! Mexico: SAT (RFC), RENAPO (CURP) and INE (the voter's key on the card).

use super::check_digit::{digit, split_last};
use super::{Candidate, DocumentNumberError, DocumentType, Holder, is_date};

/// Taxpayers' number: 3 letters for a company or 4 for a person, a date, and SAT's three characters.
pub(super) const RFC: DocumentType = DocumentType {
    code: "RFC",
    country: Some("MX"),
    name: "Registro Federal de Contribuyentes",
    holder: Holder::Both,
    example: "GODE 561231 GR8",
    masks: &["&&& ###### ***", "&&&& ###### ***"],
    check: rfc,
};

/// Population register's key, on every Mexican's papers.
pub(super) const CURP: DocumentType = DocumentType {
    code: "CURP",
    country: Some("MX"),
    name: "Clave Única de Registro de Población",
    holder: Holder::Person,
    example: "BOXW310820HNERXN09",
    masks: &["@@@@######@@@@@@*#"],
    check: curp,
};

/// Voter's key (clave de elector) of the INE card. INE publishes its form, not its check digit.
pub(super) const INE: DocumentType = DocumentType {
    code: "INE",
    country: Some("MX"),
    name: "Credencial para votar (clave de elector)",
    holder: Holder::Person,
    example: "GMVLMR80070501M100",
    masks: &["@@@@@@########@###"],
    check: ine,
};

/// The numbers that SAT gives to "the public" and to foreigners without an RFC.
const RFC_PLACEHOLDERS: [&str; 2] = ["XAXX010101000", "XEXX010101000"];

/// States of birth, and NE for those born abroad: RENAPO, Instructivo normativo para la asignación
/// de la CURP.
const CURP_STATES: [&str; 33] = [
    "AS", "BC", "BS", "CC", "CH", "CL", "CM", "CS", "DF", "DG", "GR", "GT", "HG", "JC", "MC", "MN", "MS",
    "NE", "NL", "NT", "OC", "PL", "QR", "QT", "SL", "SP", "SR", "TC", "TL", "TS", "VZ", "YN", "ZS",
];

const BIRTH_DATE: DocumentNumberError = DocumentNumberError::WrongPart { part: "birth date" };
const SEX: DocumentNumberError = DocumentNumberError::WrongPart { part: "letter for the sex" };
const STATE: DocumentNumberError = DocumentNumberError::WrongPart { part: "state of birth" };

fn rfc<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    let text = candidate.text;
    if RFC_PLACEHOLDERS.contains(&text) {
        return Err(DocumentNumberError::Placeholder);
    }
    let name_and_date = split_last(text, 3).0;
    // The century is not written; 2000 was a leap year and 1900 was not, so 20yy admits both.
    if !is_date(split_last(name_and_date, 6).1, 2000) {
        return Err(DocumentNumberError::WrongPart { part: "date" });
    }
    let (body, given) = split_last(text, 1);
    if given.chars().next() != rfc_check_digit(body) {
        return Err(DocumentNumberError::WrongCheckDigit);
    }
    Ok(text)
}

/// SAT's procedure for the "dígito verificador": weights 13 to 2 over a table of 39 signs, modulo
/// 11, a ten is written `A`. A company's three letters start with a blank, which counts. Some older
/// numbers were issued with a wrong digit; they are refused here and need a correction at SAT.
fn rfc_check_digit(body: &str) -> Option<char> {
    const VALUES: &str = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ";
    let value = |sign| VALUES.chars().position(|known| known == sign);
    let blanks = 12usize.saturating_sub(body.chars().count());
    let signs = std::iter::repeat_n(' ', blanks).chain(body.chars());
    let mut sum = 0;
    for (weight, sign) in (2..=13).rev().zip(signs) {
        sum += weight * value(sign)?;
    }
    "0123456789A".chars().nth((11 - sum % 11) % 11)
}

fn curp<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    let text = candidate.text;
    let part = |range| text.get(range).unwrap_or_default();
    // The 17th character keeps apart people of the same name and day: a digit until 1999, then a letter.
    let century = if part(16..17).starts_with(|c: char| c.is_ascii_digit()) { 1900 } else { 2000 };
    if !is_date(part(4..10), century) {
        return Err(BIRTH_DATE);
    }
    if !matches!(part(10..11), "H" | "M" | "X") {
        return Err(SEX);
    }
    if !CURP_STATES.contains(&part(11..13)) {
        return Err(STATE);
    }
    if part(13..16).contains(['A', 'E', 'I', 'O', 'U']) {
        return Err(DocumentNumberError::WrongPart { part: "inner consonant of a name" });
    }
    let (body, given) = split_last(text, 1);
    if given.chars().next() != curp_check_digit(body) {
        return Err(DocumentNumberError::WrongCheckDigit);
    }
    Ok(text)
}

/// RENAPO, Instructivo normativo, 18th position: weights 18 to 2 over the alphabet with `Ñ`, modulo
/// 10. Weights that share a factor with 10 let some mistyped characters pass.
fn curp_check_digit(body: &str) -> Option<char> {
    const VALUES: &str = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ";
    let mut sum = 0;
    for (weight, sign) in (2..=18u32).rev().zip(body.chars()) {
        sum += weight * u32::try_from(VALUES.chars().position(|known| known == sign)?).ok()?;
    }
    digit((10 - sum % 10) % 10)
}

fn ine<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    let text = candidate.text;
    let part = |range| text.get(range).unwrap_or_default();
    if !is_date(part(6..12), 2000) {
        return Err(BIRTH_DATE);
    }
    // 01 to 32 are the states in alphabetical order; 87 and 88 say naturalised or born abroad.
    if !part(12..14).parse::<u8>().is_ok_and(|state| matches!(state, 1..=32 | 87 | 88)) {
        return Err(STATE);
    }
    if !matches!(part(14..15), "H" | "M" | "X") {
        return Err(SEX);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document_type::testing::{accepts, notices_every_mistyped_digit, validate};
    use proptest::prelude::*;

    #[test]
    fn published_rfcs_are_valid() {
        accepts(
            "MX",
            "RFC",
            &[
                ("GODE 561231 GR8", "GODE561231GR8"),
                ("MAB-930714-8T4", "MAB9307148T4"),
                ("SAT970701NN3", "SAT970701NN3"), // SAT itself
                ("SPM1410037E8", "SPM1410037E8"),
            ],
        );
        assert_eq!(validate("MX", "RFC", "VACE-460910-SX6"), Err(DocumentNumberError::WrongCheckDigit));
        notices_every_mistyped_digit("MX", "RFC", "SAT970701NN3");
    }

    #[test]
    fn an_rfc_may_carry_the_signs_of_mexican_names() {
        for body in ["Ñ&A010203AB", "NUÑE560101AB"] {
            let check = rfc_check_digit(body).unwrap();
            let typed = format!("{body}{check}").replace('Ñ', "ñ");
            assert_eq!(validate("MX", "RFC", &typed), Ok(format!("{body}{check}")));
        }
        let given = validate("MX", "RFC", "G&DE561231GR8");
        assert_eq!(given, Err(DocumentNumberError::WrongCheckDigit));
    }

    #[test]
    fn the_rfcs_of_nobody_are_refused() {
        assert_eq!(validate("MX", "RFC", "XAXX010101000"), Err(DocumentNumberError::Placeholder));
        assert_eq!(validate("MX", "RFC", "XEXX 010101 000"), Err(DocumentNumberError::Placeholder));
    }

    #[test]
    fn published_curps_are_valid() {
        accepts(
            "MX",
            "CURP",
            &[
                ("BOXW310820HNERXN09", "BOXW310820HNERXN09"),
                ("HEGG560427MVZRRL04", "HEGG560427MVZRRL04"), // RENAPO's specimen
            ],
        );
        assert_eq!(validate("MX", "CURP", "BOXW310820HNERXN08"), Err(DocumentNumberError::WrongCheckDigit));
    }

    #[test]
    fn a_curp_says_which_part_of_it_is_wrong() {
        assert_eq!(validate("MX", "CURP", "BOXW310231HNERXN09"), Err(BIRTH_DATE));
        assert_eq!(validate("MX", "CURP", "BOXW310820ANERXN09"), Err(SEX));
        assert_eq!(validate("MX", "CURP", "BOXW310820HXXRXN09"), Err(STATE));
        // 29 February 2000 existed, that of 1900 did not.
        assert_eq!(validate("MX", "CURP", "BOXW000229HNERXN09"), Err(BIRTH_DATE));
        assert_ne!(validate("MX", "CURP", "BOXW000229HNERXNA9"), Err(BIRTH_DATE));
    }

    #[test]
    fn a_voters_key_has_a_date_a_state_and_a_sex() {
        accepts("MX", "INE", &[("GMVLMR80070501M100", "GMVLMR80070501M100")]);
        assert_eq!(validate("MX", "INE", "GMVLMR80073501M100"), Err(BIRTH_DATE));
        assert_eq!(validate("MX", "INE", "GMVLMR80070533M100"), Err(STATE));
        assert_eq!(validate("MX", "INE", "GMVLMR80070501Z100"), Err(SEX));
    }

    proptest! {
        #[test]
        fn an_rfc_with_its_check_digit_is_valid(
            name in "[A-ZÑ&]{3,4}", year in 0..100u8, month in 1..=12u8, day in 1..=28u8, serial in "[1-9A-NP-V][1-9A-NP-Z]",
        ) {
            let body = format!("{name}{year:02}{month:02}{day:02}{serial}");
            let number = format!("{body}{}", rfc_check_digit(&body).unwrap());
            prop_assert_eq!(validate("MX", "RFC", &number), Ok(number.clone()));
        }

        #[test]
        fn a_curp_with_its_check_digit_is_valid(
            name in "[A-Z][AEIOUX][A-Z]{2}", year in 0..100u8, month in 1..=12u8, day in 1..=28u8,
            sex in "[HMX]", state in 0..33usize, inner in "[B-DF-HJ-NP-TV-Z]{3}", serial in "[0-9A-Z]",
        ) {
            let state = CURP_STATES[state];
            let body = format!("{name}{year:02}{month:02}{day:02}{sex}{state}{inner}{serial}");
            let check = curp_check_digit(&body).unwrap();
            prop_assert_eq!(validate("MX", "CURP", &format!("{body}{check}")), Ok(format!("{body}{check}")));
            for wrong in ('0'..='9').filter(|&digit| digit != check) {
                let number = format!("{body}{wrong}");
                prop_assert!(validate("MX", "CURP", &number).is_err());
            }
        }
    }
}
