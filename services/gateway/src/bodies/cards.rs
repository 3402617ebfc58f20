//! Card numbers where people write what they like: they are refused, so that nothing of the platform ever holds one
//! (PCI DSS 4.0, 3.2).
//!
//! A card number has 13 to 19 digits, begins as an issuer's do and has the length of that issuer's, ends with Luhn's check
//! digit (ISO/IEC 7812-1), and stands alone or in the groups of a card's front. Tracking numbers, phones and tax ids are
//! none: they stand in fields of their own, which are not searched, and in a text they lack one of these marks.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::{are_enough, schema::step};

/// Where people write what they like.
const FREE_TEXT: [&str; 13] = [
    "note",
    "message",
    "comment",
    "reason",
    "detail",
    "instruction",
    "remark",
    "memo",
    "difference",
    "description",
    "resolution",
    "about",
    "received_by",
];
/// What is about paying, whatever it is called below.
const PAYING: [&str; 3] = ["payment", "refund", "card"];

/// First digits of numbers, with the lengths that such numbers have. Sources: ISO/IEC 7812 and the networks' own
/// published ranges; Elo, Hipercard, Naranja and Carnet for Latin America.
const ISSUERS: [(RangeInclusive<u32>, RangeInclusive<usize>); 22] = [
    // Mastercard
    (51..=55, 16..=16),
    (2221..=2720, 16..=16),
    // American Express
    (34..=34, 15..=15),
    (37..=37, 15..=15),
    // Diners Club
    (300..=305, 14..=14),
    (3095..=3095, 14..=14),
    (36..=36, 14..=14),
    (38..=39, 14..=14),
    // Discover
    (6011..=6011, 16..=19),
    (644..=649, 16..=19),
    (65..=65, 16..=19),
    // JCB
    (3528..=3589, 16..=19),
    // UnionPay
    (62..=62, 16..=19),
    // Maestro
    (50..=50, 13..=19),
    (56..=58, 13..=19),
    (6304..=6304, 13..=19),
    (6390..=6390, 13..=19),
    (67..=67, 13..=19),
    // Elo, Hipercard, Naranja, Carnet
    (636_368..=636_369, 16..=16),
    (606_282..=606_282, 16..=16),
    (589_562..=589_562, 16..=16),
    (639_559..=639_559, 16..=16),
];
/// Visa's first digit, with its three lengths.
const VISA: (u8, [usize; 3]) = (4, [13, 16, 19]);
/// How the digits stand on cards, beside fours to the end: American Express, Diners Club.
const FRONTS: [&[usize]; 2] = [&[4, 6, 5], &[4, 6, 4]];

/// Whether all fields of an operation are searched.
pub(super) fn is_about_payment(template: &str) -> bool {
    template.rsplit('/').next().is_some_and(|last| PAYING.iter().any(|word| last.starts_with(word)))
}

/// The fields of a body that hold a card number, as JSON pointers; some of them, where they are many.
pub(super) fn find(body: &Value, everywhere: bool) -> Vec<String> {
    let mut found = Vec::new();
    search(body, everywhere, &mut String::new(), &mut found);
    found
}

fn search(value: &Value, here: bool, pointer: &mut String, found: &mut Vec<String>) {
    if are_enough(found.iter()) {
        return;
    }
    let length = pointer.len();
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                pointer.push_str(&step(name));
                search(field, here || is_searched(name), pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&step(&index.to_string()));
                search(item, here, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::String(text) if here && has_card_number(text) => found.push(pointer.clone()),
        Value::Number(number) if here && has_card_number(&number.to_string()) => found.push(pointer.clone()),
        _ => {}
    }
}

fn is_searched(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    FREE_TEXT.iter().chain(&PAYING).any(|word| name.contains(word))
}

fn has_card_number(text: &str) -> bool {
    if text.bytes().filter(u8::is_ascii_digit).take(13).count() < 13 {
        return false;
    }
    rows(text).iter().any(|row| (0..row.len()).any(|first| begins_a_card(&row[first..])))
}

/// Groups of digits with nothing but white space and hyphens between them, as people paste them. What letters, a plus or a
/// dot touch is part of something else: `1Z…`, `+57…`, `12.345.678`.
fn rows(text: &str) -> Vec<Vec<Vec<u8>>> {
    let is_between = |letter: char| !(letter.is_alphanumeric() || "+._".contains(letter));
    let joins = |letter: char| letter.is_whitespace() || "-\u{2010}\u{2011}\u{2012}\u{2013}".contains(letter);
    let (mut rows, mut row) = (Vec::new(), Vec::new());
    for piece in text.split_inclusive(is_between) {
        let word = piece.trim_end_matches(is_between);
        if word.is_empty() && piece.ends_with(joins) {
            continue;
        }
        // A sentence may end after a number.
        let digits = word.trim_end_matches('.');
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            row.push(digits.bytes().map(|byte| byte - b'0').collect());
        }
        if !is_number || digits != word || !piece.ends_with(joins) {
            rows.push(std::mem::take(&mut row));
        }
    }
    rows.push(row);
    rows
}

/// Whether the first group alone, or with those after it as on a card's front, is a card number.
fn begins_a_card(groups: &[Vec<u8>]) -> bool {
    let mut digits = Vec::new();
    for (count, group) in groups.iter().enumerate() {
        digits.extend_from_slice(group);
        if digits.len() > 19 {
            return false;
        }
        if stands_as_on_a_card(&groups[..=count]) && is_card_number(&digits) {
            return true;
        }
    }
    false
}

fn stands_as_on_a_card(groups: &[Vec<u8>]) -> bool {
    let [first @ .., last] = groups else { return false };
    let lengths = || groups.iter().map(Vec::len);
    first.is_empty()
        || (first.iter().all(|group| group.len() == 4) && last.len() <= 4)
        || FRONTS.iter().any(|front| lengths().eq(front.iter().copied()))
}

fn is_card_number(digits: &[u8]) -> bool {
    is_issued(digits) && luhn(digits) && !is_cnpj(digits) && !is_ean(digits)
}

fn is_issued(digits: &[u8]) -> bool {
    let (visa, lengths) = VISA;
    if digits.first() == Some(&visa) {
        return lengths.contains(&digits.len());
    }
    ISSUERS.iter().any(|(prefixes, lengths)| {
        let width = prefixes.start().ilog10() as usize + 1;
        let prefix = digits.iter().take(width).fold(0, |number, digit| number * 10 + u32::from(*digit));
        lengths.contains(&digits.len()) && prefixes.contains(&prefix)
    })
}

fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| u32::from(if place % 2 == 1 { doubled(*digit) } else { *digit }))
        .sum();
    sum.is_multiple_of(10)
}

/// Brazil's tax id of companies has 14 digits, too: with both its check digits it is that.
fn is_cnpj(digits: &[u8]) -> bool {
    let check = |count: usize| {
        let weights = (2..=9).cycle();
        let sum: u32 =
            digits[..count].iter().rev().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum();
        let rest = sum % 11;
        u32::from(digits[count]) == if rest < 2 { 0 } else { 11 - rest }
    };
    digits.len() == 14 && check(12) && check(13)
}

/// The number under a bar code (GS1's GTIN-13) has 13 digits, and a check digit of its own.
fn is_ean(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(place, digit)| u32::from(*digit) * if place % 2 == 1 { 3 } else { 1 })
        .sum();
    digits.len() == 13 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The networks' own test numbers.
    const CARDS: [&str; 18] = [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4012-8888-8888-1881",
        "4222222222222",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "3056 930902 5904",
        "6011111111111117",
        "3530111333300000",
        "6759649826438453",
        "6062 8288 8866 6688",
        // as they are pasted
        "4111\u{a0}1111\u{a0}1111\u{a0}1111",
        "4111\u{202f}1111\u{2011}1111\t1111",
        "4111  1111 -  1111 - 1111",
        "4012 8888\n8888 1881",
    ];

    #[test]
    fn the_networks_numbers_are_found_wherever_they_stand_in_a_text() {
        for card in CARDS {
            for text in [
                card.to_owned(),
                format!("pay with {card}, please"),
                format!("({card}) 12/29 123"),
                format!("{card}."),
            ] {
                assert!(has_card_number(&text), "{text}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        for text in [
            "4111111111111112",
            "41111111111111111111111",
            // tracking numbers: UPS, FedEx (12, 15, 20 and 22 digits), DHL, a Universal Postal Union item, SSCC
            "1Z999AA10123456784",
            "449044304137821",
            "986578788855",
            "61299998820821171811",
            "9261292700768711948021",
            "JD014600006281230704",
            "RA123456785CO",
            "00370012345678901236",
            // phones
            "+57 300 123 4567",
            "+5730012345674111",
            "300 123 4567 / 310 765 4321",
            "0034 91 123 45 67",
            // tax ids: NIT, RUC, CUIT, RFC, CNPJ
            "860034313-7",
            "1790016919001",
            "20-12345678-6",
            "VECJ880326XXX",
            "38.175.217/0001-40",
            // an EAN, an order's id, amounts, a UUID
            "4006381333931",
            "ORD-01JD3ZK8Q5V0E8XW4T2M9R6B7C",
            "4.111.111.111.111.111",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert!(!has_card_number(text), "{text}");
        }
    }

    #[test]
    fn a_tax_id_of_brazil_is_none_though_it_begins_and_ends_like_one() {
        let alike = (0..1_000_000u32)
            .map(|number| {
                let mut digits: Vec<u8> =
                    format!("36{number:06}0001").bytes().map(|byte| byte - b'0').collect();
                for count in [12, 13] {
                    let sum: u32 = digits[..count]
                        .iter()
                        .rev()
                        .zip((2..=9).cycle())
                        .map(|(d, w)| u32::from(*d) * w)
                        .sum();
                    digits.push(if sum % 11 < 2 { 0 } else { 11 - u8::try_from(sum % 11).unwrap() });
                }
                digits
            })
            .find(|digits| luhn(digits) && is_issued(digits))
            .unwrap();
        assert!(is_cnpj(&alike) && !is_card_number(&alike));
    }

    #[test]
    fn of_very_many_only_some_are_named() {
        let cards = vec!["4111111111111111"; 10_000];
        assert_eq!(find(&json!({"notes": cards}), false).len(), 50);
        let long = json!({"x".repeat(100_000): {"notes": cards}});
        assert_eq!(find(&long, false).len(), 1);
    }

    #[test]
    fn only_what_people_write_and_what_is_about_paying_is_searched() {
        let card = "4111111111111111";
        let body = json!({
            "notes": card, "tracking_number": card, "phone": card, "goods": {"Description": card}, "document": {"number": card},
            "payment": {"reference": card, "parts": [{"x": 4_111_111_111_111_111_u64}]},
            "lines": [{"note": "a"}, {"Note": card}], "reason": null,
        });
        let mut found = find(&body, false);
        found.sort_unstable();
        assert_eq!(
            found,
            ["/goods/Description", "/lines/1/Note", "/notes", "/payment/parts/0/x", "/payment/reference"]
        );
        assert_eq!(
            find(&json!({"reference": card}), is_about_payment("/api/v1/orders/{id}/payments")),
            ["/reference"]
        );
        assert!(find(&json!({"reference": card}), is_about_payment("/api/v1/orders")).is_empty());
    }
}
