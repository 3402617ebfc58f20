//! Code 128 (ISO/IEC 15417), as far as shipping labels go: printable ASCII in the sets B and C.

/// Bar and space widths, in modules, of the values 0 to 105; table 1 of the standard.
const PATTERNS: [[u8; 6]; 106] = [
    [2, 1, 2, 2, 2, 2],
    [2, 2, 2, 1, 2, 2],
    [2, 2, 2, 2, 2, 1],
    [1, 2, 1, 2, 2, 3],
    [1, 2, 1, 3, 2, 2],
    [1, 3, 1, 2, 2, 2],
    [1, 2, 2, 2, 1, 3],
    [1, 2, 2, 3, 1, 2],
    [1, 3, 2, 2, 1, 2],
    [2, 2, 1, 2, 1, 3],
    [2, 2, 1, 3, 1, 2],
    [2, 3, 1, 2, 1, 2],
    [1, 1, 2, 2, 3, 2],
    [1, 2, 2, 1, 3, 2],
    [1, 2, 2, 2, 3, 1],
    [1, 1, 3, 2, 2, 2],
    [1, 2, 3, 1, 2, 2],
    [1, 2, 3, 2, 2, 1],
    [2, 2, 3, 2, 1, 1],
    [2, 2, 1, 1, 3, 2],
    [2, 2, 1, 2, 3, 1],
    [2, 1, 3, 2, 1, 2],
    [2, 2, 3, 1, 1, 2],
    [3, 1, 2, 1, 3, 1],
    [3, 1, 1, 2, 2, 2],
    [3, 2, 1, 1, 2, 2],
    [3, 2, 1, 2, 2, 1],
    [3, 1, 2, 2, 1, 2],
    [3, 2, 2, 1, 1, 2],
    [3, 2, 2, 2, 1, 1],
    [2, 1, 2, 1, 2, 3],
    [2, 1, 2, 3, 2, 1],
    [2, 3, 2, 1, 2, 1],
    [1, 1, 1, 3, 2, 3],
    [1, 3, 1, 1, 2, 3],
    [1, 3, 1, 3, 2, 1],
    [1, 1, 2, 3, 1, 3],
    [1, 3, 2, 1, 1, 3],
    [1, 3, 2, 3, 1, 1],
    [2, 1, 1, 3, 1, 3],
    [2, 3, 1, 1, 1, 3],
    [2, 3, 1, 3, 1, 1],
    [1, 1, 2, 1, 3, 3],
    [1, 1, 2, 3, 3, 1],
    [1, 3, 2, 1, 3, 1],
    [1, 1, 3, 1, 2, 3],
    [1, 1, 3, 3, 2, 1],
    [1, 3, 3, 1, 2, 1],
    [3, 1, 3, 1, 2, 1],
    [2, 1, 1, 3, 3, 1],
    [2, 3, 1, 1, 3, 1],
    [2, 1, 3, 1, 1, 3],
    [2, 1, 3, 3, 1, 1],
    [2, 1, 3, 1, 3, 1],
    [3, 1, 1, 1, 2, 3],
    [3, 1, 1, 3, 2, 1],
    [3, 3, 1, 1, 2, 1],
    [3, 1, 2, 1, 1, 3],
    [3, 1, 2, 3, 1, 1],
    [3, 3, 2, 1, 1, 1],
    [3, 1, 4, 1, 1, 1],
    [2, 2, 1, 4, 1, 1],
    [4, 3, 1, 1, 1, 1],
    [1, 1, 1, 2, 2, 4],
    [1, 1, 1, 4, 2, 2],
    [1, 2, 1, 1, 2, 4],
    [1, 2, 1, 4, 2, 1],
    [1, 4, 1, 1, 2, 2],
    [1, 4, 1, 2, 2, 1],
    [1, 1, 2, 2, 1, 4],
    [1, 1, 2, 4, 1, 2],
    [1, 2, 2, 1, 1, 4],
    [1, 2, 2, 4, 1, 1],
    [1, 4, 2, 1, 1, 2],
    [1, 4, 2, 2, 1, 1],
    [2, 4, 1, 2, 1, 1],
    [2, 2, 1, 1, 1, 4],
    [4, 1, 3, 1, 1, 1],
    [2, 4, 1, 1, 1, 2],
    [1, 3, 4, 1, 1, 1],
    [1, 1, 1, 2, 4, 2],
    [1, 2, 1, 1, 4, 2],
    [1, 2, 1, 2, 4, 1],
    [1, 1, 4, 2, 1, 2],
    [1, 2, 4, 1, 1, 2],
    [1, 2, 4, 2, 1, 1],
    [4, 1, 1, 2, 1, 2],
    [4, 2, 1, 1, 1, 2],
    [4, 2, 1, 2, 1, 1],
    [2, 1, 2, 1, 4, 1],
    [2, 1, 4, 1, 2, 1],
    [4, 1, 2, 1, 2, 1],
    [1, 1, 1, 1, 4, 3],
    [1, 1, 1, 3, 4, 1],
    [1, 3, 1, 1, 4, 1],
    [1, 1, 4, 1, 1, 3],
    [1, 1, 4, 3, 1, 1],
    [4, 1, 1, 1, 1, 3],
    [4, 1, 1, 3, 1, 1],
    [1, 1, 3, 1, 4, 1],
    [1, 1, 4, 1, 3, 1],
    [3, 1, 1, 1, 4, 1],
    [4, 1, 1, 1, 3, 1],
    [2, 1, 1, 4, 1, 2],
    [2, 1, 1, 2, 1, 4],
    [2, 1, 1, 2, 3, 2],
];
const STOP: [u8; 7] = [2, 3, 3, 1, 1, 1, 2];
const CODE_C: u8 = 99;
const CODE_B: u8 = 100;
const START_B: u8 = 104;
const START_C: u8 = 105;

/// The widths of bars and spaces in turn, from the first bar to the last, without quiet zones; none
/// when the text has a character outside of printable ASCII.
pub(super) fn widths(text: &str) -> Option<Vec<u8>> {
    let values = values(text.as_bytes())?;
    let mut widths: Vec<u8> =
        values.iter().filter_map(|&value| PATTERNS.get(usize::from(value))).flatten().copied().collect();
    widths.extend(STOP);
    Some(widths)
}

/// Start, data and check values. Set C packs two digits into one symbol; the switch to it pays from
/// four digits on (annex E of the standard, less its finer points).
fn values(mut text: &[u8]) -> Option<Vec<u8>> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut in_c = digits(text) >= 4;
    let mut values = vec![if in_c { START_C } else { START_B }];
    loop {
        match text {
            [] => break,
            [tens, ones, rest @ ..] if in_c && digits(text) >= 2 => {
                values.push((tens - b'0') * 10 + (ones - b'0'));
                text = rest;
            }
            _ if in_c => {
                values.push(CODE_B);
                in_c = false;
            }
            _ if digits(text) >= 4 && digits(text).is_multiple_of(2) => {
                values.push(CODE_C);
                in_c = true;
            }
            [byte @ b' '..=b'~', rest @ ..] => {
                values.push(byte - b' ');
                text = rest;
            }
            _ => return None,
        }
    }
    let weighted = values.iter().zip(0u32..).map(|(&value, at)| u32::from(value) * at.max(1));
    values.push(u8::try_from(weighted.sum::<u32>() % 103).ok()?);
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_keeps_the_parity_of_the_standard() {
        for pattern in PATTERNS {
            assert_eq!(pattern.iter().sum::<u8>(), 11, "{pattern:?}");
            assert_eq!(pattern.iter().step_by(2).sum::<u8>() % 2, 0, "{pattern:?}");
        }
        assert_eq!(HashSet::from(PATTERNS).len(), 106);
    }

    #[test]
    fn letters_use_set_b_and_digits_pairs_of_set_c() {
        // The worked example that is everywhere, PJJ123C, sums to 54 from start A, hence to 55 from start B.
        assert_eq!(values(b"PJJ123C").unwrap().last(), Some(&55));
        assert_eq!(
            values(b"QTY00012345674CO").unwrap(),
            [104, 49, 52, 57, 16, 99, 0, 12, 34, 56, 74, 100, 35, 47, 83]
        );
        assert_eq!(values(b"1234").unwrap()[..3], [105, 12, 34]);
        assert_eq!(values(b"12345").unwrap()[..5], [105, 12, 34, 100, 21]);
    }

    #[test]
    fn a_text_beyond_ascii_has_no_symbol() {
        assert!(widths("Ñ").is_none());
        assert!(widths("a\n").is_none());
    }
}
