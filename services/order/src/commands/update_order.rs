use std::collections::BTreeSet;

use quenty_contracts::{
    order::{StockQuantity, WantedPickup},
    party::Party,
};
use quenty_kernel::{
    Scope,
    id::{OrderId, ProductId, WarehouseId},
    money::{Money, MoneyError},
};
use quenty_platform::{Tx, http::IfMatch};

use super::{
    draft_lines::{Drafted, NewLine, draft_lines},
    go_on::look_around,
    place_order::missing,
    post::wake_backorders,
    release_stock::load_picks,
    reserve_stock::{Picked, Wish, pick_stock, post_picked},
    save_order::save_order,
    today_of::today_of,
};
use crate::{
    Error,
    domain::{
        order::{
            Order, OrderError, OrderKind, Status,
            totals::TotalsError,
            update::{ChangedGoods, ChangedLines, OrderChanges},
        },
        reservation::{Reservation, ReservationFact, ReservationStatus},
        stock::{Link, MovementKind, Note, StockError, sum_by_product},
    },
    store,
};

/// What a merchant wants changed; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderUpdate {
    pub(crate) consignee: Option<Party>,
    pub(crate) notes: Option<Option<String>>,
    pub(crate) wanted_pickup: Option<Option<WantedPickup>>,
    pub(crate) lines: Option<Vec<NewLine>>,
    /// What the caller believes the total to be afterwards.
    pub(crate) expected_total: Option<Money>,
}

/// Changes an order before anybody has fetched it. Other lines give their old stock back and take the new one
/// under one lock.
///
/// # Errors
/// [`OrderError`]; 412 when it has another version than `seen`; for lines as in placing.
pub(crate) async fn update_order(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    seen: IfMatch,
    update: OrderUpdate,
) -> Result<Order, Error> {
    let mut order = store::orders::lock(tx.conn(), scope, id).await?.ok_or(OrderError::NotFound)?;
    seen.check(order.version)?;
    order.check_updatable()?;
    let OrderUpdate { consignee, notes, wanted_pickup, lines, expected_total } = update;
    let Some(lines) = lines else {
        order.update(OrderChanges { consignee, notes, wanted_pickup, lines: None }, tx.now())?;
        save_order(tx, &mut order, vec![]).await?;
        return Ok(order);
    };
    let drafted = draft(tx, &order, &lines, expected_total).await?;
    let now = tx.now();
    let near = consignee.as_ref().unwrap_or(&order.consignee).address.location();
    let wish = Wish {
        company_id: order.company_id,
        order_id: id,
        preferred: Some(order.warehouse_id),
        near,
        wants: drafted.wants.clone(),
        today: today_of(tx.conn(), order.company_id, now).await?,
    };
    let waited = (order.status == Status::Backordered).then(|| order.products());
    let exchange = exchange(tx, &order, &wish).await?;
    look_around(tx.conn(), &mut order, false).await?;
    let goods = exchange.goods(&order);
    if leaves_the_country(&order, &goods) {
        // As in placing. What is not known is for Shipping to refuse.
        let known = store::standings::find(tx.conn(), order.company_id).await?;
        known.map_or(Ok(()), |known| known.check(true))?;
    }
    let Drafted { lines, totals, items, parcels, .. } = drafted;
    let lines = Some(ChangedLines { lines, totals, items, parcels, goods });
    order.update(OrderChanges { consignee, notes, wanted_pickup, lines }, now)?;
    exchange.write(tx, &mut order).await?;
    if let Some(products) = waited {
        wake_backorders(tx, order.company_id, format!("{id}:{}", order.version), products).await?;
    }
    Ok(order)
}

/// Whether an order that did not before has goods from abroad now.
fn leaves_the_country(order: &Order, goods: &ChangedGoods) -> bool {
    let is_abroad = matches!(goods, ChangedGoods::Found(found) if found.kind == OrderKind::International);
    is_abroad && order.kind != OrderKind::International
}

async fn draft(
    tx: &mut Tx,
    order: &Order,
    lines: &[NewLine],
    expected_total: Option<Money>,
) -> Result<Drafted, Error> {
    let drafted = draft_lines(tx.conn(), order.company_id, lines, order.extras()?, expected_total)
        .await
        .map_err(in_lines)?;
    order.check_lines_updatable(drafted.totals.total)?;
    Ok(drafted)
}

/// The rest of the order has its currency already.
fn in_lines(error: Error) -> Error {
    match error {
        Error::Totals(TotalsError::Money {
            source: source @ MoneyError::CurrencyMismatch { .. }, ..
        }) => TotalsError::Money { pointer: "/lines".to_owned(), source }.into(),
        other => other,
    }
}

/// What becomes of the goods: decided under the lock of all their stock, and not written down yet.
pub(super) enum Exchange {
    Same,
    Reserved { old: Option<(Reservation, ReservationFact)>, picked: Box<Picked> },
    Short(Vec<StockQuantity>),
}

/// Other pieces where others are wanted, or where those that are set aside have expired.
pub(super) async fn exchange(tx: &mut Tx, order: &Order, wish: &Wish) -> Result<Exchange, Error> {
    let before = sum_by_product(order.lines.iter().map(|line| (line.product_id, line.quantity)))?;
    let has_expired = match order.reservation_id {
        Some(id) => store::movements::has_expired(tx.conn(), id, wish.today).await?,
        None => false,
    };
    if before == wish.wants && !has_expired {
        return Ok(Exchange::Same);
    }
    let held = match order.reservation_id {
        Some(id) => load_picks(tx, id, ReservationStatus::Released).await?,
        None => None,
    };
    let (company, now) = (order.company_id, tx.now());
    let products: BTreeSet<ProductId> = before.keys().chain(wish.wants.keys()).copied().collect();
    let mut stock = store::stock::lock_for(tx.conn(), company, order.id, &products).await?;
    let mut old = None;
    if let Some((mut reservation, _, picks)) = held {
        let link = Link::Reservation(reservation.state().id);
        let why = if has_expired { "it has expired" } else { "the order has other lines" };
        let note = Note { reason: Some(why.to_owned()), ..Note::of(link) };
        stock.settle(MovementKind::Release, &picks, &note)?;
        stock.keep_what_is_held(&before, &wish.wants);
        let released = reservation.release(stock.quantities(MovementKind::Release), now)?;
        old = Some((reservation, released));
    }
    match pick_stock(tx.conn(), stock, wish, false, now).await {
        Ok(picked) => Ok(Exchange::Reserved { old, picked: Box::new(picked) }),
        Err(Error::Stock(StockError::Insufficient(shortages))) if order.status == Status::Backordered => {
            Ok(Exchange::Short(missing(&shortages, order.warehouse_id)))
        }
        Err(error) => Err(error),
    }
}

impl Exchange {
    /// Where other pieces were found.
    pub(super) fn warehouse(&self) -> Option<WarehouseId> {
        match self {
            Self::Reserved { picked, .. } => Some(picked.reservation.state().warehouse_id),
            Self::Same | Self::Short(_) => None,
        }
    }

    pub(super) fn goods(&self, order: &Order) -> ChangedGoods {
        match self {
            Self::Same => ChangedGoods::Same,
            Self::Reserved { picked, .. } => ChangedGoods::Found(Box::new(picked.reserved().found(order))),
            Self::Short(missing) => ChangedGoods::Short(missing.clone()),
        }
    }

    /// Writes it down, with the order.
    pub(super) async fn write(self, tx: &mut Tx, order: &mut Order) -> Result<(), Error> {
        let Self::Reserved { old, picked } = self else { return save_order(tx, order, vec![]).await };
        store::reservations::insert(tx.conn(), &picked.reservation).await?;
        if let Some((reservation, released)) = old {
            store::reservations::save(tx.conn(), &reservation).await?;
            tx.record(reservation.state().id, Some(reservation.company_id()), &released)?;
        }
        save_order(tx, order, vec![]).await?;
        post_picked(tx, *picked).await
    }
}
