//! A pickup: what may be done with it, and what happens then.
//!
//! Every method checks, builds its fact, applies it and hands it back to be recorded.

mod facts;
mod state;
mod status;

use std::ops::Deref;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use quenty_contracts::{
    party::Party,
    pickup::{
        ExpressMissed, PickupAbandoned, PickupArrived, PickupAssigned, PickupCancelRefused, PickupCancelled,
        PickupCompleted, PickupFailed, PickupRejected, PickupRescheduled, PickupScheduled, PickupStarted,
        PickupUnassigned,
    },
};
use quenty_kernel::{
    contact::{Email, PersonName, Phone, Text},
    geo::GeoPoint,
    id::{DriverId, OrderId, PickupId, ReturnId},
    measure::Grams,
};

pub(crate) use facts::{ErasureFact, PickupErased, PickupFact, PickupSigned, PickupUpdated};
pub(crate) use state::{FailedAttempt, PickupState, Promise, Proof, Reason, RescheduledBy};
pub use status::Status;

use super::{
    booking::{BookingRequest, PickupKind, Placement, Unbookable},
    fees::{Cost, FeeTable, Priced},
    signature::Signature,
    timetable::Window,
};

/// The attempt after whose failure nobody comes again.
pub(crate) const MAX_ATTEMPTS: usize = 3;
pub(crate) const MAX_MERCHANT_RESCHEDULES: u32 = 2;
/// Who collects at midnight leaves on the day before.
const ON_THE_WAY_BEFORE: SignedDuration = SignedDuration::from_hours(2);
/// A driver's clock may be this far ahead of ours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// For so long a driver may tell that something was collected that had been cancelled. Whoever has it is back where there is
/// network by the next evening; who taps on a stop of last week has the wrong one, and nobody can rely on an end that has none.
const TOLD_AFTER_CANCELLATION: SignedDuration = SignedDuration::from_hours(48);
/// A driver who was there in time may report it so much after the end of a guarantee: there is no network in cellars. A
/// refund that comes half an hour later harms nobody; one that were taken back would.
pub(crate) const REPORTED_WITHIN: SignedDuration = SignedDuration::from_mins(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PickupError {
    #[error("a pickup that is {from} cannot become {to}", from = from.as_str(), to = to.as_str())]
    IllegalMove { from: Status, to: Status },
    #[error("the driver is not on the way: the pickup is {}", .0.as_str())]
    NotInProgress(Status),
    #[error("nobody has to be on the way before {0}")]
    TooEarly(Timestamp),
    #[error("it cannot have happened yet")]
    InTheFuture,
    #[error("nobody can have been on the way to it then")]
    BeforeThePickup,
    #[error("it was cancelled, and until {0} nobody had told that it was collected for all that")]
    ToldTooLate(Timestamp),
    #[error("a pickup that is {} cannot be changed", .0.as_str())]
    Closed(Status),
    #[error("a merchant may reschedule a pickup {MAX_MERCHANT_RESCHEDULES} times")]
    RescheduleLimit,
    #[error("its express guarantee is over, and until {0} its driver may tell that it was kept")]
    NotJudgedYet(Timestamp),
    #[error("nothing shows who handed the parcels over")]
    ProofRequired,
    #[error("{booked} parcels were booked")]
    CountDiffers { booked: u32 },
}

quenty_kernel::words! {
    /// Why an attempt failed.
    pub(crate) enum FailureCode ("failure code") {
        NotReady = "NOT_READY",
        Closed = "CLOSED",
        WrongAddress = "WRONG_ADDRESS",
        NoAccess = "NO_ACCESS",
        /// None of the reasons that lie with who hands over: no attempt of theirs.
        Other = "OTHER",
    }
}

/// What changes of the person who hands over; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContactChange {
    pub(crate) name: Option<Text<120>>,
    pub(crate) phone: Option<Option<Phone>>,
    pub(crate) email: Option<Option<Email>>,
}

/// What the driver reports at the hand-over.
#[derive(Debug, Clone)]
pub(crate) struct HandOver {
    pub(crate) parcel_count: u32,
    /// Why that is not what was booked.
    pub(crate) difference: Option<Text<300>>,
    pub(crate) weight_grams: Option<Grams>,
    pub(crate) handed_over_by: Option<PersonName>,
    pub(crate) position: Option<GeoPoint>,
    pub(crate) signature_svg: Option<Signature>,
}

impl HandOver {
    /// What is nobody's.
    fn of_nobody(self) -> Self {
        Self { difference: None, handed_over_by: None, position: None, signature_svg: None, ..self }
    }
}

/// The aggregate. It is read as its [`PickupState`], and changed by its methods only.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pickup(PickupState);

impl Deref for Pickup {
    type Target = PickupState;
    fn deref(&self) -> &PickupState {
        &self.0
    }
}

type Outcome = Result<PickupFact, PickupError>;

impl Pickup {
    /// The way back from storage.
    pub(crate) fn restore(state: PickupState) -> Self {
        Self(state)
    }

    /// A pickup whose place is taken.
    pub(crate) fn schedule(
        id: PickupId,
        request: BookingRequest,
        placement: &Placement,
        now: Timestamp,
    ) -> (Self, [PickupFact; 2]) {
        let scheduled = PickupScheduled {
            pickup_id: id,
            company_id: request.company_id,
            order_id: request.order_id,
            return_id: request.return_id,
            attempt: request.attempt,
            kind: request.kind.as_str().to_owned(),
            service_area_id: placement.area.id,
            window_start: placement.window.start,
            window_end: placement.window.end,
            time_zone: placement.area.definition.time_zone.as_str().to_owned(),
            slot_start: placement.slot_start,
            contact: request.contact.clone(),
            parcels: request.parcels.clone(),
            cost: placement.cost.total,
            cost_items: placement.cost.items.clone(),
            tracking_number: request.tracking_number.clone(),
        };
        let pickup = Self(PickupState::scheduled(request.clone(), &scheduled, now));
        (pickup, [request.into(), scheduled.into()])
    }

    /// The answer to a request that nobody can serve.
    pub(crate) fn reject(
        id: PickupId,
        request: BookingRequest,
        why: Unbookable,
        now: Timestamp,
    ) -> (Self, [PickupFact; 2]) {
        let rejected = PickupRejected {
            pickup_id: id,
            company_id: request.company_id,
            order_id: request.order_id,
            return_id: request.return_id,
            attempt: request.attempt,
            code: why.code().to_owned(),
            detail: why.to_string(),
        };
        let pickup = Self(PickupState::rejected(request.clone(), &rejected, now));
        (pickup, [request.into(), rejected.into()])
    }

    /// Answers a request that is repeated: whoever asks again has not heard. Nothing, when what was answered is true no
    /// more.
    pub(crate) fn answer_again(&mut self, now: Timestamp) -> Option<PickupFact> {
        let answer: PickupFact = match self.status {
            Status::Rejected => {
                let reason = self.reason.clone()?;
                PickupRejected {
                    pickup_id: self.id,
                    company_id: self.request.company_id,
                    order_id: self.request.order_id,
                    return_id: self.request.return_id,
                    attempt: self.request.attempt,
                    code: reason.code?,
                    detail: reason.text,
                }
                .into()
            }
            Status::Scheduled | Status::Assigned | Status::InProgress => self.scheduled()?.into(),
            Status::Completed | Status::Failed | Status::Abandoned | Status::Cancelled => return None,
        };
        Some(self.apply(answer, now))
    }

    /// What is promised by now.
    fn scheduled(&self) -> Option<PickupScheduled> {
        let (request, promise) = (self.request.clone(), self.promise.clone()?);
        Some(PickupScheduled {
            pickup_id: self.id,
            company_id: request.company_id,
            order_id: request.order_id,
            return_id: request.return_id,
            attempt: request.attempt,
            kind: request.kind.as_str().to_owned(),
            service_area_id: promise.area_id,
            window_start: promise.window.start,
            window_end: promise.window.end,
            time_zone: promise.time_zone,
            slot_start: self.slot_start?,
            contact: request.contact,
            parcels: request.parcels,
            cost: promise.cost.total,
            cost_items: promise.cost.items,
            tracking_number: request.tracking_number,
        })
    }

    /// Another person at the same address, until the driver is on the way.
    pub(crate) fn update(&mut self, change: ContactChange, now: Timestamp) -> Outcome {
        if !matches!(self.status, Status::Scheduled | Status::Assigned | Status::Failed) {
            return Err(PickupError::Closed(self.status));
        }
        let was = self.request.contact.clone();
        let contact = Party {
            name: change.name.unwrap_or(was.name),
            phone: change.phone.unwrap_or(was.phone),
            email: change.email.unwrap_or(was.email),
            address: was.address,
        };
        Ok(self.apply(PickupUpdated { contact }, now))
    }

    /// Forgets who was visited, and where; nothing when nobody knows any more.
    pub(crate) fn erase(&mut self, now: Timestamp) -> Option<PickupFact> {
        let mut erased = (**self).clone();
        erased.forget_person();
        (erased != **self).then(|| self.apply(PickupErased {}, now))
    }

    pub(crate) fn assign(&mut self, driver_id: DriverId, now: Timestamp) -> Outcome {
        self.require(Status::Assigned)?;
        let (pickup_id, order_id, return_id) = self.whose();
        Ok(self.apply(PickupAssigned { pickup_id, order_id, return_id, driver_id }, now))
    }

    /// Takes it back from its driver, also from one who broke down on the way, but not from one at the door.
    pub(crate) fn unassign(&mut self, reason: &Text<500>, now: Timestamp) -> Outcome {
        let has_driver = matches!(self.status, Status::Assigned | Status::InProgress);
        if !has_driver || self.arrived_at.is_some() {
            return Err(PickupError::IllegalMove { from: self.status, to: Status::Scheduled });
        }
        let (pickup_id, order_id, return_id) = self.whose();
        let reason = reason.as_str().to_owned();
        Ok(self.apply(PickupUnassigned { pickup_id, order_id, return_id, reason }, now))
    }

    pub(crate) fn start(&mut self, now: Timestamp) -> Outcome {
        let to = Status::InProgress;
        self.require(to)?;
        let driver_id = self.driver_id.ok_or(PickupError::IllegalMove { from: self.status, to })?;
        if let Some(earliest) = self.earliest_start().filter(|earliest| now < *earliest) {
            return Err(PickupError::TooEarly(earliest));
        }
        let (pickup_id, order_id, return_id) = self.whose();
        Ok(self.apply(PickupStarted { pickup_id, order_id, return_id, driver_id }, now))
    }

    /// From when on somebody may be on the way: the window's local day, and a little before.
    fn earliest_start(&self) -> Option<Timestamp> {
        let promise = self.promise.as_ref()?;
        let zone = TimeZone::get(&promise.time_zone).unwrap_or(TimeZone::UTC);
        let day = promise.window.start.to_zoned(zone).start_of_day().ok()?;
        Some(day.timestamp() - ON_THE_WAY_BEFORE)
    }

    /// When something happened that a driver reports, late where there was no network; now unless told.
    fn reported(&self, at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, PickupError> {
        let at = at.unwrap_or(now);
        if at > now + CLOCK_SKEW {
            return Err(PickupError::InTheFuture);
        }
        // The start may be reported as late as what came after it.
        let earliest = self.earliest_start().into_iter().chain(self.started_at).min();
        if at < self.created_at || earliest.is_some_and(|earliest| at < earliest) {
            return Err(PickupError::BeforeThePickup);
        }
        Ok(at.min(now))
    }

    /// The driver is at the door; reported again, the first time counts and nothing happens.
    pub(crate) fn arrive(
        &mut self,
        at: Option<Timestamp>,
        position: Option<GeoPoint>,
        now: Timestamp,
    ) -> Result<Option<PickupFact>, PickupError> {
        if self.status != Status::InProgress {
            return Err(PickupError::NotInProgress(self.status));
        }
        if self.arrived_at.is_some() {
            return Ok(None);
        }
        let at = self.reported(at, now)?;
        let (pickup_id, order_id, return_id) = self.whose();
        Ok(Some(self.apply(PickupArrived { pickup_id, order_id, return_id, at, position }, now)))
    }

    /// The driver has the parcels. That is a fact, which a start that was not reported yet does not undo, nor a
    /// cancellation that the driver did not know of.
    pub(crate) fn complete(
        &mut self,
        at: Option<Timestamp>,
        hand_over: HandOver,
        now: Timestamp,
    ) -> Result<Vec<PickupFact>, PickupError> {
        self.require(Status::Completed)?;
        if self.status == Status::Cancelled {
            self.check_told_in_time(now)?;
        }
        let at = self.reported(at, now)?;
        if hand_over.handed_over_by.is_none() && hand_over.signature_svg.is_none() {
            return Err(PickupError::ProofRequired);
        }
        let booked = u32::try_from(self.request.parcels.len()).unwrap_or(u32::MAX);
        if hand_over.parcel_count != booked && hand_over.difference.is_none() {
            return Err(PickupError::CountDiffers { booked });
        }
        // Of who was erased meanwhile nothing is learned anew.
        let hand_over = if self.request.contact.is_erased() { hand_over.of_nobody() } else { hand_over };
        let completed = PickupCompleted {
            pickup_id: self.id,
            company_id: self.request.company_id,
            order_id: self.request.order_id,
            return_id: self.request.return_id,
            at,
            parcel_count: hand_over.parcel_count,
            weight_grams: hand_over.weight_grams,
            handed_over_by: hand_over.handed_over_by.map(String::from),
            position: hand_over.position,
            parcels_booked: Some(booked),
            difference: hand_over.difference.map(String::from),
        };
        let mut facts = vec![self.apply(completed, now)];
        if let Some(signature_svg) = hand_over.signature_svg {
            facts.push(self.apply(PickupSigned { signature_svg }, now));
        }
        Ok(facts)
    }

    /// Whether the driver of a cancelled pickup may still tell that it was collected.
    fn check_told_in_time(&self, now: Timestamp) -> Result<(), PickupError> {
        // Of whose attempt had failed before, that is known.
        if self.driver_id.is_none() || self.started_at.is_some() {
            return Err(PickupError::IllegalMove { from: self.status, to: Status::Completed });
        }
        let window_end = self.promise.as_ref().map(|promise| promise.window.end);
        let until = self.cancelled_at.max(window_end).unwrap_or(now) + TOLD_AFTER_CANCELLATION;
        if now > until { Err(PickupError::ToldTooLate(until)) } else { Ok(()) }
    }

    /// Nothing was handed over: the driver came in vain, or did not get there.
    pub(crate) fn fail(
        &mut self,
        code: FailureCode,
        detail: Option<Text<500>>,
        position: Option<GeoPoint>,
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Vec<PickupFact>, PickupError> {
        self.require(Status::Failed)?;
        let at = self.reported(at, now)?;
        let mut facts: Vec<PickupFact> = self.fail_express(code, at, now).into_iter().collect();
        let attempt_number = u32::try_from(self.failures.len()).unwrap_or(u32::MAX).saturating_add(1);
        let failed = PickupFailed {
            pickup_id: self.id,
            order_id: self.request.order_id,
            return_id: self.request.return_id,
            attempt_number,
            code: code.as_str().to_owned(),
            detail: detail.map(String::from),
            position,
            at: Some(at),
        };
        facts.push(self.apply(failed, now));
        Ok(facts)
    }

    /// Whether the last attempt has failed. One that came to nothing through us is none.
    pub(crate) fn is_exhausted(&self) -> bool {
        let ours = FailureCode::Other.as_str();
        self.failures.iter().filter(|failure| failure.code != ours).count() >= MAX_ATTEMPTS
    }

    pub(crate) fn abandon(&mut self, now: Timestamp) -> Outcome {
        self.require(Status::Abandoned)?;
        let reason = format!("attempt {} failed too", self.failures.len());
        let (pickup_id, order_id, return_id) = self.whose();
        Ok(self.apply(PickupAbandoned { pickup_id, order_id, return_id, reason }, now))
    }

    /// Checked before a place is looked for, so that a refusal moves nothing.
    pub(crate) fn check_reschedule(&self, by: RescheduledBy, now: Timestamp) -> Result<(), PickupError> {
        self.require(Status::Scheduled)?;
        if self.status == Status::InProgress {
            return Err(PickupError::IllegalMove { from: self.status, to: Status::Scheduled });
        }
        if by == RescheduledBy::Merchant && self.merchant_reschedules >= MAX_MERCHANT_RESCHEDULES {
            return Err(PickupError::RescheduleLimit);
        }
        if by == RescheduledBy::Merchant { self.check_judged(now) } else { Ok(()) }
    }

    /// A move takes the stop from its driver, and with it all that they may still report: not while that may keep a
    /// guarantee, or whoever saw the driver leave would have the fee back by one click.
    fn check_judged(&self, now: Timestamp) -> Result<(), PickupError> {
        let until = self.promise.as_ref().and_then(|promise| promise.guaranteed_until);
        let judged_at = until.filter(|until| *until <= now).map(|until| until + REPORTED_WITHIN);
        let may_be_kept = self.driver_id.is_some() && self.refund.is_none();
        match judged_at.filter(|judged_at| may_be_kept && now < *judged_at) {
            Some(judged_at) => Err(PickupError::NotJudgedYet(judged_at)),
            None => Ok(()),
        }
    }

    /// What it costs once it is moved, if that is less: a merchant's first move gives up what they paid more for. From then on
    /// it keeps its price like a scheduled one. Where an attempt has failed, or the fee is paid back, nothing is left to give up.
    pub(crate) fn cost_once_moved(&self, by: RescheduledBy, fees: &FeeTable) -> Option<Cost> {
        let gives_up = by == RescheduledBy::Merchant
            && self.merchant_reschedules == 0
            && self.request.kind != PickupKind::Scheduled
            && self.failures.is_empty()
            && self.refund.is_none();
        let paid = self.promise.as_ref().filter(|_| gives_up)?.cost.total;
        let priced = Priced { kind: PickupKind::Scheduled, ..self.request.priced() };
        // A price beyond any amount is no lower one.
        fees.price(&priced).ok().filter(|cost| cost.total.amount() < paid.amount())
    }

    /// `cost` is what it costs from now on, if that is something else.
    pub(crate) fn reschedule(
        &mut self,
        window: Window,
        cost: Option<Cost>,
        by: RescheduledBy,
        now: Timestamp,
    ) -> Outcome {
        self.check_reschedule(by, now)?;
        let rescheduled = PickupRescheduled {
            pickup_id: self.id,
            order_id: self.request.order_id,
            return_id: self.request.return_id,
            window_start: window.start,
            window_end: window.end,
            time_zone: self.promise.as_ref().map(|promise| promise.time_zone.clone()),
            by: by.as_str().to_owned(),
            cost: cost.as_ref().map(|cost| cost.total),
            cost_items: cost.map(|cost| cost.items).unwrap_or_default(),
        };
        Ok(self.apply(rescheduled, now))
    }

    pub(crate) fn cancel(&mut self, reason: &str, now: Timestamp) -> Outcome {
        self.require(Status::Cancelled)?;
        let (pickup_id, order_id, return_id) = self.whose();
        let reason = reason.to_owned();
        Ok(self.apply(PickupCancelled { pickup_id, order_id, return_id, reason }, now))
    }

    /// Decides an order's or a return's wish to cancel. It always gets an answer, because it waits for one: also a
    /// pickup that ended by itself meanwhile says `cancelled`, which is that nobody will come.
    pub(crate) fn answer_cancel_request(&mut self, reason: &str, now: Timestamp) -> PickupFact {
        let (pickup_id, order_id, return_id) = self.whose();
        if self.status.may_become(Status::Cancelled) || self.is_over() {
            let reason = reason.to_owned();
            return self.apply(PickupCancelled { pickup_id, order_id, return_id, reason }, now);
        }
        let status = self.status.as_str().to_owned();
        self.apply(PickupCancelRefused { pickup_id, order_id, return_id, status }, now)
    }

    /// After the end of an express guarantee, when its driver has had time to report: nothing, if it was kept, or was given
    /// up before its end.
    pub(crate) fn miss_express(&mut self, now: Timestamp) -> Option<PickupFact> {
        let until = self.promise.as_ref()?.guaranteed_until.filter(|until| *until <= now)?;
        // Also where a driver who did not know of that collected it after all.
        if self.cancelled_at.is_some_and(|cancelled_at| cancelled_at < until) {
            return None;
        }
        let there = self.arrived_at.or(self.proof.as_ref().map(|proof| proof.at));
        self.break_guarantee(there, now)
    }

    /// Before an attempt fails, which ends the guarantee, with all that its driver has to report: who does not even come,
    /// for none of the reasons that lie with the merchant, breaks it, however early; anybody else was there.
    fn fail_express(&mut self, code: FailureCode, at: Timestamp, now: Timestamp) -> Option<PickupFact> {
        let there = if code == FailureCode::Other { None } else { Some(at) };
        self.break_guarantee(self.arrived_at.or(there), now)
    }

    fn break_guarantee(&mut self, there: Option<Timestamp>, now: Timestamp) -> Option<PickupFact> {
        let promise = self.promise.as_ref()?;
        let until = promise.guaranteed_until?;
        if there.is_some_and(|there| there <= until) || self.refund.is_some() {
            return None;
        }
        let refund = promise.cost.items.iter().find(|item| item.code == "base")?.amount;
        let (pickup_id, order_id, return_id) = self.whose();
        Some(self.apply(ExpressMissed { pickup_id, order_id, return_id, refund }, now))
    }

    /// What every fact tells of whose it is.
    fn whose(&self) -> (PickupId, Option<OrderId>, Option<ReturnId>) {
        (self.id, self.request.order_id, self.request.return_id)
    }

    fn require(&self, to: Status) -> Result<(), PickupError> {
        if self.status.may_become(to) {
            Ok(())
        } else {
            Err(PickupError::IllegalMove { from: self.status, to })
        }
    }

    fn apply(&mut self, fact: impl Into<PickupFact>, now: Timestamp) -> PickupFact {
        let fact = fact.into();
        self.0.apply(&fact, now);
        fact
    }
}

#[cfg(test)]
mod tests;
