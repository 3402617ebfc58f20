//! What becomes of the goods, and how the buyer is paid.

use jiff::Timestamp;
use quenty_contracts::order::ExchangePlaced;
use quenty_contracts::returns::{
    RefundAmounts, ReturnCompleted, ReturnDisposed, ReturnExchanged, ReturnProcessed, ReturnRefunded,
    ReturnedValue,
};
use quenty_kernel::{
    Actor,
    money::{Money, MoneyError},
};

use super::{
    Outcome, Return, ReturnError, ReturnFact, Status,
    facts::{
        ReturnExchangeAsked, ReturnPayoutAsked, ReturnPayoutRefused, ReturnUnitsDisposed, UnitDisposition,
    },
    state::Payout,
};
use crate::domain::words::{Claim, RefundMethod, Resolution};

/// What is decided of a return as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Processing {
    pub(crate) amounts: RefundAmounts,
    /// What of them is for the goods of which line.
    pub(crate) values: Vec<ReturnedValue>,
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
/// The marker of a payout that the provider has not answered in time.
pub(super) const PAYOUT_UNANSWERED: &str = "PAYOUT_UNANSWERED";

impl Return {
    /// Gives every unit its one disposition and fixes the money. With neither money nor other goods owed it ends here.
    pub(crate) fn process(&mut self, processing: Processing, by: &Actor, now: Timestamp) -> Outcome {
        self.check_processing(&processing.units)?;
        let Processing { amounts, values, recovery, units, order_returned_whole } = processing;
        let processed = ReturnProcessed {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            amounts,
            values,
            recovery,
            processed_by: by.clone(),
        };
        let mut facts = vec![self.apply(processed, now)];
        if !units.is_empty() {
            facts.push(self.apply(ReturnUnitsDisposed { units }, now));
        }
        let owes_replacement = self.owes_replacement();
        if owes_replacement && self.check_may_exchange().is_err() {
            let detail = "nothing was paid for the goods, so that nothing pays for a replacement: order it by hand, \
                          without a price, and refund the return to close it";
            facts.extend(self.raise("FREE_EXCHANGE", detail, now));
        } else if !owes_replacement && amounts.refund.is_zero() {
            facts.extend(self.disposed(amounts.refund, order_returned_whole, now));
        }
        Ok(facts)
    }

    /// Whether other goods are owed for what was accepted or lost on its way, even if it had cost the buyer nothing.
    fn owes_replacement(&self) -> bool {
        let refused = Claim::Refused.as_str();
        let mut inspections = self.units.iter().filter_map(|of| of.inspection.as_ref());
        !self.request.exchange.is_empty()
            && (self.lost_at.is_some() || inspections.any(|inspection| inspection.found.claim != refused))
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

    /// The buyer has the money, paid by hand.
    pub(crate) fn refund(
        &mut self,
        method: RefundMethod,
        reference: Option<String>,
        order_returned_whole: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Outcome {
        let amount = self.check_may_pay(by)?;
        // Of goods that nothing was paid for; their replacement, if any, was ordered by hand.
        if amount.is_zero() {
            return Ok(self.disposed(amount, order_returned_whole, now));
        }
        let method = self.refund_method(method)?;
        Ok(self.refunded(amount, method, reference, order_returned_whole, now))
    }

    /// Has the payment provider pay what the buyer gets.
    pub(crate) fn ask_payout(&mut self, by: &Actor, now: Timestamp) -> Outcome {
        let amount = self.check_may_pay(by)?;
        // One that was not answered may have been received: it is asked for again under its own number.
        let number = self.payout.as_ref().map_or(self.payouts_refused + 1, |payout| payout.number);
        let payout = Payout { number, amount, asked_by: by.clone(), at: now };
        Ok(vec![self.apply(ReturnPayoutAsked { payout }, now)])
    }

    /// The payout of this number, while the provider is to make it.
    pub(crate) fn payout_under_way(&self, number: u32) -> Option<&Payout> {
        self.payout.as_ref().filter(|payout| payout.number == number && !self.is_payout_unanswered())
    }

    /// The provider has paid; nothing, if the return does not wait for that any more.
    pub(crate) fn finish_payout(
        &mut self,
        number: u32,
        reference: String,
        order_returned_whole: bool,
        now: Timestamp,
    ) -> Vec<ReturnFact> {
        let Some(amount) = self.payout.as_ref().filter(|of| of.number == number).map(|of| of.amount) else {
            return Vec::new();
        };
        self.refunded(amount, RefundMethod::Original, Some(reference), order_returned_whole, now)
    }

    /// The provider does not pay: somebody asks again, or pays by hand.
    pub(crate) fn refuse_payout(&mut self, number: u32, why: &str, now: Timestamp) -> Vec<ReturnFact> {
        if self.payout.as_ref().is_none_or(|of| of.number != number) {
            return Vec::new();
        }
        vec![self.apply(ReturnPayoutRefused { detail: why.to_owned() }, now)]
    }

    /// Who pays, or says that it is paid, is not who fixed the amount, and nobody pays beside the provider.
    fn check_may_pay(&self, by: &Actor) -> Result<Money, ReturnError> {
        let amount = self.check_may_refund()?;
        if self.processed_by.as_ref() == Some(by) {
            return Err(ReturnError::SamePerson("decided on the amount"));
        }
        self.check_no_payout()?;
        Ok(amount)
    }

    fn check_no_payout(&self) -> Result<(), ReturnError> {
        if self.payout.is_some() && !self.is_payout_unanswered() {
            return Err(ReturnError::PayoutUnderWay);
        }
        Ok(())
    }

    fn is_payout_unanswered(&self) -> bool {
        self.attention.as_ref().is_some_and(|attention| attention.code == PAYOUT_UNANSWERED)
    }

    fn refunded(
        &mut self,
        amount: Money,
        method: RefundMethod,
        reference: Option<String>,
        order_returned_whole: bool,
        now: Timestamp,
    ) -> Vec<ReturnFact> {
        let outcome = if self.status == Status::Exchanged { Status::Exchanged } else { Status::Refunded };
        let refunded = ReturnRefunded {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            amount,
            method: method.as_str().to_owned(),
            reference,
        };
        let refunded = self.apply(refunded, now);
        vec![refunded, self.complete(outcome, amount, order_returned_whole, now)]
    }

    fn disposed(&mut self, nothing: Money, order_returned_whole: bool, now: Timestamp) -> Vec<ReturnFact> {
        let disposed = ReturnDisposed {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            reason: "nothing is owed to the buyer".to_owned(),
        };
        let disposed = self.apply(disposed, now);
        vec![disposed, self.complete(Status::Disposed, nothing, order_returned_whole, now)]
    }

    /// What is to be paid: the refund, or what the replacement left of it.
    pub(crate) fn check_may_refund(&self) -> Result<Money, ReturnError> {
        let illegal = ReturnError::IllegalMove { from: self.status, to: Status::Refunded };
        if let (Status::Exchanged, Some(left)) = (self.status, self.left_of_credit) {
            return Ok(left);
        }
        self.require(Status::Refunded)?;
        if !self.exchange_failed && self.check_may_exchange().is_ok() {
            return Err(ReturnError::OtherResolution { wanted: Resolution::Exchange });
        }
        self.amounts.map(|amounts| amounts.refund).ok_or(illegal)
    }

    /// A buyer who wanted store credit gets that, whatever way is named.
    pub(crate) fn refund_method(&self, named: RefundMethod) -> Result<RefundMethod, ReturnError> {
        let is_credit = self.wanted_resolution()? == Resolution::StoreCredit;
        Ok(if is_credit { RefundMethod::StoreCredit } else { named })
    }

    fn wanted_resolution(&self) -> Result<Resolution, ReturnError> {
        let illegal = ReturnError::IllegalMove { from: self.status, to: Status::Refunded };
        self.request.resolution.parse().map_err(|_| illegal)
    }

    /// Whether the replacement is to be ordered, or to be tried again, and what the goods bring towards it. A shipping
    /// charge is refunded only where no replacement is sent.
    pub(crate) fn check_may_exchange(&self) -> Result<Money, ReturnError> {
        self.require(Status::Exchanged)?;
        let wanted = self.wanted_resolution()?;
        if wanted != Resolution::Exchange {
            return Err(ReturnError::OtherResolution { wanted });
        }
        if self.payout.is_some() {
            return Err(ReturnError::PayoutUnderWay);
        }
        // Of goods that nothing was paid for it would stand unpaid, while the buyer is told that it is ordered.
        let amounts = self.amounts.filter(|of| !of.goods.is_zero() && !of.refund.is_zero());
        let illegal = ReturnError::IllegalMove { from: self.status, to: Status::Exchanged };
        let credit =
            amounts.map(|of| if of.goods.amount() < of.refund.amount() { of.goods } else { of.refund });
        credit.ok_or(illegal)
    }

    /// Orders the replacement once more. Until that is refused, too, nobody pays the buyer instead.
    pub(crate) fn ask_exchange(&mut self, now: Timestamp) -> Outcome {
        self.check_may_exchange()?;
        // Of two requests at once, one may be refused and the buyer paid before the other is answered: only one that
        // failed, or that nobody answered in time, is made again.
        if self.attention.is_none() {
            return Err(ReturnError::IllegalMove { from: self.status, to: Status::Exchanged });
        }
        Ok(vec![self.apply(ReturnExchangeAsked {}, now)])
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
