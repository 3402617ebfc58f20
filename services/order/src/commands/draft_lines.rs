//! Lines as people order them become lines of an order: priced from the catalogue, added up, packed.

use std::collections::BTreeMap;

use quenty_contracts::{
    order::{OrderLine, OrderTotals},
    party::{Item, Parcel},
};
use quenty_kernel::{
    id::{CompanyId, ProductId},
    money::Money,
};
use sqlx::PgConnection;

use crate::{
    Error,
    domain::{
        order::totals::{self, Extras, LineDraft, Sold},
        placing::PlacingError,
        product::Product,
        stock::sum_by_product,
    },
    store,
};

/// Which product a line is about.
#[derive(Debug, Clone)]
pub(crate) enum ProductRef {
    Id(ProductId),
    Sku(String),
}

/// A line as it was ordered. Without a price, the catalogue's holds.
#[derive(Debug, Clone)]
pub(crate) struct NewLine {
    pub(crate) product: ProductRef,
    pub(crate) quantity: u32,
    pub(crate) unit_price: Option<Money>,
    pub(crate) discount: Option<Money>,
    pub(crate) tax: Option<Money>,
}

/// Lines that can be placed.
#[derive(Debug, Clone)]
pub(super) struct Drafted {
    pub(super) lines: Vec<OrderLine>,
    pub(super) totals: OrderTotals,
    pub(super) items: Vec<Item>,
    pub(super) parcels: Vec<Parcel>,
    pub(super) wants: BTreeMap<ProductId, u32>,
}

pub(super) async fn draft_lines(
    conn: &mut PgConnection,
    company: CompanyId,
    lines: &[NewLine],
    extras: Extras,
    expected_total: Option<Money>,
) -> Result<Drafted, Error> {
    let (mut ids, mut skus) = (Vec::new(), Vec::new());
    for line in lines {
        match &line.product {
            ProductRef::Id(id) => ids.push(*id),
            ProductRef::Sku(sku) => skus.push(sku.clone()),
        }
    }
    let products = store::products::named(conn, company, &ids, &skus).await?;
    drafted(lines, &products, extras, expected_total)
}

/// As [`draft_lines`], of products that are known.
pub(super) fn drafted(
    lines: &[NewLine],
    products: &[Product],
    extras: Extras,
    expected_total: Option<Money>,
) -> Result<Drafted, Error> {
    let drafts = lines
        .iter()
        .enumerate()
        .map(|(index, line)| draft(index, line, products))
        .collect::<Result<Vec<_>, _>>()?;
    let (lines, totals) = totals::add_up(&drafts, extras)?;
    if expected_total.is_some_and(|expected| expected != totals.total) {
        return Err(PlacingError::TotalMismatch(Box::new(totals)).into());
    }
    let (items, parcels) = (totals::items(&drafts, &lines, &totals)?, totals::parcels(&drafts)?);
    let wants = sum_by_product(lines.iter().map(|line| (line.product_id, line.quantity)))?;
    Ok(Drafted { lines, totals, items, parcels, wants })
}

fn draft(index: usize, line: &NewLine, products: &[Product]) -> Result<LineDraft, PlacingError> {
    let is_meant = |product: &&Product| match &line.product {
        ProductRef::Id(id) => product.id() == *id,
        ProductRef::Sku(sku) => product.sku().as_str().to_lowercase() == sku.to_lowercase(),
    };
    let product = products.iter().find(is_meant).ok_or(PlacingError::UnknownProduct { line: index })?;
    if !product.is_active() {
        return Err(PlacingError::ArchivedProduct { line: index });
    }
    let details = product.details();
    let sold = Sold {
        product_id: product.id(),
        sku: product.sku().as_str().to_owned(),
        name: details.name.as_str().to_owned(),
        unit_weight: details.weight_grams,
        dimensions: details.dimensions,
        hs_code: details.hs_code.as_ref().map(|code| code.as_str().to_owned()),
        country_of_origin: details.country_of_origin,
    };
    let unit_price = line.unit_price.unwrap_or(details.price);
    Ok(LineDraft { sold, quantity: line.quantity, unit_price, discount: line.discount, tax: line.tax })
}
