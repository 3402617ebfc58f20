//! A service area: where we collect, when, how much at a time and for how much.

use jiff::{Timestamp, civil::Date};
use quenty_kernel::{
    Event, Invalid,
    address::Address,
    contact::{Text, TimeZoneName},
    country::CountryCode,
    currency::Currency,
    geo::{GeoPoint, Polygon},
    id::ServiceAreaId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{fees::FeeTable, hours::WeeklyHours};

const MAX_PREFIXES: usize = 500;
const MAX_HOLIDAYS: usize = 400;

/// The beginning of postal codes, in capitals, without spaces and dashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 12, example = "1113")]
pub(crate) struct PostalPrefix(String);

impl PostalPrefix {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The form in which postal codes are compared.
pub(crate) fn plain_postal_code(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

impl TryFrom<String> for PostalPrefix {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let plain = plain_postal_code(&text);
        if (1..=12).contains(&plain.len()) && plain.is_ascii() {
            Ok(Self(plain))
        } else {
            Err(Invalid::new("postal prefix", "must be 1 to 12 letters or digits"))
        }
    }
}

impl From<PostalPrefix> for String {
    fn from(prefix: PostalPrefix) -> String {
        prefix.0
    }
}

macro_rules! bounded {
    ($(#[$meta:meta])* $name:ident, $what:literal, $min:literal, $max:literal) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "u16", into = "u16")]
        $(#[$meta])*
        pub(crate) struct $name(u16);

        impl $name {
            pub(crate) const fn get(self) -> u16 {
                self.0
            }
        }

        impl TryFrom<u16> for $name {
            type Error = Invalid;
            fn try_from(value: u16) -> Result<Self, Invalid> {
                if ($min..=$max).contains(&value) {
                    Ok(Self(value))
                } else {
                    Err(Invalid::new($what, format!("must lie between {} and {}", $min, $max)))
                }
            }
        }

        impl From<$name> for u16 {
            fn from(value: $name) -> u16 {
                value.0
            }
        }
    };
}

bounded!(
    /// The length of a slot; the last one of a day ends with the hours.
    #[schema(value_type = u16, minimum = 15, maximum = 720)]
    SlotMinutes, "slot length in minutes", 15, 720
);
bounded!(
    /// How many pickups one slot takes.
    #[schema(value_type = u16, minimum = 1, maximum = 10_000)]
    SlotCapacity, "capacity of a slot", 1, 10_000
);

/// What an operator decides about an area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AreaDefinition {
    pub(crate) name: Text<80>,
    pub(crate) country: CountryCode,
    pub(crate) polygon: Option<Polygon>,
    pub(crate) postal_prefixes: Vec<PostalPrefix>,
    pub(crate) time_zone: TimeZoneName,
    pub(crate) hours: WeeklyHours,
    /// Local dates on which nobody comes.
    pub(crate) holidays: Vec<Date>,
    pub(crate) slot_minutes: SlotMinutes,
    pub(crate) capacity_per_slot: SlotCapacity,
    pub(crate) currency: Currency,
    pub(crate) fees: FeeTable,
    pub(crate) express: bool,
    pub(crate) active: bool,
}

impl AreaDefinition {
    /// Puts the lists in order and checks what no single field can say.
    pub(crate) fn checked(mut self) -> Result<Self, Invalid> {
        self.postal_prefixes.sort();
        self.postal_prefixes.dedup();
        self.holidays.sort();
        self.holidays.dedup();
        if self.polygon.is_none() && self.postal_prefixes.is_empty() {
            return Err(Invalid::new("service area", "must have a polygon, postal prefixes, or both"));
        }
        if self.postal_prefixes.len() > MAX_PREFIXES || self.holidays.len() > MAX_HOLIDAYS {
            let why = format!("may have {MAX_PREFIXES} postal prefixes and {MAX_HOLIDAYS} holidays at most");
            return Err(Invalid::new("service area", why));
        }
        Ok(self)
    }

    fn contains(&self, location: GeoPoint) -> bool {
        self.polygon.as_ref().is_some_and(|polygon| polygon.contains(location))
    }

    /// The length of the longest prefix that the postal code begins with.
    fn matched_prefix(&self, postal_code: &str) -> Option<usize> {
        let matching = self.postal_prefixes.iter().filter(|prefix| postal_code.starts_with(prefix.as_str()));
        matching.map(|prefix| prefix.as_str().len()).max()
    }

    /// In square degrees: enough to tell a district from the city around it.
    fn extent(&self) -> f64 {
        self.polygon.as_ref().map_or(f64::MAX, |polygon| {
            let (low, high) = (polygon.bounding_box().south_west(), polygon.bounding_box().north_east());
            (high.lat() - low.lat()) * (high.lng() - low.lng())
        })
    }
}

/// A service area as it stands.
#[derive(Debug, Clone)]
pub(crate) struct ServiceArea {
    pub(crate) id: ServiceAreaId,
    pub(crate) definition: AreaDefinition,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceAreaCreated {
    pub(crate) definition: AreaDefinition,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceAreaUpdated {
    pub(crate) definition: AreaDefinition,
}

impl Event for ServiceAreaCreated {
    const TYPE: &'static str = "quenty.pickup.service_area.created.v1";
    const PUBLISHED: bool = false;
}

impl Event for ServiceAreaUpdated {
    const TYPE: &'static str = "quenty.pickup.service_area.updated.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum ServiceAreaFact { Created(ServiceAreaCreated), Updated(ServiceAreaUpdated) }
}

impl ServiceArea {
    pub(crate) fn create(
        id: ServiceAreaId,
        definition: AreaDefinition,
        now: Timestamp,
    ) -> (Self, ServiceAreaFact) {
        let fact = ServiceAreaCreated { definition: definition.clone() };
        (Self { id, definition, version: 1, created_at: now, updated_at: now }, fact.into())
    }

    pub(crate) fn update(&mut self, definition: AreaDefinition, now: Timestamp) -> ServiceAreaFact {
        self.definition = definition;
        self.version += 1;
        self.updated_at = now;
        ServiceAreaUpdated { definition: self.definition.clone() }.into()
    }
}

/// Where someone wants to be served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) country: Option<CountryCode>,
    /// In the form of [`plain_postal_code`].
    pub(crate) postal_code: Option<String>,
    pub(crate) location: Option<GeoPoint>,
}

impl Place {
    pub(crate) fn new(
        country: Option<CountryCode>,
        postal_code: Option<&str>,
        location: Option<GeoPoint>,
    ) -> Self {
        let postal_code = postal_code.map(plain_postal_code).filter(|code| !code.is_empty());
        Self { country, postal_code, location }
    }

    /// The area that serves this place: the smallest polygon around it, else the longest postal prefix.
    /// Postal codes mean something within their country only.
    pub(crate) fn choose(&self, areas: Vec<ServiceArea>) -> Option<ServiceArea> {
        let here = |area: &ServiceArea| self.country.is_none_or(|country| country == area.definition.country);
        let around = self.location.and_then(|location| {
            let inside = areas.iter().filter(|area| here(area) && area.definition.contains(location));
            inside
                .min_by(|a, b| a.definition.extent().total_cmp(&b.definition.extent()).then(a.id.cmp(&b.id)))
        });
        let chosen = around.or_else(|| {
            let code = self.postal_code.as_deref().filter(|_| self.country.is_some())?;
            let matching = areas.iter().filter(|area| here(area));
            let ranked = matching.filter_map(|area| Some((area.definition.matched_prefix(code)?, area)));
            ranked.max_by_key(|(length, area)| (*length, std::cmp::Reverse(area.id))).map(|(_, area)| area)
        })?;
        let id = chosen.id;
        areas.into_iter().find(|area| area.id == id)
    }
}

impl From<&Address> for Place {
    fn from(address: &Address) -> Self {
        Self::new(Some(address.country()), address.postal_code(), address.location())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::fees::FeeTableIn;

    /// An area open on weekdays from 8 to 18 in slots of two hours.
    pub(crate) fn area(time_zone: &str, hours: serde_json::Value) -> ServiceArea {
        let definition = AreaDefinition {
            name: "Centro".parse().unwrap(),
            country: CountryCode::MX,
            polygon: None,
            postal_prefixes: vec![PostalPrefix::try_from("06".to_owned()).unwrap()],
            time_zone: time_zone.parse().unwrap(),
            hours: serde_json::from_value(hours).unwrap(),
            holidays: vec![],
            slot_minutes: SlotMinutes(120),
            capacity_per_slot: SlotCapacity(10),
            currency: Currency::MXN,
            fees: FeeTable::new(Currency::MXN, &FeeTableIn::default()).unwrap(),
            express: true,
            active: true,
        };
        ServiceArea::create(ServiceAreaId::new(), definition, Timestamp::UNIX_EPOCH).0
    }

    fn with(country: CountryCode, prefixes: &[&str], ring: Option<serde_json::Value>) -> ServiceArea {
        let mut area =
            area("America/Mexico_City", json!([{"day": "monday", "opens": "08:00", "closes": "18:00"}]));
        area.definition.country = country;
        area.definition.postal_prefixes =
            prefixes.iter().map(|p| PostalPrefix::try_from((*p).to_owned()).unwrap()).collect();
        area.definition.polygon = ring.map(|ring| serde_json::from_value(ring).unwrap());
        area
    }

    #[test]
    fn a_place_is_served_by_the_smallest_polygon_then_by_the_longest_prefix_of_its_country() {
        let city =
            with(CountryCode::MX, &["06"], Some(json!([[-100, 19], [-98, 19], [-98, 20], [-100, 20]])));
        let district = with(
            CountryCode::MX,
            &[],
            Some(json!([[-99.2, 19.4], [-99.1, 19.4], [-99.1, 19.5], [-99.2, 19.5]])),
        );
        let prefix = with(CountryCode::MX, &["067"], None);
        let abroad = with(CountryCode::CO, &["06700"], None);
        let all = || vec![city.clone(), district.clone(), prefix.clone(), abroad.clone()];
        let at = |country: Option<CountryCode>, code: Option<&str>, location: Option<(f64, f64)>| {
            let location = location.map(|(lat, lng)| GeoPoint::new(lat, lng).unwrap());
            Place::new(country, code, location).choose(all()).map(|area| area.id)
        };
        let mx = Some(CountryCode::MX);
        assert_eq!(at(mx, None, Some((19.45, -99.15))), Some(district.id));
        assert_eq!(at(mx, Some("06700"), Some((19.8, -98.5))), Some(city.id));
        assert_eq!(at(mx, Some("067 00"), Some((0.0, 0.0))), Some(prefix.id));
        assert_eq!(at(mx, Some("06100"), None), Some(city.id));
        assert_eq!(at(Some(CountryCode::CO), Some("06700"), None), Some(abroad.id));
        assert_eq!(at(None, Some("06700"), None), None);
        assert_eq!(at(mx, Some("99999"), None), None);
        assert_eq!(at(mx, None, None), None);
    }
}
