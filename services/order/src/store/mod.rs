//! The only SQL of the service. A function here reads or writes; it decides nothing.

pub(crate) mod backorders;
pub(crate) mod customers;
pub(crate) mod erasures;
pub(crate) mod exchanges;
pub(crate) mod fulfilments;
pub(crate) mod imports;
pub(crate) mod invariants;
pub(crate) mod movements;
pub(crate) mod new_orders;
pub(crate) mod orders;
pub(crate) mod products;
pub(crate) mod reservations;
pub(crate) mod standings;
pub(crate) mod stock;
pub(crate) mod timeline;
pub(crate) mod transfers;
pub(crate) mod warehouses;

use std::collections::BTreeSet;

use quenty_kernel::{id::ProductId, money::Money};
use quenty_platform::{
    Result,
    row::{document, narrow, parse, parse_some, unreadable},
};
use rust_decimal::Decimal;
use uuid::Uuid;

pub(crate) fn uuids(products: &BTreeSet<ProductId>) -> Vec<Uuid> {
    products.iter().map(|id| id.uuid()).collect()
}

/// An amount and its currency.
pub(crate) fn money(amount: Decimal, currency: &str) -> Result<Money> {
    Money::new(amount, parse(currency)?).map_err(unreadable)
}

/// An amount that may be null, together with its currency.
pub(crate) fn some_money(amount: Option<Decimal>, currency: Option<&str>) -> Result<Option<Money>> {
    amount.zip(currency).map(|(amount, currency)| money(amount, currency)).transpose()
}
