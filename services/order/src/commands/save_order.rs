//! Writes an order and carries out what its facts ask for. Every change of an order ends here, whoever
//! made it, so that nothing goes round the saga.

use jiff::Timestamp;
use quenty_contracts::order::OrderCancelled;
use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use super::{issue_stock, release_stock, return_stock};
use crate::{
    Error,
    domain::{
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
        store::fulfilments::put(tx.conn(), order).await?;
    }
    follow_up(tx, order, news, told).await
}

/// Saves a new order.
pub(super) async fn insert_order(tx: &mut Tx, order: &mut Order) -> Result<(), Error> {
    let news = order.take_news();
    if !store::orders::insert(tx.conn(), order).await? {
        let reference = order.external_reference.as_deref().unwrap_or_default();
        let other = store::orders::id_of_reference(&mut *tx.conn(), order.company_id, reference).await?;
        return Err(PlacingError::ReferenceTaken(other.unwrap_or(order.id)).into());
    }
    store::fulfilments::put(tx.conn(), order).await?;
    follow_up(tx, order, news, vec![]).await
}

/// Timeline, deadline and journal; then the goods, whose locks are the most wanted.
async fn follow_up(
    tx: &mut Tx,
    order: &mut Order,
    news: News,
    mut told: Vec<Happening>,
) -> Result<(), Error> {
    let now = tx.now();
    told.extend(news.facts.iter().filter_map(|fact| timeline::of_fact(fact, now)));
    let actor = tx.actor().clone();
    store::timeline::add(tx.conn(), order.id, &actor, &told).await?;
    reschedule(tx, order).await?;
    for fact in &news.facts {
        count(fact);
        // The person behind the personal data is the consignee: the merchant's customer, if we know which.
        match order.customer_id {
            Some(customer) => tx.record_about(order.id, customer, Some(order.company_id), fact)?,
            None => tx.record(order.id, Some(order.company_id), fact)?,
        }
    }
    for goods in news.goods {
        move_goods(tx, order, goods).await?;
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
    let Some(reservation) = order.reservation_id else { return Ok(()) };
    match goods {
        GoodsMove::Release => release_stock(tx, reservation, "the order was cancelled").await?,
        GoodsMove::Issue => issue_stock(tx, reservation).await?,
        GoodsMove::Return => return_stock(tx, reservation, "returned to sender").await?,
    }
    Ok(())
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
        OrderFact::Lost(_) => metrics::counter!("quenty_orders_lost_total").increment(1),
        _ => {}
    }
}
