//! What goods cost that replace returned ones. Returns credits what the buyer paid for those, taxes in and discounts
//! off: whoever changes like for like owes nothing and gets nothing.

use quenty_contracts::{order::OrderLine, returns::ReturnedValue};
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

impl Cost {
    /// The same for exactly this: of what does not divide among pieces, one may have a minor unit more than another, and
    /// which they were, only Returns knows.
    fn exactly(self, quantity: u32, value: Money) -> Result<Self, MoneyError> {
        let gross = self.unit_price.times(quantity)?;
        let tax = if value.checked_sub(self.tax)?.is_negative() { value } else { self.tax };
        let discount = gross.checked_add(tax)?.checked_sub(value)?;
        if discount.is_negative() {
            let discount = Money::zero(value.currency());
            return Ok(Self { discount, tax: value.checked_sub(gross)?, ..self });
        }
        Ok(Self { discount, tax, ..self })
    }
}

impl Order {
    /// What so many pieces cost in place of this order's goods: as much as they did in it, and as much as Returns says if
    /// as many of them came back. Another product, or more than was bought, costs `today` and is taxed as the order was.
    pub fn cost_of_replacement(
        &self,
        product: ProductId,
        quantity: u32,
        today: Money,
        returned: &[ReturnedValue],
    ) -> Result<Cost, TotalsError> {
        let money = |source| TotalsError::Money { pointer: "/lines".to_owned(), source };
        let beside = self.extras()?;
        let like_for_like = returned.iter().filter(|of| of.quantity == quantity).find_map(|of| {
            let (_, line) = (1..).zip(&self.lines).find(|(number, _)| *number == of.line)?;
            (line.product_id == product).then_some((line, of.value))
        });
        if let Some((line, value)) = like_for_like {
            let cost = self.cost_as_bought(beside, line, quantity).map_err(money)?;
            return cost.exactly(quantity, value).map_err(money);
        }
        let bought = self.lines.iter().find(|line| line.product_id == product && quantity <= line.quantity);
        match bought {
            Some(line) => self.cost_as_bought(beside, line, quantity).map_err(money),
            None => self.cost_today(quantity, today).map_err(money),
        }
    }

    fn cost_today(&self, quantity: u32, today: Money) -> Result<Cost, MoneyError> {
        let net = self.totals.subtotal.checked_sub(self.totals.discount)?;
        let tax = part(self.totals.tax, today.times(quantity)?.amount(), net.amount())?;
        Ok(Cost { unit_price: today, discount: Money::zero(tax.currency()), tax })
    }

    fn cost_as_bought(&self, beside: Extras, line: &OrderLine, quantity: u32) -> Result<Cost, MoneyError> {
        let none = Money::zero(self.totals.total.currency());
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
