//! A return: what may be done with it, and what happens then.
//!
//! Every method checks, builds its facts, applies them and hands them back to be recorded.

mod facts;
mod inspection;
mod settlement;
mod state;
mod status;
mod way_back;

use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use quenty_contracts::returns::{
    LineQuantity, ReturnApproved, ReturnCancelled, ReturnDisputed, ReturnExpired, ReturnReceived,
    ReturnRejected, ReturnRequested,
};
use quenty_kernel::Actor;

pub(crate) use facts::{ReturnFact, UnitDisposition, step_of};
pub(crate) use settlement::{EXCHANGE_FAILED, Processing, SettleError};
pub(crate) use state::{
    Approval, Attention, Booking, Dispute, DisputeOf, Ending, Payout, ReceivedUnit, ReturnState, Settlement,
};
pub(crate) use status::Status;
pub(crate) use way_back::{Booked, Load, News, Wanted};

use facts::{ReturnAttentionRaised, ReturnEndingAsked, ReturnErased, ReturnReferred};

use super::{
    approval::{Finding, Verdict},
    recall::RULE,
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReturnError {
    #[error("a return that is {from} cannot become {to}")]
    IllegalMove { from: Status, to: Status },
    #[error("a return that is {0} has no way back to arrange")]
    NoWayBack(Status),
    #[error("a return that is {0} is not on its way")]
    NotOnItsWay(Status),
    #[error("a {0} is arranged already")]
    BookedAlready(super::words::WayBack),
    #[error("the return ends as soon as its booking is given back")]
    Ending,
    #[error("the payment provider is asked to pay it")]
    PayoutUnderWay,
    #[error("only {left} units of line {line} are still on their way")]
    NotSoMany { line: u32, left: u32 },
    #[error("the return has no line {line}")]
    NoSuchLine { line: u32 },
    #[error("unit {unit} of line {line} was not received, or is named twice")]
    NoSuchUnit { line: u32, unit: u32 },
    #[error("unit {unit} of line {line} is inspected already")]
    InspectedAlready { line: u32, unit: u32 },
    #[error("nothing is named")]
    Nothing,
    #[error("whoever {0} cannot do this too")]
    SamePerson(&'static str),
    #[error("the buyer wants {wanted}, not this")]
    OtherResolution { wanted: super::words::Resolution },
    #[error("nobody knows any more whose return it is")]
    BuyerErased,
    #[error("not every unit is inspected, or has exactly one disposition")]
    UnitsLeft,
}

/// The aggregate. It is read as its [`ReturnState`], and changed by its methods only.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Return(ReturnState);

impl Deref for Return {
    type Target = ReturnState;
    fn deref(&self) -> &ReturnState {
        &self.0
    }
}

type Outcome = Result<Vec<ReturnFact>, ReturnError>;

impl Return {
    /// The way back from storage.
    pub(crate) fn restore(state: ReturnState) -> Self {
        Self(state)
    }

    /// Whether a recall asked for it.
    pub(crate) fn is_recalled(&self) -> bool {
        self.approval.as_ref().is_some_and(|approval| approval.rule == RULE)
    }

    /// A new return, approved at once if the rules say so; then its way back is arranged.
    pub(crate) fn request(
        request: ReturnRequested,
        verdict: Verdict,
        expires_after_days: u16,
        now: Timestamp,
    ) -> (Self, Vec<ReturnFact>) {
        let mut new = Self(ReturnState::requested(request.clone(), now));
        let mut facts = vec![ReturnFact::from(request)];
        match verdict {
            Verdict::Approved(finding) => facts.extend(new.approved(finding, expires_after_days, now)),
            Verdict::ByHand(findings) => facts.push(new.apply(ReturnReferred { findings }, now)),
        }
        (new, facts)
    }

    /// A person's decision, after a request or a dispute over its rejection.
    pub(crate) fn approve(&mut self, note: Option<&str>, expires_after_days: u16, now: Timestamp) -> Outcome {
        self.require_decision(Status::Approved)?;
        let detail = note.unwrap_or("decided by a person").to_owned();
        let finding = Finding { rule: "BY_HAND".to_owned(), detail };
        Ok(self.approved(finding, expires_after_days, now))
    }

    pub(crate) fn reject(&mut self, reason: &str, now: Timestamp) -> Outcome {
        self.require_decision(Status::Rejected)?;
        let rejected = ReturnRejected {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            reason: reason.to_owned(),
        };
        Ok(vec![self.apply(rejected, now)])
    }

    /// The buyer objects: to the rejection, or to what the inspection says.
    pub(crate) fn dispute(&mut self, reason: &str, now: Timestamp) -> Outcome {
        self.require(Status::Disputed)?;
        if self.request.buyer.is_erased() {
            return Err(ReturnError::BuyerErased);
        }
        let of = if self.status == Status::Rejected { DisputeOf::Rejection } else { DisputeOf::Inspection };
        let disputed = ReturnDisputed {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            of: of.as_str().to_owned(),
            reason: reason.to_owned(),
        };
        Ok(vec![self.apply(disputed, now)])
    }

    /// Forgets the buyer; nothing to tell when nobody knows any more.
    pub(crate) fn erase(&mut self, now: Timestamp) -> Vec<ReturnFact> {
        if self.request.buyer.is_erased() && self.request.notes.is_none() {
            return Vec::new();
        }
        vec![self.apply(ReturnErased {}, now)]
    }

    /// Ends it before the goods are on their way. Where a driver or a parcel may be under way, whoever has the booking
    /// decides who was first.
    pub(crate) fn cancel(&mut self, reason: &str, now: Timestamp) -> Outcome {
        self.require(Status::Cancelled)?;
        // Nobody answered, and somebody was told: ask again.
        if self.ending.is_some() && self.attention.is_none() {
            return Err(ReturnError::Ending);
        }
        Ok(self.begin_to_end(Ending::Cancelled, reason, now))
    }

    /// Some of it arrived: by the driver, by a carrier, or brought by the buyer.
    pub(crate) fn receive(&mut self, arrived: &[LineQuantity], by: &Actor, now: Timestamp) -> Outcome {
        self.require(Status::Received)?;
        if arrived.is_empty() || arrived.iter().any(|of| of.quantity == 0) {
            return Err(ReturnError::Nothing);
        }
        for (index, of) in arrived.iter().enumerate() {
            let line = of.line;
            let wanted = self.request.lines.iter().find(|wanted| wanted.line == line);
            let wanted = wanted.ok_or(ReturnError::NoSuchLine { line })?.quantity;
            let left = wanted.saturating_sub(self.received_of(line));
            let named_before = arrived.iter().take(index).any(|before| before.line == line);
            if named_before || of.quantity > left {
                return Err(ReturnError::NotSoMany { line, left });
            }
        }
        let missing: u32 = self.outstanding().iter().map(|of| of.quantity).sum();
        let came: u32 = arrived.iter().map(|of| of.quantity).sum();
        // Brought by the buyer while somebody is to come for it: nobody needs to.
        let mut facts: Vec<_> = self
            .give_booking_back(way_back::GOODS_ARRIVED)
            .filter(|_| self.status.is_before_pickup())
            .into_iter()
            .collect();
        let received = ReturnReceived {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            arrived: arrived.to_vec(),
            complete: came == missing,
            warehouse_id: self.request.warehouse_id,
            received_by: by.clone(),
        };
        for fact in &facts {
            self.0.apply(fact, now);
        }
        facts.push(self.apply(received, now));
        Ok(facts)
    }

    /// A saga's step was not over in time; nothing, if it was meanwhile.
    pub(crate) fn expire(&mut self, number: u32, now: Timestamp) -> Vec<ReturnFact> {
        if self.deadline.is_none_or(|deadline| deadline.number != number) {
            return Vec::new();
        }
        let expires = self.approval.as_ref().map(|approval| approval.expires_at);
        let is_due = self.status.may_become(Status::Expired) && expires.is_some_and(|at| at <= now);
        if is_due && self.ending.is_none() {
            return self.begin_to_end(Ending::Expired, "nothing arrived in time", now);
        }
        let (code, detail) = match self.status {
            Status::Requested | Status::Disputed => ("DECISION_OVERDUE", "nobody has decided"),
            Status::Approved if self.booking.asked.is_some() && self.ending.is_none() => {
                ("WAY_BACK_UNANSWERED", "neither a driver nor a label was promised in time; ask again")
            }
            Status::PickupScheduled if self.ending.is_none() => (
                way_back::PICKUP_OVERDUE,
                "the promised window is over for a day, and nobody has collected it; have Pickup promise another, or \
                 cancel",
            ),
            Status::Approved | Status::PickupScheduled | Status::LabelIssued => (
                "ENDING_UNANSWERED",
                "nobody says whether the booking was given back; cancel the return to ask again",
            ),
            Status::PickedUp | Status::InTransit if self.arrived_at.is_some() => {
                ("RECEIPT_OVERDUE", "it is at the warehouse, and nobody has received it")
            }
            Status::PickedUp | Status::InTransit => ("STUCK_IN_TRANSIT", "it has been on the road too long"),
            Status::Received => ("INSPECTION_OVERDUE", "nobody has inspected it"),
            Status::Inspected => ("PROCESSING_OVERDUE", "nobody has decided what becomes of the goods"),
            _ if self.payout.is_some() => (
                settlement::PAYOUT_UNANSWERED,
                "the payment provider does not answer; find out there whether it paid, and record that with its \
                 reference, or ask it again",
            ),
            _ => ("SETTLEMENT_OVERDUE", "the buyer waits for the money or the replacement"),
        };
        self.raise(code, detail, now)
    }

    /// Something went wrong that a person has to see.
    pub(crate) fn raise(&mut self, code: &str, detail: &str, now: Timestamp) -> Vec<ReturnFact> {
        let attention = Attention { code: code.to_owned(), detail: detail.to_owned() };
        vec![self.apply(ReturnAttentionRaised { attention }, now)]
    }

    fn approved(&mut self, finding: Finding, expires_after_days: u16, now: Timestamp) -> Vec<ReturnFact> {
        let approved = ReturnApproved {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            rule: finding.rule,
            detail: finding.detail,
            expires_at: now + SignedDuration::from_hours(24 * i64::from(expires_after_days)),
        };
        vec![self.apply(approved, now)]
    }

    /// Ends now, or asks whoever is to come for the goods first.
    fn begin_to_end(&mut self, ending: Ending, reason: &str, now: Timestamp) -> Vec<ReturnFact> {
        let Some(asked) = self.give_booking_back(reason) else {
            return vec![self.end(ending, reason, now)];
        };
        self.0.apply(&asked, now);
        let ending = ReturnEndingAsked { ending, reason: reason.to_owned() };
        vec![asked, self.apply(ending, now)]
    }

    fn end(&mut self, ending: Ending, reason: &str, now: Timestamp) -> ReturnFact {
        let (return_id, company_id, order_id) = (self.id, self.company_id(), self.order_id());
        match ending {
            Ending::Cancelled => {
                let reason = reason.to_owned();
                self.apply(ReturnCancelled { return_id, company_id, order_id, reason }, now)
            }
            Ending::Expired => self.apply(ReturnExpired { return_id, company_id, order_id }, now),
        }
    }

    fn require_decision(&self, to: Status) -> Result<(), ReturnError> {
        self.require(to)?;
        let of_inspection = self.dispute.as_ref().is_some_and(|dispute| dispute.of == DisputeOf::Inspection);
        let decides = self.status == Status::Requested || (self.status == Status::Disputed && !of_inspection);
        if decides { Ok(()) } else { Err(ReturnError::IllegalMove { from: self.status, to }) }
    }

    fn require(&self, to: Status) -> Result<(), ReturnError> {
        if self.status.may_become(to) {
            Ok(())
        } else {
            Err(ReturnError::IllegalMove { from: self.status, to })
        }
    }

    fn apply(&mut self, fact: impl Into<ReturnFact>, now: Timestamp) -> ReturnFact {
        let fact = fact.into();
        self.0.apply(&fact, now);
        fact
    }
}

#[cfg(test)]
mod tests;
