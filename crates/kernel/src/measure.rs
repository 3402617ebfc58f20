//! Weights, lengths and rates, each in one unit that its name says.
//!
//! Must never hold a float: what is weighed and measured is compared with limits and priced.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::invalid::Invalid;

/// A weight in whole grams: 1 g to 1 t, beyond which a parcel is freight or a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 1_000_000, example = 1_200)]
pub struct Grams(u32);

/// A length in whole millimetres, 1 mm to 10 m.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 10_000, example = 300)]
pub struct Millimeters(u32);

/// A rate in basis points, hundredths of a percent: 1900 is 19 %; at most 1000 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u32")]
#[schema(value_type = u32, minimum = 0, maximum = 100_000, example = 1_900)]
pub struct Bps(u32);

macro_rules! bounded {
    ($name:ident, $what:literal, $unit:literal, $min:literal, $max:literal) => {
        impl $name {
            pub const MIN: Self = Self($min);
            pub const MAX: Self = Self($max);

            pub fn new(value: u32) -> Result<Self, Invalid> {
                if (Self::MIN.0..=Self::MAX.0).contains(&value) {
                    Ok(Self(value))
                } else {
                    Err(Invalid::new($what, format!("must lie between {} and {} {}", $min, $max, $unit)))
                }
            }

            #[must_use]
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<u32> for $name {
            type Error = Invalid;
            fn try_from(value: u32) -> Result<Self, Invalid> {
                Self::new(value)
            }
        }

        impl From<$name> for u32 {
            fn from(value: $name) -> u32 {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{} ", $unit), self.0)
            }
        }
    };
}

bounded!(Grams, "weight", "g", 1, 1_000_000);
bounded!(Millimeters, "length", "mm", 1, 10_000);
bounded!(Bps, "rate", "basis points", 0, 100_000);

/// The outer dimensions of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"length_mm": 300, "width_mm": 200, "height_mm": 150}))]
pub struct Dimensions {
    length_mm: Millimeters,
    width_mm: Millimeters,
    height_mm: Millimeters,
}

impl Dimensions {
    #[must_use]
    pub const fn new(length_mm: Millimeters, width_mm: Millimeters, height_mm: Millimeters) -> Self {
        Self { length_mm, width_mm, height_mm }
    }

    #[must_use]
    pub const fn length_mm(self) -> Millimeters {
        self.length_mm
    }

    #[must_use]
    pub const fn width_mm(self) -> Millimeters {
        self.width_mm
    }

    #[must_use]
    pub const fn height_mm(self) -> Millimeters {
        self.height_mm
    }

    /// The volume in started cubic centimetres.
    #[must_use]
    pub fn volume_cm3(self) -> u64 {
        let sides = [self.length_mm, self.width_mm, self.height_mm];
        sides.into_iter().map(|side| u64::from(side.0)).product::<u64>().div_ceil(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_belong_to_the_range() {
        assert!(Grams::new(0).is_err() && Grams::new(1_000_001).is_err());
        assert!(Grams::new(1).is_ok() && Grams::new(1_000_000).is_ok());
        assert!(Millimeters::new(0).is_err() && Millimeters::new(10_001).is_err());
        assert!(Bps::new(0).is_ok() && Bps::new(100_001).is_err());
    }

    #[test]
    fn json_goes_through_the_constructor() {
        assert_eq!(serde_json::from_str::<Grams>("1200").unwrap().get(), 1_200);
        let error = serde_json::from_str::<Grams>("0").unwrap_err().to_string();
        assert!(error.starts_with("weight: must lie between 1 and 1000000 g"), "{error}");
        for json in ["-1", "1.5", r#""12""#, "null", "4294967296"] {
            assert!(serde_json::from_str::<Grams>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_started_cubic_centimetre_counts_whole() {
        let volume = |length, width, height| {
            let mm = |value| Millimeters::new(value).unwrap();
            Dimensions::new(mm(length), mm(width), mm(height)).volume_cm3()
        };
        assert_eq!(volume(1, 1, 1), 1);
        assert_eq!(volume(10, 10, 10), 1);
        assert_eq!(volume(10, 10, 11), 2);
        assert_eq!(volume(10_000, 10_000, 10_000), 1_000_000_000);
    }

    #[test]
    fn dimensions_read_back_and_pass_over_what_is_unknown() {
        let json = r#"{"length_mm":300,"width_mm":200,"height_mm":150}"#;
        let dimensions: Dimensions = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&dimensions).unwrap(), json);
        assert!(serde_json::from_str::<Dimensions>(&json.replace("height_mm", "depth_mm")).is_err());
        // An event of a newer version may say more; the edge refuses what a request says too much.
        assert_eq!(
            serde_json::from_str::<Dimensions>(&json.replace('}', r#","depth_mm":1}"#)).unwrap(),
            dimensions
        );
    }
}
