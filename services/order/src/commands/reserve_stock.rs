use quenty_contracts::order::StockQuantity;
use quenty_kernel::{
    Scope,
    geo::GeoPoint,
    id::{CompanyId, OrderId, ProductId, ReservationId, WarehouseId},
};
use quenty_platform::Tx;

use super::post::post;
use crate::{
    Error,
    domain::{
        reservation::Reservation,
        stock::{Link, Note, Preference, sum_by_product},
    },
    store,
};

/// What was set aside for an order, all of it in one warehouse.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reserved {
    pub(crate) reservation_id: ReservationId,
    pub(crate) warehouse_id: WarehouseId,
    pub(crate) quantities: Vec<StockQuantity>,
}

/// Sets the whole order aside in one warehouse: the `preferred` one if it holds everything, else the one
/// nearest to `near` that does; without a place the default one, then by id. First expiry first out.
///
/// Locks the stock of the products: call it last in the transaction. A refusal has written nothing, so that
/// the caller may go on in the same transaction, with a backorder for instance.
///
/// # Errors
/// [`crate::domain::stock::StockError::Insufficient`] with what each warehouse has available.
pub(crate) async fn reserve_stock(
    tx: &mut Tx,
    company: CompanyId,
    order_id: OrderId,
    near: Option<GeoPoint>,
    preferred: Option<WarehouseId>,
    lines: &[(ProductId, u32)],
) -> Result<Reserved, Error> {
    let (id, now) = (ReservationId::new(), tx.now());
    let wants = sum_by_product(lines)?;
    let products = wants.keys().copied().collect();
    let mut stock = store::stock::lock(tx.conn(), Scope::Company(company), &products).await?;
    let preference = Preference { warehouse: preferred, near };
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let warehouse_id = stock.reserve(&wants, &preference, today, &Note::of(Link::Reservation(id)))?;
    let quantities = stock.quantities();
    let (reservation, fact) = Reservation::open(id, company, order_id, warehouse_id, quantities.clone(), now);
    store::reservations::insert(tx.conn(), &reservation).await?;
    post(tx, &mut stock).await?;
    tx.record(id, Some(company), &fact)?;
    Ok(Reserved { reservation_id: id, warehouse_id, quantities })
}
