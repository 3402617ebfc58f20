//! Text in the two fonts that every PDF reader and label printer has: Helvetica, regular and bold,
//! in the encoding WinAnsi (Windows-1252).

use super::LabelError;
use crate::domain::printable;
use pdf_writer::Name;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Font {
    Regular,
    Bold,
}

impl Font {
    pub(in crate::http) fn resource(self) -> Name<'static> {
        match self {
            Self::Regular => Name(b"R"),
            Self::Bold => Name(b"B"),
        }
    }

    fn widths(self) -> &'static [u16; 224] {
        match self {
            Self::Regular => &REGULAR,
            Self::Bold => &BOLD,
        }
    }
}

/// A line of text as the PDF wants it: one byte for each letter.
pub(in crate::http) type Encoded = Vec<u8>;

/// Encodes a field's text.
///
/// # Errors
/// For what is not in Latin letters; the UPU asks for them in international addresses anyway.
pub(in crate::http) fn encode(field: &'static str, text: &str) -> Result<Encoded, LabelError> {
    printable::encode(text).ok_or(LabelError::Unprintable { field })
}

/// The width of a line in points.
pub(in crate::http) fn width(text: &[u8], font: Font, size: f32) -> f32 {
    let widths = font.widths();
    let units: f32 = text
        .iter()
        .filter_map(|byte| widths.get(usize::from(byte.saturating_sub(b' '))))
        .map(|&units| f32::from(units))
        .sum();
    units * size / 1000.0
}

/// Breaks a line at blanks, and inside a word only where the word alone is too wide.
pub(in crate::http) fn wrap(text: &[u8], font: Font, size: f32, limit: f32) -> Vec<Encoded> {
    let mut lines: Vec<Encoded> = Vec::new();
    let mut line = Encoded::new();
    for word in text.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        let joined = if line.is_empty() { word.to_vec() } else { [&line[..], b" ", word].concat() };
        if width(&joined, font, size) <= limit {
            line = joined;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for &byte in word {
            line.push(byte);
            if line.len() > 1 && width(&line, font, size) > limit {
                line.pop();
                lines.push(std::mem::replace(&mut line, vec![byte]));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

// Glyph widths from the space on, in thousandths of the size: Adobe Core 14 AFM files.
#[rustfmt::skip]
const REGULAR: [u16; 224] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, 350,
    556, 350, 222, 556, 333, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350,
    350, 222, 222, 333, 333, 350, 556, 1000, 333, 1000, 500, 333, 944, 350, 500, 667,
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333,
    400, 584, 333, 333, 333, 556, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611,
    667, 667, 667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278,
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611,
    556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 584, 611, 556, 556, 556, 556, 500, 556, 500,
];
#[rustfmt::skip]
const BOLD: [u16; 224] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584, 350,
    556, 350, 278, 556, 500, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350,
    350, 278, 278, 500, 500, 350, 556, 1000, 333, 1000, 556, 333, 944, 350, 500, 667,
    278, 333, 556, 556, 556, 556, 280, 556, 333, 737, 370, 556, 584, 333, 737, 333,
    400, 584, 333, 333, 333, 611, 556, 278, 333, 333, 365, 556, 834, 834, 834, 611,
    722, 722, 722, 722, 722, 722, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278,
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611,
    556, 556, 556, 556, 556, 556, 889, 556, 556, 556, 556, 556, 278, 278, 278, 278,
    611, 611, 611, 611, 611, 611, 611, 584, 611, 611, 611, 611, 611, 556, 611, 556,
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn widths_are_those_of_the_font() {
        assert!((width(b"QTY", Font::Bold, 10.0) - 20.56).abs() < 0.001);
        assert!((width(b"\xf1", Font::Regular, 10.0) - 5.56).abs() < 0.001);
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing_and_keeps_to_the_limit(text in "[ a-zñ]{0,80}", limit in 10.0f32..200.0) {
            let text = encode("name", &text).unwrap();
            let lines = wrap(&text, Font::Regular, 10.0, limit);
            for line in &lines {
                prop_assert!(line.len() == 1 || width(line, Font::Regular, 10.0) <= limit);
            }
            let letters = |text: &[u8]| text.iter().filter(|byte| **byte != b' ').copied().collect::<Vec<_>>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
