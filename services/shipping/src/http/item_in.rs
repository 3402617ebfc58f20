//! What a parcel holds, as a caller says it: checked before it becomes the [`Item`] of the published language.

use quenty_contracts::party::Item;
use quenty_kernel::{Invalid, contact::Text, country::CountryCode, measure::Grams, money::Money};
use serde::Deserialize;
use utoipa::ToSchema;

const MAX_PIECES: u32 = 1_000_000;

/// Some pieces of one kind of goods. Value and weight are those of one piece.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemIn {
    sku: Text<64>,
    description: Text<200>,
    #[serde(default)]
    hs_code: Option<HsCode>,
    #[serde(default)]
    origin: Option<CountryCode>,
    quantity: Pieces,
    unit_value: UnitValue,
    unit_weight_grams: Grams,
}

impl From<ItemIn> for Item {
    fn from(item: ItemIn) -> Self {
        Self {
            sku: item.sku.into(),
            description: item.description.into(),
            hs_code: item.hs_code.map(|code| code.0),
            origin: item.origin,
            quantity: item.quantity.0,
            unit_value: item.unit_value.0,
            unit_weight_grams: item.unit_weight_grams,
        }
    }
}

pub(super) fn items(items: Vec<ItemIn>) -> Vec<Item> {
    items.into_iter().map(Item::from).collect()
}

/// A code of the Harmonized System: six digits for the world, up to four more for a country.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, example = "0901.21")]
struct HsCode(String);

impl TryFrom<String> for HsCode {
    type Error = Invalid;

    /// Reads `0901.21` as well as `090121`.
    fn try_from(text: String) -> Result<Self, Invalid> {
        let digits: String = text.trim().chars().filter(|c| *c != '.').collect();
        let is_valid = (6..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_valid
            .then_some(Self(digits))
            .ok_or_else(|| Invalid::new("HS code", "must have 6 to 10 digits, such as 0901.21"))
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 1_000_000, example = 2)]
struct Pieces(u32);

impl TryFrom<u32> for Pieces {
    type Error = Invalid;

    fn try_from(pieces: u32) -> Result<Self, Invalid> {
        (1..=MAX_PIECES)
            .contains(&pieces)
            .then_some(Self(pieces))
            .ok_or_else(|| Invalid::new("quantity", format!("must lie between 1 and {MAX_PIECES}")))
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "Money")]
#[schema(value_type = Money)]
struct UnitValue(Money);

impl TryFrom<Money> for UnitValue {
    type Error = Invalid;

    fn try_from(value: Money) -> Result<Self, Invalid> {
        value.non_negative().map(Self).map_err(|_| Invalid::new("unit value", "must not be negative"))
    }
}
