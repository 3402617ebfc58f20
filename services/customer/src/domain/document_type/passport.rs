//! Passports, which every country issues after ICAO Doc 9303.

use super::{DocumentType, Holder, any};

/// Doc 9303 part 4 gives the number nine places of the machine-readable zone; countries fill them
/// as they like. Its check digit stands beside the number there and is not part of it.
pub(super) const PASSPORT: DocumentType = DocumentType {
    code: "PASSPORT",
    country: None,
    name: "Passport",
    holder: Holder::Person,
    example: "AB123456",
    masks: &["*****", "******", "*******", "********", "*********"],
    check: any,
};

#[cfg(test)]
mod tests {
    use crate::domain::document_type::testing::{accepts, validate};

    #[test]
    fn letters_and_digits_up_to_nine_are_a_passport_number() {
        accepts("CO", "PASSPORT", &[("L898902C3", "L898902C3"), ("ab 123456", "AB123456")]);
        assert!(validate("DE", "PASSPORT", "AB12345678").is_err());
        assert!(validate("DE", "PASSPORT", "AB#23456").is_err());
    }
}
