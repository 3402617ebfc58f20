//! Places an order: prices from the catalogue, totals recomputed, stock set aside, all in one transaction.

use quenty_contracts::{
    order::{StockQuantity, WantedPickup},
    party::Party,
};
use quenty_kernel::{
    Scope,
    contact::Text,
    id::{CompanyId, CustomerId, OrderId, ProductId, WarehouseId},
    money::Money,
};
use quenty_platform::Tx;

use super::{reserve_stock, save_order::insert_order};
use crate::{
    Error,
    domain::{
        order::{
            Allocation, Order, OrderKind, PaymentMethod, Placing,
            totals::{self, Extras, LineDraft, Sold},
        },
        placing::PlacingError,
        product::Product,
        standing::KnownStanding,
        stock::StockError,
        warehouse::Warehouse,
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

/// An order as a merchant or an import wants it.
#[derive(Debug, Clone)]
pub(crate) struct NewOrder {
    pub(crate) company_id: CompanyId,
    /// Known before the transaction began: asking Customer is no part of it.
    pub(crate) standing: KnownStanding,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) external_reference: Option<Text<100>>,
    /// Where the consignee lives abroad, the order is international whatever this says.
    pub(crate) kind: OrderKind,
    pub(crate) payment_method: PaymentMethod,
    pub(crate) lines: Vec<NewLine>,
    pub(crate) extras: Extras,
    /// What the caller believes the total to be.
    pub(crate) expected_total: Option<Money>,
    pub(crate) consignee: Party,
    pub(crate) warehouse_id: Option<WarehouseId>,
    pub(crate) wanted_pickup: Option<WantedPickup>,
    pub(crate) notes: Option<Text<1000>>,
    pub(crate) allow_backorder: bool,
    /// The money was received before; the inner value is the payment's reference.
    pub(crate) paid: Option<Option<String>>,
}

/// Places the order. Its stock is locked after everything that can still fail for another reason.
pub(crate) async fn place_order(tx: &mut Tx, new: NewOrder) -> Result<Order, Error> {
    let mut order = prepare(tx, new).await?;
    insert_order(tx, &mut order).await?;
    Ok(order)
}

/// The order that [`place_order`] would place now; the caller lets the transaction go.
pub(crate) async fn quote_order(tx: &mut Tx, new: NewOrder) -> Result<Order, Error> {
    prepare(tx, new).await
}

async fn prepare(tx: &mut Tx, new: NewOrder) -> Result<Order, Error> {
    new.standing.check(false)?;
    if new.payment_method == PaymentMethod::Credit {
        return Err(PlacingError::CreditNotAvailable.into());
    }
    if let Some(reference) = &new.external_reference
        && let Some(id) =
            store::orders::id_of_reference(&mut *tx.conn(), new.company_id, reference.as_str()).await?
    {
        return Err(PlacingError::ReferenceTaken(id).into());
    }
    let drafts = draft_lines(tx, new.company_id, &new.lines).await?;
    let (lines, totals) = totals::add_up(&drafts, new.extras)?;
    if new.expected_total.is_some_and(|expected| expected != totals.total) {
        return Err(PlacingError::TotalMismatch(Box::new(totals)).into());
    }
    let (items, parcels) = (totals::items(&drafts), totals::parcels(&drafts)?);
    let id = OrderId::new();
    let (allocation, warehouse) = allocate(tx, id, &new, &drafts).await?;
    let kind = kind_of(&new, &warehouse)?;
    new.standing.check(kind == OrderKind::International)?;
    let placing = Placing {
        id,
        company_id: new.company_id,
        customer_id: new.customer_id,
        external_reference: new.external_reference.map(String::from),
        kind,
        payment_method: new.payment_method,
        lines,
        totals,
        items,
        parcels,
        consignee: new.consignee,
        sender: sender(&new.standing, &warehouse),
        warehouse_id: warehouse.id(),
        allocation,
        wanted_pickup: new.wanted_pickup,
        notes: new.notes.map(String::from),
        stale_standing: new.standing.stale,
        paid: new.paid,
    };
    Ok(Order::place(placing, tx.now()))
}

/// The warehouse sends in the merchant's name.
fn sender(standing: &KnownStanding, warehouse: &Warehouse) -> Party {
    let details = warehouse.details();
    let name = standing.standing.trade_name.parse().unwrap_or_else(|_| details.name.clone());
    Party { name, phone: details.contact_phone.clone(), email: None, address: details.address.clone() }
}

/// What leaves the country of its warehouse is international.
fn kind_of(new: &NewOrder, warehouse: &Warehouse) -> Result<OrderKind, Error> {
    let abroad = new.consignee.address.country() != warehouse.details().address.country();
    match (abroad, new.kind) {
        (true, _) => Ok(OrderKind::International),
        (false, OrderKind::International) => Err(PlacingError::NotInternational.into()),
        (false, kind) => Ok(kind),
    }
}

async fn draft_lines(tx: &mut Tx, company: CompanyId, lines: &[NewLine]) -> Result<Vec<LineDraft>, Error> {
    let (mut ids, mut skus) = (Vec::new(), Vec::new());
    for line in lines {
        match &line.product {
            ProductRef::Id(id) => ids.push(*id),
            ProductRef::Sku(sku) => skus.push(sku.clone()),
        }
    }
    let mut products = Vec::new();
    if !ids.is_empty() {
        products.extend(store::products::many(&mut *tx.conn(), Scope::Company(company), &ids).await?);
    }
    if !skus.is_empty() {
        products.extend(store::products::by_skus(&mut *tx.conn(), company, &skus).await?);
    }
    lines.iter().enumerate().map(|(index, line)| draft(index, line, &products)).collect()
}

fn draft(index: usize, line: &NewLine, products: &[Product]) -> Result<LineDraft, Error> {
    let is_meant = |product: &&Product| match &line.product {
        ProductRef::Id(id) => product.id() == *id,
        ProductRef::Sku(sku) => product.sku().as_str().to_lowercase() == sku.to_lowercase(),
    };
    let product = products.iter().find(is_meant).ok_or(PlacingError::UnknownProduct { line: index })?;
    if !product.is_active() {
        return Err(PlacingError::ArchivedProduct { line: index }.into());
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

/// Sets the goods aside; what is short is noted instead, where the merchant wants that.
async fn allocate(
    tx: &mut Tx,
    id: OrderId,
    new: &NewOrder,
    drafts: &[LineDraft],
) -> Result<(Allocation, Warehouse), Error> {
    let company = new.company_id;
    let wanted: Vec<(ProductId, u32)> =
        drafts.iter().map(|draft| (draft.sold.product_id, draft.quantity)).collect();
    let near = new.consignee.address.location();
    match reserve_stock(tx, company, id, near, new.warehouse_id, &wanted).await {
        Ok(reserved) => {
            let warehouse = warehouse(tx, company, Some(reserved.warehouse_id)).await?;
            Ok((Allocation::Reserved(reserved.reservation_id), warehouse))
        }
        Err(Error::Stock(StockError::Insufficient(_))) if new.allow_backorder => {
            let warehouse = warehouse(tx, company, new.warehouse_id).await?;
            let missing = wanted
                .into_iter()
                .map(|(product_id, quantity)| StockQuantity {
                    product_id,
                    warehouse_id: warehouse.id(),
                    batch: None,
                    quantity,
                })
                .collect();
            Ok((Allocation::Short(missing), warehouse))
        }
        Err(error) => Err(error),
    }
}

/// That warehouse of the company, or its default one.
pub(super) async fn warehouse(
    tx: &mut Tx,
    company: CompanyId,
    id: Option<WarehouseId>,
) -> Result<Warehouse, Error> {
    match id {
        Some(id) => Ok(store::warehouses::find(&mut *tx.conn(), Scope::Company(company), id)
            .await?
            .ok_or(StockError::UnknownWarehouse(id))?),
        None => Ok(store::warehouses::default_of(&mut *tx.conn(), company)
            .await?
            .ok_or(PlacingError::NoWarehouse)?),
    }
}
