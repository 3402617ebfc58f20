//! United States: the employer's number of the Internal Revenue Service.

use super::{Candidate, DocumentNumberError, DocumentType, Holder};

/// Companies' tax number. It has no check digit; its first two digits name the office of issue.
pub(super) const EIN: DocumentType = DocumentType {
    code: "EIN",
    country: Some("US"),
    name: "Employer Identification Number",
    holder: Holder::Company,
    example: "91-1144442",
    masks: &["##-#######"],
    check: ein,
};

fn ein<'a>(candidate: &Candidate<'a>) -> Result<&'a str, DocumentNumberError> {
    let prefix = candidate.text.get(..2).and_then(|prefix| prefix.parse().ok());
    if !prefix.is_some_and(is_assigned) {
        return Err(DocumentNumberError::WrongPart { part: "prefix" });
    }
    Ok(candidate.text)
}

/// IRS, "How EINs are assigned and valid EIN prefixes".
fn is_assigned(prefix: u8) -> bool {
    matches!(
        prefix,
        1..=6 | 10..=16 | 20..=27 | 30..=48 | 50..=68 | 71..=77 | 80..=88 | 90..=95 | 98 | 99
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document_type::testing::{accepts, validate};

    #[test]
    fn published_eins_are_valid() {
        accepts(
            "US",
            "EIN",
            &[("91-1144442", "911144442"), ("04-2103594", "042103594"), ("94-2404110", "942404110")],
        );
        assert!(matches!(
            validate("US", "EIN", "91-114444X"),
            Err(DocumentNumberError::WrongCharacters { .. })
        ));
    }

    #[test]
    fn a_prefix_that_no_office_uses_is_refused() {
        let refused: Vec<u8> = (0..100)
            .filter(|prefix| validate("US", "EIN", &format!("{prefix:02}1144442")).is_err())
            .collect();
        assert_eq!(refused, [0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97]);
    }
}
