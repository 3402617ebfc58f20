//! The only SQL of the service. A function here reads or writes; it decides nothing.

pub(crate) mod backorders;
pub(crate) mod customers;
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

use quenty_kernel::money::Money;
use quenty_platform::{Error, Result};
use rust_decimal::Decimal;

/// For a column that breaks the rules of the type that it is read into: a bug or a hand at work, never
/// the caller's fault.
pub(crate) fn unreadable(why: impl std::fmt::Display) -> Error {
    Error::internal(format!("a row cannot be read: {why}"))
}

/// A text column as the value type that it was written from.
pub(crate) fn parse<T>(text: &str) -> Result<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(unreadable)
}

/// A text column that may be null.
pub(crate) fn parse_some<T>(text: Option<String>) -> Result<Option<T>>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.as_deref().map(parse).transpose()
}

/// A number column as a narrower type.
pub(crate) fn narrow<T, F: TryInto<T>>(number: F) -> Result<T>
where
    F::Error: std::fmt::Display,
{
    number.try_into().map_err(unreadable)
}

/// An amount and its currency.
pub(crate) fn money(amount: Decimal, currency: &str) -> Result<Money> {
    Money::new(amount, parse(currency)?).map_err(unreadable)
}

/// An amount that may be null, together with its currency.
pub(crate) fn some_money(amount: Option<Decimal>, currency: Option<&str>) -> Result<Option<Money>> {
    amount.zip(currency).map(|(amount, currency)| money(amount, currency)).transpose()
}
