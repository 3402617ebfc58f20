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

/// Pieces of a line of the order, and what they are worth.
struct Pieces<'a> {
    line: &'a OrderLine,
    quantity: u32,
    value: Money,
}

impl Cost {
    /// What so many pieces come to.
    fn value(self, quantity: u32) -> Result<Money, MoneyError> {
        self.unit_price.times(quantity)?.checked_sub(self.discount)?.checked_add(self.tax)
    }

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
    /// What all pieces of a product cost in place of this order's goods: as much as they did in it, and as much as Returns
    /// says if as many of them came back, in all or of one line. Another product, or more than was bought, costs `today`
    /// and is taxed as the order was.
    pub fn cost_of_replacement(
        &self,
        product: ProductId,
        quantity: u32,
        today: Money,
        returned: &[ReturnedValue],
    ) -> Result<Cost, TotalsError> {
        let money = |source| TotalsError::Money { pointer: "/lines".to_owned(), source };
        let beside = self.extras()?;
        let mut pieces = self.came_back(product, quantity, returned);
        if pieces.is_empty() {
            pieces = self.bought(beside, product, quantity).map_err(money)?;
        }
        if pieces.is_empty() {
            return self.cost_today(quantity, today).map_err(money);
        }
        self.cost_of(beside, quantity, &pieces).map_err(money)
    }

    /// What came back of a product, in all or of one line, if that is so many pieces.
    fn came_back(&self, product: ProductId, quantity: u32, returned: &[ReturnedValue]) -> Vec<Pieces<'_>> {
        let of_product = |of: &ReturnedValue| {
            let (_, line) = (1..).zip(&self.lines).find(|(number, _)| *number == of.line)?;
            (line.product_id == product).then_some(Pieces { line, quantity: of.quantity, value: of.value })
        };
        let all: Vec<_> = returned.iter().filter_map(of_product).collect();
        if all.iter().map(|pieces| u64::from(pieces.quantity)).sum::<u64>() == u64::from(quantity) {
            return all;
        }
        all.into_iter().find(|pieces| pieces.quantity == quantity).into_iter().collect()
    }

    /// So many pieces of a product as they were bought, line by line; none, if fewer were.
    fn bought(
        &self,
        beside: Extras,
        product: ProductId,
        quantity: u32,
    ) -> Result<Vec<Pieces<'_>>, MoneyError> {
        let (mut left, mut pieces) = (quantity, Vec::new());
        for line in self.lines.iter().filter(|line| line.product_id == product) {
            if left == 0 {
                break;
            }
            let quantity = left.min(line.quantity);
            let value = self.cost_as_bought(beside, line, quantity)?.value(quantity)?;
            pieces.push(Pieces { line, quantity, value });
            left -= quantity;
        }
        if left > 0 {
            pieces.clear();
        }
        Ok(pieces)
    }

    /// As one line at the dearest of their prices: the discount is what they are worth less. Each is taxed as it was.
    fn cost_of(&self, beside: Extras, quantity: u32, pieces: &[Pieces<'_>]) -> Result<Cost, MoneyError> {
        let none = Money::zero(self.totals.total.currency());
        let (mut unit_price, mut tax, mut value) = (none, none, none);
        for of in pieces {
            if of.line.unit_price.amount() > unit_price.amount() {
                unit_price = of.line.unit_price;
            }
            tax = tax.checked_add(self.cost_as_bought(beside, of.line, of.quantity)?.tax)?;
            value = value.checked_add(of.value)?;
        }
        Cost { unit_price, discount: none, tax }.exactly(quantity, value)
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
