//! What a merchant sells. Must never know how much of it there is: that is stock.

mod open_box;

use std::str::FromStr;

use quenty_contracts::order::{
    ProductArchived, ProductCreated, ProductUpdated, StockFellLow, StockRecovered,
};
use quenty_kernel::{
    Invalid, Timestamp,
    contact::Text,
    country::CountryCode,
    id::{CompanyId, ProductId},
    measure::{Dimensions, Grams},
    money::Money,
};
use serde::Deserialize;

/// The merchant's own name of a product, unique in the company without regard to case.
pub(crate) type Sku = Text<64>;

quenty_kernel::facts! {
    pub(crate) enum ProductFact {
        Created(ProductCreated),
        Updated(ProductUpdated),
        Archived(ProductArchived),
        FellLow(StockFellLow),
        Recovered(StockRecovered),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProductError {
    #[error("there is no such product")]
    NotFound,
    #[error("another product of the company has this SKU")]
    SkuTaken,
    #[error("the product is archived")]
    Archived,
    #[error("the {0} is negative")]
    Negative(&'static str),
}

/// A code of the Harmonized System: six digits for the world, up to four more for a country.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct HsCode(String);

impl TryFrom<String> for HsCode {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl HsCode {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A code that was checked when it came in.
    pub(crate) fn known(digits: String) -> Self {
        Self(digits)
    }
}

impl FromStr for HsCode {
    type Err = Invalid;

    /// Reads `6109.10.00` as well as `61091000`.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits: String = text.trim().chars().filter(|c| *c != '.').collect();
        let is_valid = (6..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_valid
            .then_some(Self(digits))
            .ok_or_else(|| Invalid::new("HS code", "must have 6 to 10 digits, such as 6109.10"))
    }
}

/// What a merchant says of a product and may change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProductDetails {
    pub(crate) name: Text<200>,
    pub(crate) description: Option<Text<2000>>,
    pub(crate) category: Option<Text<100>>,
    pub(crate) price: Money,
    pub(crate) cost: Option<Money>,
    pub(crate) weight_grams: Grams,
    pub(crate) dimensions: Option<Dimensions>,
    pub(crate) hs_code: Option<HsCode>,
    pub(crate) country_of_origin: Option<CountryCode>,
    /// Stock is low at this many available pieces; none: never.
    pub(crate) reorder_point: Option<u32>,
    pub(crate) reorder_quantity: Option<u32>,
    pub(crate) lead_time_days: Option<u16>,
    /// Made by an import from an unknown SKU; weight and size are assumptions.
    pub(crate) estimated: bool,
}

impl ProductDetails {
    fn checked(self) -> Result<Self, ProductError> {
        self.price.non_negative().map_err(|_| ProductError::Negative("price"))?;
        self.cost.map(Money::non_negative).transpose().map_err(|_| ProductError::Negative("cost"))?;
        Ok(self)
    }
}

/// What an update sets; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProductChanges {
    pub(crate) name: Option<Text<200>>,
    pub(crate) description: Option<Option<Text<2000>>>,
    pub(crate) category: Option<Option<Text<100>>>,
    pub(crate) price: Option<Money>,
    pub(crate) cost: Option<Option<Money>>,
    pub(crate) weight_grams: Option<Grams>,
    pub(crate) dimensions: Option<Option<Dimensions>>,
    pub(crate) hs_code: Option<Option<HsCode>>,
    pub(crate) country_of_origin: Option<Option<CountryCode>>,
    pub(crate) reorder_point: Option<Option<u32>>,
    pub(crate) reorder_quantity: Option<Option<u32>>,
    pub(crate) lead_time_days: Option<Option<u16>>,
}

impl ProductChanges {
    fn onto(self, old: &ProductDetails) -> ProductDetails {
        let old = old.clone();
        ProductDetails {
            // Who states the weight vouches for it.
            estimated: old.estimated && self.weight_grams.is_none(),
            name: self.name.unwrap_or(old.name),
            description: self.description.unwrap_or(old.description),
            category: self.category.unwrap_or(old.category),
            price: self.price.unwrap_or(old.price),
            cost: self.cost.unwrap_or(old.cost),
            weight_grams: self.weight_grams.unwrap_or(old.weight_grams),
            dimensions: self.dimensions.unwrap_or(old.dimensions),
            hs_code: self.hs_code.unwrap_or(old.hs_code),
            country_of_origin: self.country_of_origin.unwrap_or(old.country_of_origin),
            reorder_point: self.reorder_point.unwrap_or(old.reorder_point),
            reorder_quantity: self.reorder_quantity.unwrap_or(old.reorder_quantity),
            lead_time_days: self.lead_time_days.unwrap_or(old.lead_time_days),
        }
    }
}

/// Archived is the end: what was sold keeps its product, and nobody can order it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProductStatus {
    Active,
    Archived,
}

impl ProductStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

impl FromStr for ProductStatus {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        [Self::Active, Self::Archived]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Invalid::new("product status", "must be active or archived"))
    }
}

/// A product and all that its row keeps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProductState {
    pub(crate) id: ProductId,
    pub(crate) company_id: CompanyId,
    pub(crate) sku: Sku,
    pub(crate) details: ProductDetails,
    pub(crate) status: ProductStatus,
    pub(crate) low_stock: bool,
    /// How often the merchant changed it; the alarm of low stock does not count.
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Product(ProductState);

impl Product {
    pub(crate) fn create(
        company_id: CompanyId,
        sku: Sku,
        details: ProductDetails,
        now: Timestamp,
    ) -> Result<(Self, ProductFact), ProductError> {
        let details = details.checked()?;
        let created = ProductCreated {
            product_id: ProductId::new(),
            company_id,
            sku,
            name: details.name,
            description: details.description,
            category: details.category,
            price: details.price,
            cost: details.cost,
            weight_grams: details.weight_grams,
            dimensions: details.dimensions,
            hs_code: details.hs_code.map(|code| code.0),
            country_of_origin: details.country_of_origin,
            reorder_point: details.reorder_point,
            reorder_quantity: details.reorder_quantity,
            lead_time_days: details.lead_time_days,
            estimated: details.estimated,
        };
        Ok((Self::created(created.clone(), now), created.into()))
    }

    /// Nothing to tell when nothing changes.
    pub(crate) fn update(
        &mut self,
        changes: ProductChanges,
        now: Timestamp,
    ) -> Result<Option<ProductFact>, ProductError> {
        if self.0.status == ProductStatus::Archived {
            return Err(ProductError::Archived);
        }
        let details = changes.onto(&self.0.details).checked()?;
        if details == self.0.details {
            return Ok(None);
        }
        let updated = ProductUpdated {
            product_id: self.0.id,
            company_id: self.0.company_id,
            name: details.name,
            description: details.description,
            category: details.category,
            price: details.price,
            cost: details.cost,
            weight_grams: details.weight_grams,
            dimensions: details.dimensions,
            hs_code: details.hs_code.map(|code| code.0),
            country_of_origin: details.country_of_origin,
            reorder_point: details.reorder_point,
            reorder_quantity: details.reorder_quantity,
            lead_time_days: details.lead_time_days,
            estimated: details.estimated,
        };
        let fact = updated.into();
        self.apply(&fact, now);
        Ok(Some(fact))
    }

    /// Archiving twice is archiving.
    pub(crate) fn archive(&mut self, now: Timestamp) -> Option<ProductFact> {
        if self.0.status == ProductStatus::Archived {
            return None;
        }
        let fact = ProductArchived { product_id: self.0.id, company_id: self.0.company_id }.into();
        self.apply(&fact, now);
        Some(fact)
    }

    fn created(fact: ProductCreated, now: Timestamp) -> Self {
        Self(ProductState {
            id: fact.product_id,
            company_id: fact.company_id,
            sku: fact.sku,
            details: ProductDetails {
                name: fact.name,
                description: fact.description,
                category: fact.category,
                price: fact.price,
                cost: fact.cost,
                weight_grams: fact.weight_grams,
                dimensions: fact.dimensions,
                hs_code: fact.hs_code.map(HsCode),
                country_of_origin: fact.country_of_origin,
                reorder_point: fact.reorder_point,
                reorder_quantity: fact.reorder_quantity,
                lead_time_days: fact.lead_time_days,
                estimated: fact.estimated,
            },
            status: ProductStatus::Active,
            low_stock: false,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    fn apply(&mut self, fact: &ProductFact, now: Timestamp) {
        let state = &mut self.0;
        match fact {
            ProductFact::Created(_) => return,
            ProductFact::FellLow(_) => return state.low_stock = true,
            ProductFact::Recovered(_) => return state.low_stock = false,
            ProductFact::Archived(_) => state.status = ProductStatus::Archived,
            ProductFact::Updated(fact) => {
                let fact = fact.clone();
                state.details = ProductDetails {
                    name: fact.name,
                    description: fact.description,
                    category: fact.category,
                    price: fact.price,
                    cost: fact.cost,
                    weight_grams: fact.weight_grams,
                    dimensions: fact.dimensions,
                    hs_code: fact.hs_code.map(HsCode),
                    country_of_origin: fact.country_of_origin,
                    reorder_point: fact.reorder_point,
                    reorder_quantity: fact.reorder_quantity,
                    lead_time_days: fact.lead_time_days,
                    estimated: fact.estimated,
                };
                // Without a reorder point there is no alarm that could end.
                state.low_stock &= fact.reorder_point.is_some();
            }
        }
        state.version += 1;
        state.updated_at = now;
    }

    /// Rebuilds the product from its facts.
    #[cfg(test)]
    pub(crate) fn fold(facts: impl IntoIterator<Item = (ProductFact, Timestamp)>) -> Option<Self> {
        facts.into_iter().fold(None, |product: Option<Self>, (fact, at)| match (product, fact) {
            (None, ProductFact::Created(created)) => Some(Self::created(created, at)),
            (Some(mut product), fact) => {
                product.apply(&fact, at);
                Some(product)
            }
            (None, _) => None,
        })
    }

    /// The way back from storage.
    pub(crate) fn from_state(state: ProductState) -> Self {
        Self(state)
    }
    pub(crate) fn state(&self) -> &ProductState {
        &self.0
    }
    pub(crate) fn id(&self) -> ProductId {
        self.0.id
    }
    pub(crate) fn company_id(&self) -> CompanyId {
        self.0.company_id
    }
    pub(crate) fn sku(&self) -> &Sku {
        &self.0.sku
    }
    pub(crate) fn details(&self) -> &ProductDetails {
        &self.0.details
    }
    pub(crate) fn version(&self) -> i64 {
        self.0.version
    }
    pub(crate) fn is_active(&self) -> bool {
        self.0.status == ProductStatus::Active
    }
}

#[cfg(test)]
mod tests;
