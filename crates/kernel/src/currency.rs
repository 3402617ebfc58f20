//! Currencies of ISO 4217 and their minor units.
//!
//! Must never hold a rate or a conversion: those have a date and belong to a service.

use std::str::FromStr;

use utoipa::ToSchema;

use crate::invalid::{Invalid, string_value};

/// The active codes of ISO 4217 list one that have a minor unit, as of 2026-01. Metals, units of
/// account without a minor unit and the codes for tests and for no currency are left out:
/// nothing can be priced in them.
const CODES: [&str; 165] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD", "BIF", "BMD",
    "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF", "CHW", "CLF",
    "CLP", "CNY", "COP", "COU", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB",
    "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF",
    "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW",
    "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT",
    "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD",
    "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD",
    "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS",
    "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS",
    "VED", "VES", "VND", "VUV", "WST", "XAD", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

/// An active ISO 4217 currency, by its alphabetic code in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "COP")]
pub struct Currency(&'static str);

impl Currency {
    pub const COP: Self = Self("COP");
    pub const MXN: Self = Self("MXN");
    pub const USD: Self = Self("USD");

    /// Every currency that can be read, in the order of the codes.
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

    /// Decimals of the smallest amount: 2 for COP, 0 for CLP, 3 for KWD.
    #[must_use]
    pub fn minor_units(self) -> u32 {
        match self.0 {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
            | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(code: &str) -> Result<Self, Invalid> {
        CODES
            .binary_search(&code)
            .map(|index| Self(CODES[index]))
            .map_err(|_| Invalid::new("currency", "must be an active ISO 4217 code in capitals, such as COP"))
    }
}

string_value!(Currency);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        // Reading is a binary search: this also fails when the table is not sorted.
        for currency in Currency::all() {
            assert_eq!(currency.code().parse(), Ok(currency));
        }
        for named in [Currency::COP, Currency::MXN, Currency::USD] {
            assert_eq!(named.code().parse(), Ok(named));
        }
    }

    #[test]
    fn minor_units_follow_the_standard() {
        for (code, units) in [("CLP", 0), ("COP", 2), ("MXN", 2), ("KWD", 3), ("CLF", 4)] {
            assert_eq!(code.parse::<Currency>().unwrap().minor_units(), units, "{code}");
        }
        let with = |units| Currency::all().filter(|c| c.minor_units() == units).count();
        assert_eq!((with(0), with(2), with(3), with(4)), (17, 139, 7, 2));
    }

    #[test]
    fn what_is_no_active_currency_is_refused() {
        for code in ["", "cop", "CO", "COPS", " COP", "HRK", "BGN", "XAU", "XTS", "XXX", "ÉUR"] {
            assert!(code.parse::<Currency>().is_err(), "{code}");
        }
    }

    #[test]
    fn it_is_a_plain_string_in_json() {
        assert_eq!(serde_json::to_string(&Currency::COP).unwrap(), r#""COP""#);
        assert_eq!(serde_json::from_str::<Currency>(r#""COP""#).unwrap(), Currency::COP);
        let error = serde_json::from_str::<Currency>(r#""pesos""#).unwrap_err().to_string();
        assert!(error.starts_with("currency: must be an active ISO 4217 code"), "{error}");
    }
}
