//! What Returns answers when a person is to be erased.

use quenty_contracts::returns::{ReturnsErased, ReturnsFound};
use quenty_kernel::id::ReturnId;

quenty_kernel::facts! {
    pub(crate) enum ErasureFact {
        Found(ReturnsFound),
        Erased(ReturnsErased),
    }
}

/// A person's returns, and those of them that have not ended.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) all: Vec<ReturnId>,
    pub(crate) under_way: Vec<ReturnId>,
}
