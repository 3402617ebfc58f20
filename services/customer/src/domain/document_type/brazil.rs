//! Brazil: the registers of persons and of companies of the Receita Federal.

use super::check_digit::{digit, split_last, weighted_sum};
use super::{Candidate, DocumentNumberError, DocumentType, Holder};

/// Persons' number.
pub(super) const CPF: DocumentType = DocumentType {
    code: "CPF",
    country: Some("BR"),
    name: "Cadastro de Pessoas Físicas",
    holder: Holder::Person,
    example: "390.533.447-05",
    masks: &["###.###.###-##"],
    check: cpf,
};

/// Companies' number; new ones are alphanumeric since July 2026, older ones keep their digits.
pub(super) const CNPJ: DocumentType = DocumentType {
    code: "CNPJ",
    country: Some("BR"),
    name: "Cadastro Nacional da Pessoa Jurídica",
    holder: Holder::Company,
    example: "16.727.230/0001-97",
    masks: &["**.***.***/****-##"],
    check: cnpj,
};

const CPF_WEIGHTS: [u32; 10] = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2];
const CNPJ_WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];

fn cpf<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    if all_equal(candidate.text) {
        return Err(DocumentNumberError::Placeholder);
    }
    verify(candidate.text, &CPF_WEIGHTS)
}

/// Instrução Normativa RFB 2.229 of 2024: letters count as their ASCII code less 48.
fn cnpj<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    if all_equal(candidate.text) {
        return Err(DocumentNumberError::Placeholder);
    }
    verify(candidate.text, &CNPJ_WEIGHTS)
}

/// 000.000.000-00 and its like satisfy the sums, and were never issued.
fn all_equal(text: &str) -> bool {
    text.bytes().all(|byte| text.as_bytes().first() == Some(&byte))
}

fn verify<'a>(text: &'a str, weights: &[u32]) -> Result<&'a str, DocumentNumberError> {
    let (body, given) = split_last(text, 2);
    if check_digits(body, weights).as_deref() != Some(given) {
        return Err(DocumentNumberError::WrongCheckDigit);
    }
    Ok(text)
}

/// Receita Federal's modulo 11, twice: the second digit covers the first. The remainders 0 and 1
/// share the digit 0, so a mistyped digit can pass where the first check digit is 0.
fn check_digits(body: &str, weights: &[u32]) -> Option<String> {
    let next = |text: &str| match weighted_sum(text, weights) % 11 {
        0 | 1 => Some('0'),
        remainder => digit(11 - remainder),
    };
    let first = next(body)?;
    let second = next(&format!("{body}{first}"))?;
    Some(format!("{first}{second}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document_type::testing::{accepts, notices_every_mistyped_digit, validate};
    use proptest::prelude::*;

    #[test]
    fn published_cpfs_are_valid() {
        accepts("BR", "CPF", &[("390.533.447-05", "39053344705"), ("111.444.777-35", "11144477735")]);
        assert_eq!(validate("BR", "CPF", "231.002.999-00"), Err(DocumentNumberError::WrongCheckDigit));
        assert_eq!(validate("BR", "CPF", "111.111.111-11"), Err(DocumentNumberError::Placeholder));
        notices_every_mistyped_digit("BR", "CPF", "111.444.777-35");
    }

    #[test]
    fn published_cnpjs_are_valid() {
        accepts(
            "BR",
            "CNPJ",
            &[
                ("16.727.230/0001-97", "16727230000197"),
                ("00.000.000/0001-91", "00000000000191"), // Banco do Brasil
                ("33.000.167/0001-01", "33000167000101"), // Petrobras
            ],
        );
        assert_eq!(validate("BR", "CNPJ", "16.727.230.0001-98"), Err(DocumentNumberError::WrongCheckDigit));
        assert_eq!(validate("BR", "CNPJ", "00.000.000/0000-00"), Err(DocumentNumberError::Placeholder));
        notices_every_mistyped_digit("BR", "CNPJ", "16.727.230/0001-97");
    }

    #[test]
    fn the_alphanumeric_cnpj_of_serpros_manual_is_valid() {
        accepts(
            "BR",
            "CNPJ",
            &[("12.ABC.345/01DE-35", "12ABC34501DE35"), ("12.abc.345/01de-35", "12ABC34501DE35")],
        );
        notices_every_mistyped_digit("BR", "CNPJ", "12.ABC.345/01DE-35");
        let letters = validate("BR", "CNPJ", "12.ABC.345/01DE-3A");
        assert!(matches!(letters, Err(DocumentNumberError::WrongCharacters { .. })));
    }

    proptest! {
        #[test]
        fn a_cpf_with_its_check_digits_is_valid(body in "[0-9]{9}") {
            prop_assume!(!all_equal(&body));
            let number = format!("{body}{}", check_digits(&body, &CPF_WEIGHTS).unwrap());
            prop_assert_eq!(validate("BR", "CPF", &number), Ok(number.clone()));
            if !number[9..].starts_with('0') {
                notices_every_mistyped_digit("BR", "CPF", &number);
            }
        }

        #[test]
        fn a_cnpj_with_its_check_digits_is_valid(body in "[0-9]{8}000[1-9]|[0-9A-Z]{12}") {
            prop_assume!(!all_equal(&body));
            let number = format!("{body}{}", check_digits(&body, &CNPJ_WEIGHTS).unwrap());
            prop_assert_eq!(validate("BR", "CNPJ", &number), Ok(number.clone()));
            if !number[12..].starts_with('0') {
                notices_every_mistyped_digit("BR", "CNPJ", &number);
            }
        }
    }
}
