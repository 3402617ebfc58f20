//! Writes an order and carries out what its facts ask for. Every change of an order ends here, whoever
//! made it, so that nothing goes round the saga.

use jiff::Timestamp;
use quenty_contracts::order::OrderCancelled;
use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use super::{
    erase_customer::tell_orders_of,
    issue_stock,
    post::wake_backorders,
    release_stock,
    reserve_stock::{Picked, post_picked},
    return_stock,
};
use crate::{
    Error,
    domain::{
        fulfilment::Step,
        order::{GoodsMove, News, Order, OrderError, OrderFact},
        placing::PlacingError,
        timeline::{self, Happening},
    },
    store,
};

/// The task that waits for a saga's deadline.
pub(crate) const DEADLINE_TASK: &str = "order_deadline";

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Deadline {
    pub(crate) order_id: OrderId,
    pub(crate) number: u32,
}

impl Deadline {
    fn key(self) -> String {
        format!("{}:{}", self.order_id, self.number)
    }
}

/// Loads and locks an order, lets `change` happen, saves it.
pub(super) async fn change_order(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    change: impl FnOnce(&mut Order, Timestamp) -> Result<(), OrderError>,
) -> Result<Order, Error> {
    let mut order = store::orders::lock(tx.conn(), scope, id).await?.ok_or(OrderError::NotFound)?;
    change(&mut order, tx.now())?;
    save_order(tx, &mut order, vec![]).await?;
    Ok(order)
}

/// Saves a changed order, with what others told of it.
pub(super) async fn save_order(tx: &mut Tx, order: &mut Order, told: Vec<Happening>) -> Result<(), Error> {
    let news = order.take_news();
    if !news.facts.is_empty() {
        store::orders::save(tx.conn(), order).await?;
        store::fulfilments::save(tx.conn(), order).await?;
    }
    if news.facts.iter().any(|fact| matches!(fact, OrderFact::Repacked(_))) {
        store::orders::save_lines(tx.conn(), order).await?;
    }
    let has_ended =
        order.step() == Step::Closed && news.facts.iter().any(|fact| !matches!(fact, OrderFact::Erased(_)));
    follow_up(tx, order, news, told).await?;
    match order.customer_id {
        Some(customer) if has_ended => tell_orders_of(tx, order.company_id, customer).await,
        _ => Ok(()),
    }
}

/// Saves a new order, and sets its goods aside.
pub(super) async fn insert_order(
    tx: &mut Tx,
    order: &mut Order,
    picked: Option<Picked>,
) -> Result<(), Error> {
    let news = order.take_news();
    let (actor, told) = (tx.actor().clone(), told(&news, tx.now()));
    let reservation = picked.as_ref().map(|picked| &picked.reservation);
    if !store::new_orders::insert(tx.conn(), order, reservation, &actor, &told).await? {
        let reference = order.external_reference.as_deref().unwrap_or_default();
        let other = store::orders::id_of_reference(&mut *tx.conn(), order.company_id, reference).await?;
        return Err(PlacingError::ReferenceTaken(other.unwrap_or(order.id)).into());
    }
    reschedule(tx, order).await?;
    record(tx, order, &news).await?;
    match picked {
        Some(picked) => post_picked(tx, picked).await,
        None => Ok(()),
    }
}

fn told(news: &News, now: Timestamp) -> Vec<Happening> {
    news.facts.iter().filter_map(|fact| timeline::of_fact(fact, now)).collect()
}

/// Timeline, deadline and journal; then the goods, whose locks are the most wanted.
async fn follow_up(
    tx: &mut Tx,
    order: &mut Order,
    news: News,
    mut heard: Vec<Happening>,
) -> Result<(), Error> {
    heard.extend(told(&news, tx.now()));
    let actor = tx.actor().clone();
    store::timeline::add(tx.conn(), order.id, &actor, &heard).await?;
    reschedule(tx, order).await?;
    record(tx, order, &news).await?;
    for goods in news.goods {
        move_goods(tx, order, goods).await?;
    }
    Ok(())
}

async fn record(tx: &mut Tx, order: &Order, news: &News) -> Result<(), Error> {
    for fact in &news.facts {
        count(fact);
        queue(tx, order, fact).await?;
        // The person behind the personal data is the consignee: the merchant's customer, if we know which.
        match order.customer_id {
            Some(customer) => tx.record_about(order.id, customer, Some(order.company_id), fact)?,
            None => tx.record(order.id, Some(order.company_id), fact)?,
        }
    }
    Ok(())
}

/// Who waits stands in the queue of each product; the stock of these is locked already.
async fn queue(tx: &mut Tx, order: &Order, fact: &OrderFact) -> Result<(), Error> {
    match fact {
        OrderFact::Backordered(backordered) => {
            let short = backordered.missing.iter().map(|missing| missing.product_id).collect();
            store::backorders::put(tx.conn(), order.id, &order.products(), &short).await?;
        }
        OrderFact::Allocated(_) => drop(store::backorders::delete(tx.conn(), order.id).await?),
        _ => {}
    }
    Ok(())
}

async fn reschedule(tx: &mut Tx, order: &mut Order) -> Result<(), Error> {
    let change = order.take_rescheduling();
    if let Some(number) = change.over {
        tx.cancel_task(DEADLINE_TASK, &Deadline { order_id: order.id, number }.key()).await?;
    }
    if let Some((number, due)) = change.begins {
        let deadline = Deadline { order_id: order.id, number };
        tx.schedule(DEADLINE_TASK, deadline.key(), due, Some(order.company_id), &deadline)?;
    }
    Ok(())
}

async fn move_goods(tx: &mut Tx, order: &Order, goods: GoodsMove) -> Result<(), Error> {
    let Some(reservation) = order.reservation_id else { return leave_queue(tx, order).await };
    match goods {
        GoodsMove::Release => release_stock(tx, reservation, "the order was cancelled").await?,
        GoodsMove::Issue => issue_stock(tx, reservation).await?,
        GoodsMove::Return => return_stock(tx, reservation, "returned to sender").await?,
    }
    Ok(())
}

/// A cancelled order that had nothing yet was waited for by others. Its stock is locked, so that an order that is
/// placed at this moment either sees it gone or is seen here.
async fn leave_queue(tx: &mut Tx, order: &Order) -> Result<(), Error> {
    store::stock::lock(tx.conn(), Scope::Company(order.company_id), &order.products()).await?;
    let left = store::backorders::delete(tx.conn(), order.id).await?;
    wake_backorders(tx, order.company_id, format!("{}:{}", order.id, order.version), left).await
}

fn count(fact: &OrderFact) {
    match fact {
        OrderFact::Placed(placed) => {
            metrics::counter!("quenty_orders_placed_total", "kind" => placed.kind.clone()).increment(1)
        }
        OrderFact::Backordered(_) => metrics::counter!("quenty_orders_backordered_total").increment(1),
        OrderFact::Held(held) => {
            metrics::counter!("quenty_orders_held_total", "code" => held.code.clone()).increment(1)
        }
        OrderFact::Cancelled(OrderCancelled { .. }) => {
            metrics::counter!("quenty_orders_cancelled_total").increment(1)
        }
        OrderFact::Delivered(_) => metrics::counter!("quenty_orders_delivered_total").increment(1),
        OrderFact::ReturnedToSender(_) => {
            metrics::counter!("quenty_orders_returned_to_sender_total").increment(1)
        }
        OrderFact::Returned(_) => metrics::counter!("quenty_orders_returned_total").increment(1),
        OrderFact::Lost(_) => metrics::counter!("quenty_orders_lost_total").increment(1),
        _ => {}
    }
}
