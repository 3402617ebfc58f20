//! Postal addresses, worldwide (design/conventions.md, "Names and types").
//!
//! Must never know what a country asks of its addresses: that changes, and shipping keeps it dated.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    contact::ERASED,
    country::CountryCode,
    geo::GeoPoint,
    invalid::{Invalid, line_of_text},
};

const MAX_LINE: usize = 200;
const MAX_CITY: usize = 100;
const MAX_STATE: usize = 100;
const MAX_POSTAL_CODE: usize = 20;

/// A postal address; its texts are trimmed, without control characters, and never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "AddressParts")]
pub struct Address {
    /// Street and number, or what stands for them.
    #[schema(min_length = 1, max_length = 200, example = "Calle 26 # 59-51")]
    line1: String,
    /// Floor, flat, building, directions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "Torre 3, piso 7")]
    line2: Option<String>,
    #[schema(min_length = 1, max_length = 100, example = "Bogotá")]
    city: String,
    /// State, province or department.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, example = "Cundinamarca")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, example = "111321")]
    postal_code: Option<String>,
    country: CountryCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<GeoPoint>,
}

/// The parts of an [`Address`] before they are checked: from JSON, from a row, from a file.
/// An optional text that is empty counts as absent, as forms send it.
#[derive(Debug, Clone, Deserialize)]
pub struct AddressParts {
    pub line1: String,
    pub line2: Option<String>,
    pub city: String,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: CountryCode,
    pub location: Option<GeoPoint>,
}

impl TryFrom<AddressParts> for Address {
    type Error = Invalid;

    fn try_from(parts: AddressParts) -> Result<Self, Invalid> {
        Self::new(parts)
    }
}

impl Address {
    pub fn new(parts: AddressParts) -> Result<Self, Invalid> {
        Ok(Self {
            line1: line_of_text("address line1", &parts.line1, MAX_LINE)?,
            line2: optional("address line2", parts.line2, MAX_LINE)?,
            city: line_of_text("address city", &parts.city, MAX_CITY)?,
            state: optional("address state", parts.state, MAX_STATE)?,
            postal_code: optional("address postal_code", parts.postal_code, MAX_POSTAL_CODE)?,
            country: parts.country,
            location: parts.location,
        })
    }

    #[must_use]
    pub fn line1(&self) -> &str {
        &self.line1
    }

    #[must_use]
    pub fn line2(&self) -> Option<&str> {
        self.line2.as_deref()
    }

    #[must_use]
    pub fn city(&self) -> &str {
        &self.city
    }

    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    #[must_use]
    pub fn postal_code(&self) -> Option<&str> {
        self.postal_code.as_deref()
    }

    #[must_use]
    pub const fn country(&self) -> CountryCode {
        self.country
    }

    #[must_use]
    pub const fn location(&self) -> Option<GeoPoint> {
        self.location
    }

    /// What is left of it when the person who lives there is erased: country and state, which taxes and statistics
    /// need and many people share.
    #[must_use]
    pub fn erased(&self) -> Self {
        let gone = || ERASED.to_owned();
        let (state, country) = (self.state.clone(), self.country);
        Self { line1: gone(), line2: None, city: gone(), state, postal_code: None, country, location: None }
    }
}

fn optional(what: &'static str, text: Option<String>, max: usize) -> Result<Option<String>, Invalid> {
    text.filter(|text| !text.trim().is_empty()).map(|text| line_of_text(what, &text, max)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(json: Value) -> Result<Address, String> {
        serde_json::from_value(json).map_err(|error| error.to_string())
    }

    fn with(field: &str, value: impl Into<Value>) -> Value {
        let mut json = json!({"line1": "Calle 26 # 59-51", "city": "Bogotá", "country": "CO"});
        json[field] = value.into();
        json
    }

    #[test]
    fn of_an_erased_address_only_country_and_state_are_left() {
        let address = read(json!({
            "line1": "Calle 26 # 59-51", "line2": "Torre 3", "city": "Bogotá", "state": "Cundinamarca",
            "postal_code": "111321", "country": "CO", "location": {"lat": 4.6486, "lng": -74.0995},
        }));
        let left = address.unwrap().erased();
        let expected = json!({"line1": "erased", "city": "erased", "state": "Cundinamarca", "country": "CO"});
        assert_eq!(serde_json::to_value(&left).unwrap(), expected);
        assert_eq!(read(expected).unwrap(), left, "it is an address still");
    }

    #[test]
    fn an_address_reads_back_what_it_writes() {
        let json = json!({
            "line1": "Calle 26 # 59-51", "line2": "Torre 3", "city": "Bogotá", "state": "Cundinamarca",
            "postal_code": "111321", "country": "CO", "location": {"lat": 4.6486, "lng": -74.0995},
        });
        assert_eq!(serde_json::to_value(read(json.clone()).unwrap()).unwrap(), json);
    }

    #[test]
    fn texts_are_trimmed_and_empty_options_are_absent() {
        let address = read(with("line2", "  ")).unwrap();
        assert_eq!(address.line2(), None);
        assert_eq!(serde_json::to_value(&address).unwrap().get("line2"), None);
        assert_eq!(read(with("city", " Cali ")).unwrap().city(), "Cali");
    }

    #[test]
    fn each_text_has_its_limit() {
        for (field, max) in
            [("line1", 200), ("line2", 200), ("city", 100), ("state", 100), ("postal_code", 20)]
        {
            assert!(read(with(field, "ñ".repeat(max))).is_ok(), "{field}");
            let error = read(with(field, "ñ".repeat(max + 1))).unwrap_err();
            assert_eq!(error, format!("address {field}: must be at most {max} characters long"));
            assert!(read(with(field, "a\nb")).is_err(), "{field}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_refused_and_what_is_unknown_is_passed_over() {
        assert_eq!(read(with("line1", " ")).unwrap_err(), "address line1: must not be empty");
        assert_eq!(read(with("city", "")).unwrap_err(), "address city: must not be empty");
        assert!(read(with("country", "Colombia")).is_err());
        assert!(read(with("location", json!({"lat": 91.0, "lng": 0.0}))).is_err());
        // An event of a newer version may say more; the edge refuses what a request says too much.
        assert!(read(with("zip", "111321")).is_ok());
        assert!(read(json!({"line1": "Calle 26", "city": "Bogotá"})).unwrap_err().contains("country"));
    }
}
