use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use quenty_kernel::{
    Timestamp,
    geo::GeoPoint,
    id::{CompanyId, OrderId, ProductId, ReservationId, WarehouseId},
};
use quenty_platform::Tx;
use sqlx::PgConnection;

use super::{place_order::warehouse, post::post};
use crate::{
    Error,
    domain::{
        order::{Order, people::Found},
        reservation::{Reservation, ReservationFact},
        stock::{Link, MovementKind, Note, Preference, Stock, StockError},
        warehouse::WarehouseDetails,
    },
    store,
};

/// What an order wants set aside: all of it in one warehouse.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) company_id: CompanyId,
    pub(crate) order_id: OrderId,
    /// The warehouse to try first.
    pub(crate) preferred: Option<WarehouseId>,
    /// Then the nearest to here; without a place the default one, then by id.
    pub(crate) near: Option<GeoPoint>,
    /// The same product on several lines is summed.
    pub(crate) wants: BTreeMap<ProductId, u32>,
    /// The company's day: what has expired by then is not for sale.
    pub(crate) today: Date,
}

impl Wish {
    pub(crate) fn products(&self) -> BTreeSet<ProductId> {
        self.wants.keys().copied().collect()
    }
}

/// Goods that are decided on, under the lock of their stock, and not written down yet.
pub(crate) struct Picked {
    pub(crate) reservation: Reservation,
    pub(crate) warehouse: WarehouseDetails,
    /// Whether they came in for this order.
    pub(crate) received: bool,
    fact: ReservationFact,
    stock: Stock,
}

impl Picked {
    pub(super) fn reserved(&self) -> Reserved {
        let state = self.reservation.state();
        Reserved {
            reservation_id: state.id,
            warehouse_id: state.warehouse_id,
            warehouse: self.warehouse.clone(),
        }
    }
}

/// Decides where the goods come from, and writes nothing. The same for orders, quotes and dry runs: whether
/// `stock` is locked is the caller's matter. First expiry first out.
///
/// # Errors
/// [`StockError::Insufficient`] with what each warehouse has available.
pub(super) async fn pick_stock(
    conn: &mut PgConnection,
    mut stock: Stock,
    wish: &Wish,
    receive: bool,
    now: Timestamp,
) -> Result<Picked, Error> {
    let id = ReservationId::new();
    let note = Note::of(Link::Reservation(id));
    let mut preference = Preference { warehouse: wish.preferred, near: wish.near };
    let outcome = stock.reserve(&wish.wants, &preference, wish.today, &note);
    let received = receive && matches!(outcome, Err(StockError::Insufficient(_)));
    let warehouse_id = if received {
        let default = warehouse(conn, wish.company_id, None).await?;
        let note = Note { reference: "opening receipt of an import".parse().ok(), ..Note::default() };
        stock.receive_for(&wish.wants, &default, &note)?;
        preference.warehouse = Some(default.id());
        stock.reserve(&wish.wants, &preference, wish.today, &Note::of(Link::Reservation(id)))?
    } else {
        outcome?
    };
    let details =
        stock.warehouses.get(&warehouse_id).cloned().ok_or(StockError::UnknownWarehouse(warehouse_id))?;
    let quantities = stock.quantities(MovementKind::Reserve);
    let (reservation, fact) =
        Reservation::open(id, wish.company_id, wish.order_id, warehouse_id, quantities, now);
    Ok(Picked { reservation, warehouse: details, received, fact, stock })
}

/// Writes ledger and sums. The reservation must have its row.
pub(super) async fn post_picked(tx: &mut Tx, mut picked: Picked) -> Result<(), Error> {
    let state = picked.reservation.state();
    let (id, company) = (state.id, Some(state.company_id));
    post(tx, &mut picked.stock).await?;
    for receipt in picked.stock.posted().iter().filter(|movement| movement.kind == MovementKind::Receipt) {
        tx.record(receipt.id, company, &receipt.fact())?;
    }
    tx.record(id, company, &picked.fact)?;
    Ok(())
}

/// What was set aside for an order, all of it in one warehouse.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reserved {
    pub(crate) reservation_id: ReservationId,
    pub(crate) warehouse_id: WarehouseId,
    pub(crate) warehouse: WarehouseDetails,
}

impl Reserved {
    pub(super) fn found(&self, order: &Order) -> Found {
        order.found(self.reservation_id, self.warehouse_id, &self.warehouse)
    }
}

/// Sets goods aside for an order that waits for them.
///
/// Locks the stock of the products: call it last in the transaction. A refusal has written nothing, so that
/// the caller may go on in the same transaction.
///
/// # Errors
/// As [`pick_stock`].
pub(crate) async fn reserve_stock(tx: &mut Tx, wish: &Wish) -> Result<Reserved, Error> {
    let now = tx.now();
    let stock = store::stock::lock_for(tx.conn(), wish.company_id, wish.order_id, &wish.products()).await?;
    let picked = pick_stock(tx.conn(), stock, wish, false, now).await?;
    let reserved = picked.reserved();
    store::reservations::insert(tx.conn(), &picked.reservation).await?;
    post_picked(tx, picked).await?;
    Ok(reserved)
}
