//! Written forms of numbers: one sign for each character, everything else a separator.
//!
//! `##.###.###-K` measures, matches and prints a Chilean RUT; [`super::DocumentType::masks`] lists
//! the signs.

fn is_slot(sign: char) -> bool {
    matches!(sign, '#' | '@' | '*' | '&' | 'K')
}

fn admits(sign: char, character: char) -> bool {
    match sign {
        '#' => character.is_ascii_digit(),
        '@' => character.is_ascii_uppercase(),
        '*' => character.is_ascii_digit() || character.is_ascii_uppercase(),
        '&' => character.is_ascii_uppercase() || matches!(character, 'Ñ' | '&'),
        _ => character.is_ascii_digit() || character == 'K',
    }
}

/// How many characters a number of this form has.
pub(super) fn length(mask: &str) -> usize {
    mask.chars().filter(|&sign| is_slot(sign)).count()
}

/// Whether `text`, without separators, has this form.
pub(super) fn fits(mask: &str, text: &str) -> bool {
    let slots = mask.chars().filter(|&sign| is_slot(sign));
    length(mask) == text.chars().count()
        && slots.zip(text.chars()).all(|(sign, character)| admits(sign, character))
}

/// Puts the separators of the form between the characters of `text`.
pub(super) fn fill(mask: &str, text: &str) -> String {
    let mut characters = text.chars();
    mask.chars().filter_map(|sign| if is_slot(sign) { characters.next() } else { Some(sign) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_measures_matches_and_fills() {
        assert_eq!(length("##.###.###-K"), 9);
        assert!(fits("##.###.###-K", "12531909K"));
        assert!(!fits("##.###.###-K", "1253190K2"));
        assert!(!fits("##.###.###-K", "125319092\u{301}"));
        assert_eq!(fill("##.###.###-K", "125319092"), "12.531.909-2");
    }
}
