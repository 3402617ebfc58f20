//! What Order answers when a person is to be erased.

use quenty_contracts::order::{OrdersErased, OrdersFound};
use quenty_kernel::id::OrderId;

quenty_kernel::facts! {
    pub(crate) enum ErasureFact {
        Found(OrdersFound),
        Erased(OrdersErased),
    }
}

/// A person's orders, and those of them that have not ended.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) all: Vec<OrderId>,
    pub(crate) under_way: Vec<OrderId>,
}
