//! What becomes of the goods, and how the buyer is paid.

use jiff::Timestamp;
use quenty_contracts::order::ExchangePlaced;
use quenty_contracts::returns::{
    RefundAmounts, ReturnCompleted, ReturnDisposed, ReturnExchanged, ReturnProcessed, ReturnRefunded,
};
use quenty_kernel::{
    Actor,
    money::{Money, MoneyError},
};

use super::{
    Outcome, Return, ReturnError, ReturnFact, Status,
    facts::{ReturnUnitsDisposed, UnitDisposition},
};
use crate::domain::words::{RefundMethod, Resolution};

/// What is decided of a return as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Processing {
    pub(crate) amounts: RefundAmounts,
    /// What the goods are expected to bring, less what that costs.
    pub(crate) recovery: Money,
    pub(crate) units: Vec<UnitDisposition>,
    /// Whether nothing of the order is left with the buyer then.
    pub(crate) order_returned_whole: bool,
}

/// Why a settlement cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error(transparent)]
    Return(#[from] ReturnError),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// The marker of an exchange that Order refused.
pub(crate) const EXCHANGE_FAILED: &str = "EXCHANGE_FAILED";

impl Return {
    /// Gives every unit its one disposition and fixes the money. Without money owed it ends here.
    pub(crate) fn process(&mut self, processing: Processing, by: &Actor, now: Timestamp) -> Outcome {
        self.check_processing(&processing.units)?;
        let Processing { amounts, recovery, units, order_returned_whole } = processing;
        let (return_id, company_id, order_id) = (self.id, self.company_id(), self.order_id());
        let processed =
            ReturnProcessed { return_id, company_id, order_id, amounts, recovery, processed_by: by.clone() };
        let mut facts = vec![self.apply(processed, now)];
        if !units.is_empty() {
            facts.push(self.apply(ReturnUnitsDisposed { units }, now));
        }
        if amounts.refund.is_zero() {
            let reason = "nothing is owed to the buyer".to_owned();
            facts.push(self.apply(ReturnDisposed { return_id, company_id, order_id, reason }, now));
            facts.push(self.complete(Status::Disposed, amounts.refund, order_returned_whole, now));
        }
        Ok(facts)
    }

    /// Before anything is locked or counted for it.
    pub(crate) fn check_may_process(&self) -> Result<(), ReturnError> {
        let lost = self.lost_at.is_some() && self.units.is_empty();
        if self.status == Status::Inspected || (lost && self.status.may_become(Status::Processed)) {
            return Ok(());
        }
        Err(ReturnError::IllegalMove { from: self.status, to: Status::Processed })
    }

    fn check_processing(&self, disposed: &[UnitDisposition]) -> Result<(), ReturnError> {
        self.check_may_process()?;
        let once = |line, unit| disposed.iter().filter(|of| (of.line, of.unit) == (line, unit)).count() == 1;
        let all = self.units.iter().all(|of| of.inspection.is_some() && once(of.line, of.unit));
        if all && disposed.len() == self.units.len() { Ok(()) } else { Err(ReturnError::UnitsLeft) }
    }

    /// The buyer has the money. Whoever fixed the amount does not say that it was paid.
    pub(crate) fn refund(
        &mut self,
        method: RefundMethod,
        reference: Option<String>,
        order_returned_whole: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Outcome {
        let amount = self.check_may_refund()?;
        if self.processed_by.as_ref() == Some(by) {
            return Err(ReturnError::SamePerson("decided on the amount"));
        }
        let outcome = if self.status == Status::Exchanged { Status::Exchanged } else { Status::Refunded };
        let (_, method) = self.refund_way(method)?;
        let refunded = ReturnRefunded {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            amount,
            method: method.as_str().to_owned(),
            reference,
        };
        let refunded = self.apply(refunded, now);
        Ok(vec![refunded, self.complete(outcome, amount, order_returned_whole, now)])
    }

    /// What is to be paid: the refund, or what the replacement left of it.
    pub(crate) fn check_may_refund(&self) -> Result<Money, ReturnError> {
        let illegal = ReturnError::IllegalMove { from: self.status, to: Status::Refunded };
        if let (Status::Exchanged, Some(left)) = (self.status, self.left_of_credit) {
            return Ok(left);
        }
        self.require(Status::Refunded)?;
        let (wanted, _) = self.refund_way(RefundMethod::Original)?;
        if wanted == Resolution::Exchange && !self.exchange_failed() {
            return Err(ReturnError::OtherResolution { wanted });
        }
        self.amounts.map(|amounts| amounts.refund).ok_or(illegal)
    }

    /// A buyer who wanted store credit gets that.
    fn refund_way(&self, method: RefundMethod) -> Result<(Resolution, RefundMethod), ReturnError> {
        let wanted: Resolution = self
            .request
            .resolution
            .parse()
            .map_err(|_| ReturnError::IllegalMove { from: self.status, to: Status::Refunded })?;
        Ok((wanted, if wanted == Resolution::StoreCredit { RefundMethod::StoreCredit } else { method }))
    }

    /// Whether the replacement is to be ordered, or to be tried again.
    pub(crate) fn check_may_exchange(&self) -> Result<Money, ReturnError> {
        self.require(Status::Exchanged)?;
        let (wanted, _) = self.refund_way(RefundMethod::Original)?;
        if wanted != Resolution::Exchange {
            return Err(ReturnError::OtherResolution { wanted });
        }
        let amount = self.amounts.map(|amounts| amounts.refund);
        amount.ok_or(ReturnError::IllegalMove { from: self.status, to: Status::Exchanged })
    }

    fn exchange_failed(&self) -> bool {
        self.attention.as_ref().is_some_and(|attention| attention.code == EXCHANGE_FAILED)
    }

    /// The replacement is ordered. What it leaves of the buyer's credit is still to be paid back.
    pub(crate) fn exchange(
        &mut self,
        placed: &ExchangePlaced,
        order_returned_whole: bool,
        now: Timestamp,
    ) -> Result<Vec<ReturnFact>, SettleError> {
        let credit = self.check_may_exchange()?;
        let left = credit.checked_sub(placed.paid)?;
        let exchanged = ReturnExchanged {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            exchange_order_id: placed.order_id,
            total: placed.total,
            left_of_credit: left,
        };
        let mut facts = vec![self.apply(exchanged, now)];
        if self.left_of_credit.is_none() {
            facts.push(self.complete(Status::Exchanged, left, order_returned_whole, now));
        }
        Ok(facts)
    }

    fn complete(&mut self, outcome: Status, refund: Money, whole: bool, now: Timestamp) -> ReturnFact {
        let completed = ReturnCompleted {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            outcome: outcome.as_str().to_owned(),
            returned: self.returned(),
            refund,
            order_returned_whole: whole,
        };
        self.apply(completed, now)
    }
}
