//! Places an order: prices from the catalogue, totals recomputed, stock set aside, all in one transaction.

use quenty_contracts::{
    order::{StockQuantity, WantedPickup},
    party::Party,
};
use quenty_kernel::{
    Scope, Timestamp,
    contact::Text,
    id::{CompanyId, CustomerId, OrderId, WarehouseId},
    money::Money,
};
use quenty_platform::Tx;
use sqlx::PgConnection;

use super::{
    draft_lines::{Drafted, NewLine, draft_lines},
    reserve_stock::{Picked, Wish, pick_stock},
    save_order::insert_order,
};
use crate::{
    Error,
    domain::{
        order::{Allocation, Order, OrderKind, PaymentMethod, Placing, totals::Extras},
        placing::{PaidBefore, PlacingError},
        standing::KnownStanding,
        stock::{Shortage, Stock, StockError},
        warehouse::{Warehouse, WarehouseDetails},
    },
    store,
};

/// What happens to an order that is not all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenShort {
    Refuse,
    /// It waits until all of it is there.
    Wait,
    /// What it wants comes in with it: an import that assumes its stock.
    Receive,
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
    pub(crate) when_short: WhenShort,
    pub(crate) paid: Option<PaidBefore>,
    /// For goods that came back: what somebody is owed they get, though they may be blocked by now.
    pub(crate) is_replacement: bool,
}

/// An order, and whether its goods came in with it.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) order: Order,
    pub(crate) received: bool,
}

/// Places the order. Its stock is locked after everything that can fail without it.
pub(crate) async fn place_order(tx: &mut Tx, new: NewOrder) -> Result<Placed, Error> {
    let (id, now) = (OrderId::new(), tx.now());
    if let Some(customer) = new.customer_id
        && tx.is_erased(customer).await?
    {
        return Err(PlacingError::UnknownCustomer.into());
    }
    let drafted = prepare(tx.conn(), &new).await?;
    let wish = wish(id, &new, &drafted, now);
    let stock = store::stock::lock_for(tx.conn(), new.company_id, id, &wish.products()).await?;
    let mut goods = find_goods(tx.conn(), stock, &wish, new.when_short, now).await?;
    let picked = goods.picked.take();
    let received = picked.as_ref().is_some_and(|picked| picked.received);
    let mut order = Order::place(placing(id, new, drafted, goods)?, now);
    insert_order(tx, &mut order, picked).await?;
    Ok(Placed { order, received })
}

/// The order that [`place_order`] would place now. Locks nothing and writes nothing.
pub(crate) async fn quote_order(
    conn: &mut PgConnection,
    new: NewOrder,
    now: Timestamp,
) -> Result<Placed, Error> {
    let id = OrderId::new();
    let drafted = prepare(conn, &new).await?;
    let wish = wish(id, &new, &drafted, now);
    let stock = store::stock::find_for(conn, new.company_id, id, &wish.products()).await?;
    let goods = find_goods(conn, stock, &wish, new.when_short, now).await?;
    let received = goods.picked.as_ref().is_some_and(|picked| picked.received);
    Ok(Placed { order: Order::place(placing(id, new, drafted, goods)?, now), received })
}

/// All that can be said against the order without looking at the stock.
async fn prepare(conn: &mut PgConnection, new: &NewOrder) -> Result<Drafted, Error> {
    new.standing.check(false)?;
    if new.payment_method == PaymentMethod::Credit {
        return Err(PlacingError::CreditNotAvailable.into());
    }
    if let Some(reference) = &new.external_reference
        && let Some(id) =
            store::orders::id_of_reference(&mut *conn, new.company_id, reference.as_str()).await?
    {
        return Err(PlacingError::ReferenceTaken(id).into());
    }
    if let Some(customer) = new.customer_id
        && !new.is_replacement
        && store::customers::is_blocked(&mut *conn, new.company_id, customer).await?
    {
        return Err(PlacingError::CustomerBlocked.into());
    }
    if new.warehouse_id.is_some() {
        warehouse(conn, new.company_id, new.warehouse_id).await?;
    }
    draft_lines(conn, new.company_id, &new.lines, new.extras, new.expected_total).await
}

fn wish(order_id: OrderId, new: &NewOrder, drafted: &Drafted, now: Timestamp) -> Wish {
    Wish {
        company_id: new.company_id,
        order_id,
        preferred: new.warehouse_id,
        near: new.consignee.address.location(),
        wants: drafted.wants.clone(),
        today: new.standing.today(now),
    }
}

/// Where the goods of a new order come from, or what it waits for.
struct Goods {
    allocation: Allocation,
    warehouse_id: WarehouseId,
    warehouse: WarehouseDetails,
    picked: Option<Picked>,
}

async fn find_goods(
    conn: &mut PgConnection,
    stock: Stock,
    wish: &Wish,
    when_short: WhenShort,
    now: Timestamp,
) -> Result<Goods, Error> {
    match pick_stock(conn, stock, wish, when_short == WhenShort::Receive, now).await {
        Ok(picked) => Ok(Goods {
            allocation: Allocation::Reserved(picked.reservation.state().id),
            warehouse_id: picked.reservation.state().warehouse_id,
            warehouse: picked.warehouse.clone(),
            picked: Some(picked),
        }),
        Err(Error::Stock(StockError::Insufficient(shortages))) if when_short == WhenShort::Wait => {
            let warehouse = warehouse(conn, wish.company_id, wish.preferred).await?;
            Ok(Goods {
                allocation: Allocation::Short(missing(&shortages, warehouse.id())),
                warehouse_id: warehouse.id(),
                warehouse: warehouse.details().clone(),
                picked: None,
            })
        }
        Err(error) => Err(error),
    }
}

/// What an order waits for: nothing in particular, while all of it is there but in no one warehouse.
pub(super) fn missing(shortages: &[Shortage], warehouse_id: WarehouseId) -> Vec<StockQuantity> {
    let quantity = |shortage: &Shortage| StockQuantity {
        product_id: shortage.product_id,
        warehouse_id,
        batch: None,
        quantity: shortage.wanted,
    };
    shortages.iter().filter(|shortage| shortage.is_everywhere()).map(quantity).collect()
}

fn placing(id: OrderId, new: NewOrder, drafted: Drafted, goods: Goods) -> Result<Placing, Error> {
    let kind = kind_of(&new, &goods.warehouse)?;
    new.standing.check(kind == OrderKind::International)?;
    let paid = new.paid.map(|paid| paid.payment(drafted.totals.total)).transpose()?;
    Ok(Placing {
        id,
        company_id: new.company_id,
        customer_id: new.customer_id,
        external_reference: new.external_reference.map(String::from),
        kind,
        payment_method: new.payment_method,
        lines: drafted.lines,
        totals: drafted.totals,
        items: drafted.items,
        parcels: drafted.parcels,
        consignee: new.consignee,
        sender: sender(&new.standing, goods.warehouse),
        warehouse_id: goods.warehouse_id,
        allocation: goods.allocation,
        wanted_pickup: new.wanted_pickup,
        notes: new.notes.map(String::from),
        stale_standing: new.standing.stale,
        paid,
    })
}

/// The warehouse sends in the merchant's name.
fn sender(standing: &KnownStanding, warehouse: WarehouseDetails) -> Party {
    let name = standing.standing.trade_name.parse().unwrap_or(warehouse.name);
    Party { name, phone: warehouse.contact_phone, email: None, address: warehouse.address }
}

/// What leaves the country of its warehouse is international.
fn kind_of(new: &NewOrder, warehouse: &WarehouseDetails) -> Result<OrderKind, Error> {
    let leaves_country = new.consignee.address.country() != warehouse.address.country();
    if new.kind == OrderKind::International && !leaves_country {
        return Err(PlacingError::NotInternational.into());
    }
    Ok(new.kind.on_its_way(leaves_country))
}

/// That warehouse of the company, or its default one.
pub(super) async fn warehouse(
    conn: &mut PgConnection,
    company: CompanyId,
    id: Option<WarehouseId>,
) -> Result<Warehouse, Error> {
    match id {
        Some(id) => Ok(store::warehouses::find(conn, Scope::Company(company), id)
            .await?
            .ok_or(StockError::UnknownWarehouse(id))?),
        None => Ok(store::warehouses::default_of(conn, company).await?.ok_or(PlacingError::NoWarehouse)?),
    }
}
