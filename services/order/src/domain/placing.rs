//! Why an order cannot be placed, and what is paid of it before it is.

use quenty_contracts::order::OrderTotals;
use quenty_kernel::{id::OrderId, money::Money};

use super::order::{Payment, totals::TotalsError};

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
    #[error("the company sells to this customer no more")]
    CustomerBlocked,
    #[error("the company has no warehouse")]
    NoWarehouse,
}

/// Money that the merchant has before the order is placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaidBefore {
    /// All that the order costs.
    Whole { reference: Option<String> },
    /// The order takes what it needs of it.
    Credit { amount: Money, reference: String },
}

impl PaidBefore {
    /// What of it pays an order of this total.
    pub fn payment(self, total: Money) -> Result<Payment, TotalsError> {
        match self {
            Self::Whole { reference } => Ok(Payment { amount: total, reference }),
            Self::Credit { amount, reference } => {
                let rest = amount
                    .non_negative()
                    .and_then(|amount| total.checked_sub(amount))
                    .map_err(|source| TotalsError::Money { pointer: "/credit".to_owned(), source })?;
                let amount = if rest.is_negative() { total } else { amount };
                Ok(Payment { amount, reference: Some(reference) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quenty_kernel::currency::Currency;

    use super::*;

    fn money(amount: &str, currency: Currency) -> Money {
        Money::parse(amount, currency).unwrap()
    }

    #[test]
    fn an_order_takes_of_a_credit_what_it_costs_and_no_more() {
        let total = money("100", Currency::COP);
        let taken = |credit| {
            let credit = PaidBefore::Credit { amount: credit, reference: "RET".to_owned() };
            credit.payment(total).map(|payment| payment.amount)
        };
        for (credit, expected) in [("0", "0"), ("99.99", "99.99"), ("100", "100"), ("250", "100")] {
            assert_eq!(taken(money(credit, Currency::COP)), Ok(money(expected, Currency::COP)), "{credit}");
        }
        for credit in [money("-1", Currency::COP), money("100", Currency::USD)] {
            assert!(matches!(taken(credit), Err(TotalsError::Money { pointer, .. }) if pointer == "/credit"));
        }
    }
}
