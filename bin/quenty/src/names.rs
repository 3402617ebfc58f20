//! People's names in the alphabet of e-mail addresses.

use unicode_normalization::UnicodeNormalization;

/// In small letters, without accents.
pub fn ascii(name: &str) -> String {
    name.nfd().filter(char::is_ascii).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_its_accents_and_nothing_else() {
        assert_eq!(ascii("Óscar Peña Cárdenas"), "oscar pena cardenas");
    }
}
