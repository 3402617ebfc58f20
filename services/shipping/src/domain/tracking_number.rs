//! The tracking numbers of our own carrier: `QTY`, ten digits, a check digit, the country of origin.
//!
//! Only ours: other carriers' numbers are texts that we keep as they come.

use std::fmt;
use std::str::FromStr;

use quenty_kernel::Invalid;
use quenty_kernel::country::CountryCode;
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

const PREFIX: &str = "QTY";
const DIGITS: usize = 10;

/// A tracking number, such as `QTY00012345674CO`.
///
/// The check digit is the modulo 10 of ISO/IEC 7812-1 (Luhn): it notices every mistyped digit and
/// every swap of neighbours but 09 and 90. The weights of UPU S10 are made for eight digits, and
/// two of its remainders share a digit, so that it misses some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrackingNumber {
    serial: u64,
    origin: CountryCode,
}

impl TrackingNumber {
    /// The greatest serial that has a number.
    pub const MAX_SERIAL: u64 = 9_999_999_999;

    /// The number of the `serial`-th parcel, sent from `origin`.
    ///
    /// # Errors
    /// When the serial has more than ten digits.
    pub fn new(serial: u64, origin: CountryCode) -> Result<Self, Invalid> {
        if serial > Self::MAX_SERIAL {
            return Err(invalid("must have a serial of at most ten digits"));
        }
        Ok(Self { serial, origin })
    }

    #[must_use]
    pub const fn serial(self) -> u64 {
        self.serial
    }

    #[must_use]
    pub const fn origin(self) -> CountryCode {
        self.origin
    }
}

/// Blanks and hyphens do not count, and small letters pass: people copy the number from a label.
impl FromStr for TrackingNumber {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text: String = text
            .chars()
            .filter(|character| !character.is_whitespace() && *character != '-')
            .map(|character| character.to_ascii_uppercase())
            .collect();
        let malformed = || invalid("must be QTY, eleven digits and a country code, like QTY00012345674CO");
        let rest = text.strip_prefix(PREFIX).ok_or_else(malformed)?;
        let (digits, country) = rest.split_at_checked(DIGITS + 1).ok_or_else(malformed)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let origin = country.parse().map_err(|_| malformed())?;
        let number: u64 = digits.parse().map_err(|_| malformed())?;
        let (serial, given) = (number / 10, number % 10);
        if check_digit(serial) != given {
            return Err(invalid("has a check digit that does not belong to it, look for a mistyped digit"));
        }
        Self::new(serial, origin)
    }
}

impl fmt::Display for TrackingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            format!("{PREFIX}{:0DIGITS$}{}{}", self.serial, check_digit(self.serial), self.origin.code());
        f.pad(&text)
    }
}

impl TryFrom<String> for TrackingNumber {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<TrackingNumber> for String {
    fn from(number: TrackingNumber) -> Self {
        number.to_string()
    }
}

impl PartialSchema for TrackingNumber {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.pattern(Some("^QTY[0-9]{11}[A-Z]{2}$")).examples(["QTY00012345674CO"]).into()
    }
}

impl ToSchema for TrackingNumber {}

fn invalid(why: &'static str) -> Invalid {
    Invalid::new("tracking number", why)
}

fn check_digit(mut serial: u64) -> u64 {
    let mut sum = 0;
    let mut doubled = true;
    while serial > 0 {
        let digit = serial % 10;
        sum += match (doubled, digit) {
            (false, _) => digit,
            (true, 0..=4) => digit * 2,
            (true, _) => digit * 2 - 9,
        };
        doubled = !doubled;
        serial /= 10;
    }
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<TrackingNumber, String> {
        text.parse().map_err(|error: Invalid| error.to_string())
    }

    #[test]
    fn the_check_digit_is_that_of_iso_7812() {
        // The number that the standard's literature works through: 7992739871, check digit 3.
        assert_eq!(check_digit(7_992_739_871), 3);
        let number = TrackingNumber::new(1_234_567, CountryCode::CO).unwrap();
        assert_eq!(number.to_string(), "QTY00012345674CO");
    }

    #[test]
    fn it_is_read_as_people_write_it() {
        let number = TrackingNumber::new(1_234_567, CountryCode::CO).unwrap();
        for written in ["QTY00012345674CO", "qty 0001 2345 674 co", "QTY-00012345674-CO"] {
            assert_eq!(read(written), Ok(number), "{written}");
        }
    }

    #[test]
    fn what_is_no_number_of_ours_is_refused() {
        for text in [
            "",
            "QTY",
            "RR473124829FI",
            "QTY0012345674CO",
            "QTY00012345674ZZ",
            "QTY00012345674",
            "QTY0001234567éCO",
        ] {
            assert!(read(text).unwrap_err().contains("must be QTY"), "{text}");
        }
        assert!(read("QTY00012345675CO").unwrap_err().contains("check digit"));
        assert!(TrackingNumber::new(TrackingNumber::MAX_SERIAL + 1, CountryCode::CO).is_err());
    }

    #[test]
    fn it_is_a_plain_string_in_json() {
        let number = TrackingNumber::new(TrackingNumber::MAX_SERIAL, CountryCode::MX).unwrap();
        let json = serde_json::to_string(&number).unwrap();
        assert_eq!(json, r#""QTY99999999990MX""#);
        assert_eq!(serde_json::from_str::<TrackingNumber>(&json).unwrap(), number);
    }

    proptest! {
        #[test]
        fn every_number_reads_back(serial in 0..=TrackingNumber::MAX_SERIAL, country in 0..249usize) {
            let origin = CountryCode::all().nth(country).unwrap();
            let number = TrackingNumber::new(serial, origin).unwrap();
            prop_assert_eq!(read(&number.to_string()), Ok(number));
        }

        #[test]
        fn every_mistyped_digit_is_noticed(serial in 0..=TrackingNumber::MAX_SERIAL, at in 3..14usize, by in 1..10u8) {
            let mut text = TrackingNumber::new(serial, CountryCode::CO).unwrap().to_string().into_bytes();
            text[at] = b'0' + (text[at] - b'0' + by) % 10;
            prop_assert!(read(std::str::from_utf8(&text).unwrap()).is_err());
        }

        #[test]
        fn swapped_neighbours_are_noticed(serial in 0..=TrackingNumber::MAX_SERIAL, at in 3..13usize) {
            let mut text = TrackingNumber::new(serial, CountryCode::CO).unwrap().to_string().into_bytes();
            let pair = [text[at], text[at + 1]];
            prop_assume!(pair[0] != pair[1] && pair != *b"09" && pair != *b"90");
            text.swap(at, at + 1);
            prop_assert!(read(std::str::from_utf8(&text).unwrap()).is_err());
        }
    }
}
