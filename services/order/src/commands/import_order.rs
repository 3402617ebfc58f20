//! Places an order from elsewhere: unknown products are made, and what is short is received or backordered.

use quenty_kernel::{
    Timestamp,
    id::{CompanyId, CustomerId},
    measure::{Dimensions, Grams},
};
use quenty_platform::Tx;
use sqlx::PgConnection;

use super::{
    NewLine, NewOrder, ProductRef, WhenShort, create_product,
    draft_lines::drafted,
    place_order::{Placed, place_order, quote_order, warehouse},
};
use crate::{
    Error,
    domain::{
        import::{Assumption, ImportedOrder},
        order::{OrderKind, Status, totals::Extras},
        placing::PaidBefore,
        product::{Product, ProductDetails, Sku},
        standing::KnownStanding,
    },
    store,
};

/// What an unknown product weighs and measures until somebody says otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    pub(crate) weight: Grams,
    pub(crate) dimensions: Dimensions,
}

/// How the orders of one import are placed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Importing {
    pub(crate) company_id: CompanyId,
    pub(crate) estimate: Estimate,
    /// Receive what is short, instead of leaving the order backordered.
    pub(crate) assume_stock: bool,
}

/// Places the order and notes every assumption in it.
///
/// # Errors
/// As [`place_order`]: what the order's own rules say against it.
pub(crate) async fn import_order(
    tx: &mut Tx,
    importing: &Importing,
    standing: KnownStanding,
    customer_id: Option<CustomerId>,
    imported: &mut ImportedOrder,
) -> Result<(), Error> {
    estimate_products(tx, importing, imported).await?;
    let placed = place_order(tx, new_order(importing, standing, customer_id, imported)).await?;
    note(imported, &placed);
    Ok(())
}

/// What [`import_order`] would do; the caller lets the transaction go. Says which products it would make.
///
/// # Errors
/// As [`import_order`].
pub(crate) async fn try_import_order(
    tx: &mut Tx,
    importing: &Importing,
    standing: KnownStanding,
    imported: &mut ImportedOrder,
) -> Result<Vec<Sku>, Error> {
    let estimated = estimate_products(tx, importing, imported).await?;
    let (new, now) = (new_order(importing, standing, None, imported), tx.now());
    let quoted = quote_order(tx.conn(), new, now).await?;
    note(imported, &quoted);
    Ok(estimated)
}

/// Refuses what [`import_order`] would, whatever is in stock and wherever it lies. Writes nothing.
///
/// # Errors
/// As [`import_order`], but not that the order may not go abroad.
pub(crate) async fn check_import(
    conn: &mut PgConnection,
    importing: &Importing,
    standing: KnownStanding,
    imported: &ImportedOrder,
    now: Timestamp,
) -> Result<(), Error> {
    let company = importing.company_id;
    let mut products = known_products(conn, importing, imported).await?;
    for (sku, details) in unknown_products(importing, imported, &products) {
        products.push(Product::create(company, sku, details, now)?.0);
    }
    let new = new_order(importing, standing, None, imported);
    drafted(&new.lines, &products, new.extras, new.expected_total)?;
    warehouse(conn, company, None).await?;
    Ok(())
}

fn note(imported: &mut ImportedOrder, placed: &Placed) {
    if placed.received {
        imported.assumptions.note(Assumption::StockReceived);
    }
    if placed.order.status == Status::Backordered {
        imported.assumptions.note(Assumption::Backordered);
    }
    if placed.order.kind == OrderKind::International {
        imported.assumptions.note(Assumption::International);
    }
}

fn new_order(
    importing: &Importing,
    standing: KnownStanding,
    customer_id: Option<CustomerId>,
    imported: &ImportedOrder,
) -> NewOrder {
    let line = |line: &crate::domain::import::ImportedLine| NewLine {
        product: ProductRef::Sku(line.sku.as_str().to_owned()),
        quantity: line.quantity,
        unit_price: Some(line.unit_price),
        discount: line.discount,
        tax: None,
    };
    NewOrder {
        company_id: importing.company_id,
        standing,
        customer_id,
        external_reference: Some(imported.reference.clone()),
        kind: OrderKind::Standard,
        payment_method: imported.payment_method,
        lines: imported.lines.iter().map(line).collect(),
        extras: Extras { discount: imported.discount, shipping: imported.shipping, tax: imported.tax },
        expected_total: Some(imported.total),
        consignee: imported.consignee.clone(),
        warehouse_id: None,
        wanted_pickup: None,
        notes: imported.notes.clone(),
        when_short: if importing.assume_stock { WhenShort::Receive } else { WhenShort::Wait },
        paid: imported.paid.clone().map(|reference| PaidBefore::Whole { reference }),
        is_replacement: false,
    }
}

/// Makes the products that the catalogue does not have.
async fn estimate_products(
    tx: &mut Tx,
    importing: &Importing,
    imported: &mut ImportedOrder,
) -> Result<Vec<Sku>, Error> {
    let known = known_products(tx.conn(), importing, imported).await?;
    let mut estimated = Vec::new();
    for (sku, details) in unknown_products(importing, imported, &known) {
        create_product(tx, importing.company_id, sku.clone(), details).await?;
        imported.assumptions.note(Assumption::ProductEstimated);
        estimated.push(sku);
    }
    Ok(estimated)
}

async fn known_products(
    conn: &mut PgConnection,
    importing: &Importing,
    imported: &ImportedOrder,
) -> Result<Vec<Product>, Error> {
    let skus: Vec<String> = imported.lines.iter().map(|line| line.sku.as_str().to_owned()).collect();
    Ok(store::products::named(conn, importing.company_id, &[], &skus).await?)
}

/// The first price seen, a default weight and size.
fn unknown_products(
    importing: &Importing,
    imported: &ImportedOrder,
    known: &[Product],
) -> Vec<(Sku, ProductDetails)> {
    let mut known: Vec<String> = known.iter().map(|product| product.sku().as_str().to_lowercase()).collect();
    let mut unknown = Vec::new();
    for line in &imported.lines {
        let sku = line.sku.as_str().to_lowercase();
        if known.contains(&sku) {
            continue;
        }
        let details = ProductDetails {
            name: line.name.clone(),
            description: None,
            category: None,
            price: line.unit_price,
            cost: None,
            weight_grams: importing.estimate.weight,
            dimensions: Some(importing.estimate.dimensions),
            hs_code: None,
            country_of_origin: None,
            reorder_point: None,
            reorder_quantity: None,
            lead_time_days: None,
            estimated: true,
        };
        unknown.push((line.sku.clone(), details));
        known.push(sku);
    }
    unknown
}
