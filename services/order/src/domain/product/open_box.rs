//! Opened goods are not sold as new: a product has a sibling for them.

use quenty_kernel::{Invalid, money::Money};

use super::{Product, ProductDetails, Sku};

/// What a sibling's SKU ends with.
const SKU_ENDS: &str = "-OPENBOX";
const NAME_ENDS: &str = " (open box)";
const SKU_MAX: usize = 64;
const NAME_MAX: usize = 200;
/// So much of its id tells a product from others whose long SKUs begin alike.
const ID_ENDS: usize = 10;

impl Product {
    /// An open box that is opened once more stays one.
    pub(crate) fn is_open_box(&self) -> bool {
        self.sku().as_str().to_uppercase().ends_with(SKU_ENDS)
    }

    pub(crate) fn open_box_sku(&self) -> Result<Sku, Invalid> {
        let sku = self.sku().as_str();
        if sku.chars().count() + SKU_ENDS.len() <= SKU_MAX {
            return format!("{sku}{SKU_ENDS}").parse();
        }
        let id = self.id().to_string();
        let id = id.get(id.len() - ID_ENDS..).unwrap_or_default();
        let begins: String = sku.chars().take(SKU_MAX - SKU_ENDS.len() - 1 - ID_ENDS).collect();
        format!("{begins}-{id}{SKU_ENDS}").parse()
    }

    /// The same goods at another price; nobody orders them anew. A piece that was free, or sold in another currency,
    /// says nothing of what the next ones are worth: then the price stays.
    pub(crate) fn open_box_details(&self, price: Money) -> Result<ProductDetails, Invalid> {
        let sold = self.details().clone();
        let is_known = !price.is_zero() && price.currency() == sold.price.currency();
        let name: String = sold.name.as_str().chars().take(NAME_MAX - NAME_ENDS.len()).collect();
        Ok(ProductDetails {
            name: format!("{}{NAME_ENDS}", name.trim_end()).parse()?,
            price: if is_known { price } else { sold.price },
            cost: None,
            reorder_point: None,
            reorder_quantity: None,
            lead_time_days: None,
            ..sold
        })
    }
}
