//! What Returns knows of a delivered order: how much of each line may still come back, and what may still be refunded.

use jiff::Timestamp;
use quenty_contracts::{
    order::OrderDelivered,
    party::{Item, Party},
    returns::LineQuantity,
};
use quenty_kernel::{
    id::{CompanyId, CustomerId, OrderId, ProductId, WarehouseId},
    money::{Money, MoneyError},
};

use super::refund::{LineValue, line_values};

/// One line of a delivered order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeliveredLine {
    /// Its place in the order, from 1.
    pub(crate) line: u32,
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) quantity: u32,
    /// What the buyer paid for all of it.
    pub(crate) value: LineValue,
    /// Weight and customs value of one unit.
    pub(crate) item: Item,
    /// The product's category, as Order last told it.
    pub(crate) category: Option<String>,
    /// Units that are coming back or came back.
    pub(crate) claimed: u32,
    /// Units whose refund is settled, whatever it came to.
    pub(crate) settled: u32,
}

/// A delivered order, under the lock of its row whenever something is decided by it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeliveredOrder {
    pub(crate) id: OrderId,
    pub(crate) company_id: CompanyId,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) external_reference: Option<String>,
    pub(crate) delivered_at: Timestamp,
    pub(crate) warehouse_id: WarehouseId,
    /// The buyer.
    pub(crate) consignee: Party,
    /// The warehouse, in the merchant's name.
    pub(crate) sender: Party,
    pub(crate) paid: Money,
    /// What returns have given back, or are about to.
    pub(crate) refunded: Money,
    pub(crate) lines: Vec<DeliveredLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    #[error("the order has no line {line}")]
    NoSuchLine { line: u32 },
    #[error("line {line} is named twice")]
    NamedTwice { line: u32 },
    #[error("only {left} of line {line} can still come back")]
    NotSoMany { line: u32, left: u32 },
}

impl DeliveredOrder {
    /// What Order told; nothing, for facts of before it told where the goods went.
    pub(crate) fn of(fact: OrderDelivered) -> Result<Option<Self>, MoneyError> {
        let (Some(consignee), Some(sender), Some(warehouse_id)) =
            (fact.consignee, fact.sender, fact.warehouse_id)
        else {
            return Ok(None);
        };
        let values = line_values(&fact.totals, &fact.lines)?;
        let lines = (1..).zip(fact.lines).zip(values).zip(fact.items);
        let line =
            |(((line, of), value), item): (((u32, quenty_contracts::order::OrderLine), LineValue), Item)| {
                let (product_id, sku, name, quantity) = (of.product_id, of.sku, of.name, of.quantity);
                DeliveredLine {
                    line,
                    product_id,
                    sku,
                    name,
                    quantity,
                    value,
                    item,
                    category: None,
                    claimed: 0,
                    settled: 0,
                }
            };
        let zero = Money::zero(fact.totals.total.currency());
        Ok(Some(Self {
            id: fact.order_id,
            company_id: fact.company_id,
            customer_id: fact.customer_id,
            external_reference: fact.external_reference,
            delivered_at: fact.at,
            warehouse_id,
            consignee,
            sender,
            paid: fact.paid.unwrap_or(zero),
            refunded: zero,
            lines: lines.map(line).collect(),
        }))
    }

    pub(crate) fn line(&self, line: u32) -> Option<&DeliveredLine> {
        self.lines.iter().find(|of| of.line == line)
    }

    fn line_mut(&mut self, line: u32) -> Result<&mut DeliveredLine, ClaimError> {
        self.lines.iter_mut().find(|of| of.line == line).ok_or(ClaimError::NoSuchLine { line })
    }

    /// Sets units aside for a return: never more than were delivered and have not come back.
    pub(crate) fn claim(&mut self, wanted: &[LineQuantity]) -> Result<(), ClaimError> {
        for (index, LineQuantity { line, quantity }) in wanted.iter().enumerate() {
            if wanted.iter().take(index).any(|before| before.line == *line) {
                return Err(ClaimError::NamedTwice { line: *line });
            }
            let of = self.line_mut(*line)?;
            let left = of.quantity.saturating_sub(of.claimed);
            if *quantity > left {
                return Err(ClaimError::NotSoMany { line: *line, left });
            }
            of.claimed += quantity;
        }
        Ok(())
    }

    /// Gives units back that do not come after all.
    pub(crate) fn release(&mut self, unused: &[LineQuantity]) {
        for LineQuantity { line, quantity } in unused {
            if let Ok(of) = self.line_mut(*line) {
                of.claimed = of.claimed.saturating_sub(*quantity);
            }
        }
    }

    /// Units whose money is decided, and what it came to.
    pub(crate) fn settle(&mut self, units: &[LineQuantity], refund: Money) -> Result<(), MoneyError> {
        for LineQuantity { line, quantity } in units {
            if let Ok(of) = self.line_mut(*line) {
                of.settled += quantity;
            }
        }
        self.refunded = self.refunded.checked_add(refund)?;
        Ok(())
    }

    /// What may still be paid back.
    pub(crate) fn left_to_refund(&self) -> Result<Money, MoneyError> {
        let left = self.paid.checked_sub(self.refunded)?;
        Ok(if left.is_negative() { Money::zero(left.currency()) } else { left })
    }

    /// Whether nothing is left with the buyer, once all that is claimed has come.
    pub(crate) fn is_returned_whole(&self) -> bool {
        self.lines.iter().all(|line| line.settled >= line.quantity)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_an_order_on_credit_nothing_is_paid_that_order_does_not_say() {
        let (price, zero) =
            (json!({"amount": "100.00", "currency": "COP"}), json!({"amount": "0.00", "currency": "COP"}));
        let party =
            json!({"name": "Ana", "address": {"line1": "Calle 1", "city": "Bogotá", "country": "CO"}});
        let fact: OrderDelivered = serde_json::from_value(json!({
            "order_id": OrderId::new(), "company_id": CompanyId::new(), "at": "2026-05-05T14:00:00Z",
            "lines": [{"product_id": ProductId::new(), "sku": "CAM", "name": "Camisa", "quantity": 1, "unit_price": price,
                "discount": zero, "tax": zero, "total": price}],
            "totals": {"subtotal": price, "discount": zero, "shipping": zero, "tax": zero, "total": price},
            "payment_method": "credit", "paid": zero, "consignee": party, "sender": party, "warehouse_id": WarehouseId::new(),
            "items": [{"sku": "CAM", "description": "Camisa", "quantity": 1, "unit_value": price, "unit_weight_grams": 300}],
        }))
        .unwrap();
        assert!(DeliveredOrder::of(fact).unwrap().unwrap().left_to_refund().unwrap().is_zero());
    }
}
