//! Shapes that several events share.

use quenty_kernel::{
    address::Address,
    contact::{Email, Phone, Text},
    country::CountryCode,
    measure::{Dimensions, Grams},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Someone at an address: sender or consignee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Party {
    pub name: Text<120>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    pub address: Address,
}

impl Party {
    /// What is left of a person who is erased.
    #[must_use]
    pub fn erased(&self) -> Self {
        Self { name: Text::erased(), phone: None, email: None, address: self.address.erased() }
    }

    #[must_use]
    pub fn is_erased(&self) -> bool {
        *self == self.erased()
    }
}

/// One physical parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Parcel {
    pub weight_grams: Grams,
    /// Outer dimensions, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<Dimensions>,
    #[serde(default)]
    pub fragile: bool,
}

/// What a parcel holds, as customs want to know it. Value and weight are those of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Item {
    pub sku: String,
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hs_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<CountryCode>,
    pub quantity: u32,
    pub unit_value: Money,
    pub unit_weight_grams: Grams,
}
