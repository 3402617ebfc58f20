//! What was paid for an order, and what of it was paid back.

use jiff::Timestamp;
use quenty_contracts::order::OrderPaid;
use quenty_kernel::{id::ReturnId, money::Money};

use super::{
    Order, OrderError, OrderState, PaymentMethod, PaymentStatus, Status, facts::OrderRefunded,
    status::HoldCode,
};

/// Money that the merchant received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub amount: Money,
    /// The payment's own name: a receipt, a transfer, a return.
    pub reference: Option<String>,
}

impl OrderState {
    /// What is still to be paid.
    #[must_use]
    pub fn due(&self) -> Money {
        // Both have the order's currency, and no more was paid than the total.
        self.totals.total.checked_sub(self.paid).unwrap_or(self.totals.total)
    }

    /// What of the payments was not paid back.
    #[must_use]
    pub fn left_to_refund(&self) -> Money {
        // As above: no more is paid back than was paid.
        self.paid.checked_sub(self.refunded).unwrap_or(self.paid)
    }
}

impl Order {
    /// Records that the merchant received the money of a prepaid order: all of it, or what a credit has left. Also of one
    /// that ended meanwhile: then it can be paid back.
    pub fn pay(&mut self, payment: Payment, now: Timestamp) -> Result<(), OrderError> {
        if self.payment_method != PaymentMethod::Prepaid {
            return Err(OrderError::NotPrepaid(self.payment_method));
        }
        if self.payment_status != PaymentStatus::Unpaid {
            return Err(OrderError::AlreadyPaid);
        }
        if payment.amount != self.due() {
            return Err(OrderError::AmountDiffers(self.due()));
        }
        self.record_paid(payment, now);
        self.resume_if(now, |code| code == HoldCode::PaymentMissing);
        self.proceed(now);
        Ok(())
    }

    /// The cash of an order paid at the door is in. Told twice, it is in once.
    pub fn collect_cash(&mut self, amount: Money, now: Timestamp) {
        if self.payment_status == PaymentStatus::CodPending && amount == self.totals.total {
            self.record_paid(Payment { amount, reference: Some("cash on delivery".to_owned()) }, now);
        }
    }

    /// An order that is not paid whole is not paid.
    pub(super) fn record_paid(&mut self, payment: Payment, now: Timestamp) {
        let is_whole = payment.amount == self.due();
        let payment_status = if is_whole { PaymentStatus::Paid } else { self.payment_status };
        let Payment { amount, reference } = payment;
        let payment_status = payment_status.as_str().to_owned();
        self.happen(OrderPaid { order_id: self.id, amount, reference, payment_status }, now);
    }

    /// Records by hand that the merchant paid money back of an order that nobody got: all that is left, unless an
    /// amount is told. Of delivered goods Returns says what is paid back.
    pub fn refund(
        &mut self,
        amount: Option<Money>,
        reference: Option<String>,
        now: Timestamp,
    ) -> Result<(), OrderError> {
        if !matches!(self.status, Status::Cancelled | Status::Lost | Status::ReturnedToSender) {
            return Err(OrderError::NotRefundable(self.status));
        }
        let left = self.left_to_refund();
        if left.is_zero() {
            return Err(OrderError::NothingToRefund);
        }
        let amount = amount.unwrap_or(left);
        if amount.currency() != left.currency() {
            return Err(OrderError::RefundCurrency(left.currency()));
        }
        if amount.is_zero() || amount.is_negative() {
            return Err(OrderError::RefundNotPositive(amount));
        }
        self.record_refund(None, amount, reference, now)
    }

    /// Money went back: never more than was paid.
    pub(super) fn record_refund(
        &mut self,
        return_id: Option<ReturnId>,
        refund: Money,
        reference: Option<String>,
        now: Timestamp,
    ) -> Result<(), OrderError> {
        if refund.is_zero() {
            return Ok(());
        }
        let (paid, refunded) = (self.paid, self.refunded);
        let left = refund
            .non_negative()
            .and_then(|refund| refunded.checked_add(refund))
            .and_then(|refunded| paid.checked_sub(refunded))
            .and_then(Money::non_negative)
            .map_err(|_| OrderError::RefundTooLarge { refund, paid, refunded })?;
        let payment_status =
            if left.is_zero() { PaymentStatus::Refunded } else { PaymentStatus::PartiallyRefunded };
        let payment_status = payment_status.as_str().to_owned();
        let order_id = self.id;
        self.happen(OrderRefunded { order_id, return_id, amount: refund, reference, payment_status }, now);
        Ok(())
    }
}
