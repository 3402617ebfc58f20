//! Countries of ISO 3166-1.
//!
//! Must never hold what depends on time (zones, duties, postal-code rules): see the shipping service.

use std::str::FromStr;

use utoipa::ToSchema;

use crate::invalid::{Invalid, string_value};

/// The officially assigned alpha-2 codes of ISO 3166-1.
const CODES: [&str; 249] = [
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA",
    "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV",
    "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU",
    "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES",
    "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM",
    "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE",
    "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM",
    "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY",
    "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT",
    "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU",
    "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA",
    "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM",
    "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL",
    "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE",
    "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

/// A country by its ISO 3166-1 alpha-2 code in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[A-Z]{2}$", example = "CO")]
pub struct CountryCode(&'static str);

impl CountryCode {
    pub const CO: Self = Self("CO");
    pub const MX: Self = Self("MX");
    pub const US: Self = Self("US");

    /// Every country that can be read, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES.iter().map(|code| Self(code))
    }

    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0
    }

    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.0
    }
}

impl FromStr for CountryCode {
    type Err = Invalid;

    fn from_str(code: &str) -> Result<Self, Invalid> {
        CODES.binary_search(&code).map(|index| Self(CODES[index])).map_err(|_| {
            Invalid::new("country", "must be an ISO 3166-1 alpha-2 code in capitals, such as CO")
        })
    }
}

string_value!(CountryCode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        // Reading is a binary search: this also fails when the table is not sorted.
        assert_eq!(CountryCode::all().count(), 249);
        for country in CountryCode::all() {
            assert_eq!(country.code().parse(), Ok(country));
        }
        for named in [CountryCode::CO, CountryCode::MX, CountryCode::US] {
            assert_eq!(named.code().parse(), Ok(named));
        }
    }

    #[test]
    fn what_is_no_assigned_code_is_refused() {
        // UK and EU are reserved, not assigned; XK is a user-assigned code.
        for code in ["", "co", "COL", "C", " CO", "UK", "EU", "XK", "ZZ"] {
            assert!(code.parse::<CountryCode>().is_err(), "{code}");
        }
    }

    #[test]
    fn it_is_a_plain_string_in_json() {
        assert_eq!(serde_json::to_string(&CountryCode::CO).unwrap(), r#""CO""#);
        assert_eq!(serde_json::from_str::<CountryCode>(r#""CO""#).unwrap(), CountryCode::CO);
        assert!(serde_json::from_str::<CountryCode>("57").is_err());
    }
}
