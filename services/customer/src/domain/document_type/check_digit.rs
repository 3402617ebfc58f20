//! What the check digits of Latin America have in common: a weighted sum and its remainder.

/// Adds up the characters times their weights, aligned at the right; a shorter number leaves the
/// first weights unused.
///
/// A character is worth its ASCII code less 48: a digit itself, and a letter what Brazil's revenue
/// decided for the alphanumeric CNPJ.
pub(super) fn weighted_sum(text: &str, weights: &[u32]) -> u32 {
    text.bytes()
        .rev()
        .zip(weights.iter().rev())
        .map(|(byte, weight)| u32::from(byte.saturating_sub(b'0')) * weight)
        .sum()
}

/// The digit's character; none for a number that takes two digits.
pub(super) fn digit(value: u32) -> Option<char> {
    char::from_digit(value, 10)
}

/// Separates the last `count` characters of an ASCII text.
pub(super) fn split_last(text: &str, count: usize) -> (&str, &str) {
    text.split_at_checked(text.len().saturating_sub(count)).unwrap_or((text, ""))
}
