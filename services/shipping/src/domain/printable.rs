//! What a label printer can write: the letters of Windows-1252, which the fonts of every PDF reader have.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// One byte for each letter; nothing, if one is of another script. Spanish and Portuguese pass unchanged; a letter of
/// another Latin alphabet loses what the fonts lack: `Łódź` becomes `Lódz`.
#[must_use]
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let letters: Option<Vec<Vec<u8>>> = text.nfc().map(encode_letter).collect();
    letters.map(|letters| letters.concat())
}

/// The text with a question mark for each letter that cannot be printed: for what a reader knows from elsewhere.
#[must_use]
pub fn readable(text: &str) -> String {
    text.nfc().map(|letter| if encode_letter(letter).is_some() { letter } else { '?' }).collect()
}

fn encode_letter(letter: char) -> Option<Vec<u8>> {
    win_ansi(letter).map(|byte| vec![byte]).or_else(|| plain(letter))
}

/// The letter without the marks that the font cannot set upon it.
fn plain(letter: char) -> Option<Vec<u8>> {
    let base = match letter {
        'Ł' => 'L',
        'ł' => 'l',
        'Đ' => 'D',
        'đ' => 'd',
        'Ħ' => 'H',
        'ħ' => 'h',
        'ı' => 'i',
        'Ŧ' => 'T',
        'ŧ' => 't',
        other => other,
    };
    std::iter::once(base).nfd().filter(|letter| !is_combining_mark(*letter)).map(win_ansi).collect()
}

/// The code of a letter in Windows-1252, none for control characters and what it does not have.
fn win_ansi(letter: char) -> Option<u8> {
    const FROM_0X80: &str = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";
    match letter {
        ' '..='~' | '\u{a0}'..='ÿ' => u8::try_from(u32::from(letter)).ok(),
        '\0' => None,
        _ => FROM_0X80.chars().zip(0x80..).find(|(known, _)| *known == letter).map(|(_, code)| code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spanish_and_portuguese_letters_have_their_own_codes() {
        let letters = "áéíóúüñÁÉÍÓÚÜÑ¿¡ãõâêôàçÃÕÂÊÔÀÇºª°€–“”";
        assert_eq!(encode(letters).unwrap().len(), letters.chars().count());
        assert_eq!(encode("Ñandú €").unwrap(), b"\xd1and\xfa \x80");
        // macOS writes letter and accent apart.
        assert_eq!(encode("n\u{303}").unwrap(), b"\xf1");
    }

    #[test]
    fn other_latin_letters_lose_their_marks_and_other_scripts_are_refused() {
        assert_eq!(encode("Łódź Ştefan Đặng").unwrap(), b"L\xf3dz Stefan Dang");
        for text in ["Москва", "東京", "a\nb", "a\0b", "🎁"] {
            assert_eq!(encode(text), None, "{text}");
            assert!(encode(&readable(text)).is_some(), "{text}");
        }
        assert_eq!(readable("N.º 東京-7 ñ"), "N.º ??-7 ñ");
    }
}
