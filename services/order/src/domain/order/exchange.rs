//! What goods cost that replace returned ones. Returns credits what the buyer paid for those, taxes in and discounts
//! off: whoever changes like for like owes nothing and gets nothing.

use quenty_kernel::{
    id::ProductId,
    money::{Money, MoneyError, round_half_even},
};
use rust_decimal::Decimal;

use super::{
    Order,
    totals::{Extras, TotalsError},
};

/// The amounts of a line of a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub unit_price: Money,
    pub discount: Money,
    pub tax: Money,
}

impl Order {
    /// What so many pieces cost in place of this order's goods: as much as they did in it. Another product, or more
    /// than was bought, costs `today` and is taxed as the order was.
    pub fn cost_of_replacement(
        &self,
        product: ProductId,
        quantity: u32,
        today: Money,
    ) -> Result<Cost, TotalsError> {
        let beside = self.extras()?;
        self.cost(beside, product, quantity, today)
            .map_err(|source| TotalsError::Money { pointer: "/lines".to_owned(), source })
    }

    fn cost(
        &self,
        beside: Extras,
        product: ProductId,
        quantity: u32,
        today: Money,
    ) -> Result<Cost, MoneyError> {
        let none = Money::zero(self.totals.total.currency());
        let bought = self.lines.iter().find(|line| line.product_id == product && quantity <= line.quantity);
        let Some(line) = bought else {
            let net = self.totals.subtotal.checked_sub(self.totals.discount)?;
            let tax = part(self.totals.tax, today.times(quantity)?.amount(), net.amount())?;
            return Ok(Cost { unit_price: today, discount: none, tax });
        };
        let net = line.total.checked_sub(line.tax)?;
        let all = Money::total(none.currency(), self.lines.iter().map(|line| line.total))?
            .checked_sub(Money::total(none.currency(), self.lines.iter().map(|line| line.tax))?)?;
        // What was charged or discounted for the order as a whole goes by what its lines cost.
        let share = |own: Money, beside: Option<Money>| {
            let beside = part(beside.unwrap_or(none), net.amount(), all.amount())?;
            part(own.checked_add(beside)?, quantity.into(), line.quantity.into())
        };
        Ok(Cost {
            unit_price: line.unit_price,
            discount: share(line.discount, beside.discount)?,
            tax: share(line.tax, beside.tax)?,
        })
    }
}

/// `amount × of ÷ whole`; of nothing, nothing.
fn part(amount: Money, of: Decimal, whole: Decimal) -> Result<Money, MoneyError> {
    if whole.is_zero() {
        return Ok(Money::zero(amount.currency()));
    }
    let exact = amount.amount().checked_mul(of).and_then(|product| product.checked_div(whole));
    Money::new(round_half_even(exact.ok_or(MoneyError::TooLarge)?, amount.currency()), amount.currency())
}
