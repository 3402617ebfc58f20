//! What Pickup, Shipping and Returns tell of an order: the saga reacts, and the timeline shows it.

use quenty_kernel::{
    Scope,
    id::{CompanyId, OrderId},
    money::Money,
};
use quenty_platform::Tx;

use super::save_order::save_order;
use crate::{
    Error,
    domain::{
        order::{PickupNews, ReturnNews, ShipmentNews},
        timeline::Happening,
    },
    store,
};

/// News of an order's bookings, and of what came back of it.
#[derive(Debug, Clone)]
pub(crate) enum OrderNews {
    Shipment(ShipmentNews),
    Pickup(PickupNews),
    Cash(Money),
    Return(ReturnNews),
}

impl OrderNews {
    /// Whether it answers what the order asked for.
    fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::Shipment(ShipmentNews::Booked { .. } | ShipmentNews::Rejected { .. })
                | Self::Pickup(PickupNews::Scheduled { .. } | PickupNews::Rejected { .. })
        )
    }
}

/// Takes news in. An order that the company does not have is none of ours.
///
/// # Errors
/// [`crate::domain::order::OrderError`]: the news cannot be true yet.
pub(crate) async fn follow_order(
    tx: &mut Tx,
    company: CompanyId,
    id: OrderId,
    news: OrderNews,
    happening: Happening,
) -> Result<(), Error> {
    let Some(mut order) = store::orders::lock(tx.conn(), Scope::Company(company), id).await? else {
        tracing::warn!(order = %id, %company, code = happening.code, "news of an order that the company does not have");
        return Ok(());
    };
    let (now, before) = (tx.now(), order.version);
    let is_answer = news.is_answer();
    match news {
        OrderNews::Shipment(news) => order.hear_shipment(news, now),
        OrderNews::Pickup(news) => order.hear_pickup(news, now),
        OrderNews::Cash(amount) => order.collect_cash(amount, now),
        OrderNews::Return(news) => {
            let news = with_credit(tx, company, news).await?;
            order.hear_return(news, now)?;
        }
    }
    // An answer that nobody waits for any more, as one that is told again, is no news.
    let told = (!is_answer || order.version != before).then_some(happening);
    save_order(tx, &mut order, told.into_iter().collect()).await
}

/// What the credit of a return has paid of a replacement went back to the buyer as much as money does: the same money is
/// paid for one order only.
async fn with_credit(tx: &mut Tx, company: CompanyId, mut news: ReturnNews) -> Result<ReturnNews, Error> {
    if let ReturnNews::Completed { return_id, refund, by_exchange: true, .. } = &mut news
        && let Some(placed) = store::exchanges::find(tx.conn(), company, *return_id).await?
    {
        *refund = refund.checked_add(placed.paid).map_err(quenty_platform::Error::internal)?;
    }
    Ok(news)
}
