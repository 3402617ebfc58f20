//! Goods that the consignee sent back, as Returns tells it.

use jiff::Timestamp;
use quenty_contracts::order::OrderReturned;
use quenty_kernel::{id::ReturnId, money::Money};

use super::{Order, OrderError, Status};

/// What Returns tells of a return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReturnNews {
    /// How it gets on: for the timeline.
    Noted,
    /// Goods and money are settled.
    Completed {
        return_id: ReturnId,
        /// Whether anything came back: a claim can end without.
        came_back: bool,
        /// Whether nothing of the order is left with the consignee.
        whole: bool,
        /// What was paid back, be it with goods in its place.
        refund: Money,
        /// Whether a replacement settled it: its credit may have paid for that.
        by_exchange: bool,
        at: Timestamp,
    },
}

impl Order {
    /// # Errors
    /// [`OrderError::NotDelivered`] while Shipping's news of the delivery is on its way.
    pub fn hear_return(&mut self, news: ReturnNews, now: Timestamp) -> Result<(), OrderError> {
        let ReturnNews::Completed { return_id, came_back, whole, refund, at, .. } = news else {
            return Ok(());
        };
        if !matches!(self.status, Status::Delivered | Status::PartiallyReturned | Status::Returned) {
            return Err(OrderError::NotDelivered(self.status));
        }
        self.record_refund(Some(return_id), refund, None, now)?;
        let to = if whole { Status::Returned } else { Status::PartiallyReturned };
        // Staff may have said so before.
        if (came_back || whole) && self.status.may_become(to) {
            self.happen(OrderReturned { order_id: self.id, status: to.as_str().to_owned(), at }, now);
        }
        Ok(())
    }
}
