//! Why an order cannot be placed.

use quenty_contracts::order::OrderTotals;
use quenty_kernel::id::OrderId;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlacingError {
    #[error("no credit can be reserved")]
    CreditNotAvailable,
    #[error("order {0} has this reference")]
    ReferenceTaken(OrderId),
    #[error("the total is another")]
    TotalMismatch(Box<OrderTotals>),
    #[error("the consignee lives in the country of the warehouse")]
    NotInternational,
    #[error("the company has no such product")]
    UnknownProduct { line: usize },
    #[error("the product is archived")]
    ArchivedProduct { line: usize },
    #[error("the company has no such customer")]
    UnknownCustomer,
    #[error("the company has no warehouse")]
    NoWarehouse,
}
