//! A shipment: parcels of one sender to one consignee, from the offer to the door.

mod facts;
mod journey;
mod status;
#[cfg(test)]
pub(crate) mod tests;

pub use facts::{
    ErasureFact, ShipmentBookingStarted, ShipmentConsigneeCorrected, ShipmentErased, ShipmentFact,
    ShipmentScanned,
};
pub use journey::Reported;
pub use status::Status;

use jiff::{Timestamp, Zoned};
use quenty_contracts::{
    party::{Item, Parcel, Party},
    shipping::{ShipmentBooked, ShipmentCreated, ShipmentDeparted, ShipmentRejected, ShipmentVoided},
};
use quenty_kernel::{
    id::{CompanyId, CustomerId, OrderId, ReturnId, ShipmentId},
    money::Money,
};

use super::{
    printable,
    rules::{Consignment, Refusal},
    tariff::{Offer, ServiceLevel},
    tracking::{ProofKind, ScanKind, UnifiedStatus},
    tracking_number::TrackingNumber,
};

/// After so many failed deliveries the parcel goes back.
pub const MAX_FAILED_DELIVERIES: u32 = 3;

/// What a shipment holds, open for reading; only [`Shipment`] writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShipmentState {
    pub id: ShipmentId,
    pub company_id: CompanyId,
    pub order_id: Option<OrderId>,
    /// The return whose goods it brings back.
    pub return_id: Option<ReturnId>,
    /// Who gets it and is erased on request, where neither an order nor a return asked for it.
    pub customer_id: Option<CustomerId>,
    pub attempt: u32,
    pub reference: Option<String>,
    pub carrier: String,
    pub service: ServiceLevel,
    pub international: bool,
    pub sender: Party,
    pub consignee: Party,
    pub parcels: Vec<Parcel>,
    pub items: Vec<Item>,
    pub declared_value: Money,
    pub cash_on_delivery: Option<Money>,
    pub incoterm: Option<String>,
    pub status: Status,
    pub offer: Option<Offer>,
    pub tracking_number: Option<TrackingNumber>,
    pub promised_at: Option<Timestamp>,
    /// Where an exception leads back to.
    pub resumes_at: Option<Status>,
    pub failed_deliveries: u32,
    /// The newest moment that any report named.
    pub last_event_at: Option<Timestamp>,
    pub picked_up_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    /// When nobody was to try any more, unless it was delivered before.
    pub given_up_at: Option<Timestamp>,
    pub received_by: Option<String>,
    pub proof: Option<ProofKind>,
    pub cash_collected: bool,
    /// Why it was rejected, voided or given up.
    pub ended_code: Option<String>,
    pub ended_reason: Option<String>,
    /// How many facts it has.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The aggregate: every change is a fact, and only [`Shipment::apply`] changes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shipment(ShipmentState);

/// Why a shipment cannot do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShipmentError {
    #[error("a shipment that is {} cannot become {}", from.as_str(), to.as_str())]
    IllegalTransition { from: Status, to: Status },
    #[error("a shipment that is {} is not followed: only one that is booked, and not voided, is", .0.as_str())]
    NotTrackable(Status),
    #[error("a {} report says nothing about a shipment that is {}", kind.as_str(), status.as_str())]
    DoesNotFit { kind: ScanKind, status: Status },
    #[error("it cannot have happened before the shipment was made: check the clock of the scanner")]
    BeforeItWasMade,
    #[error("say in `detail` what happened")]
    DetailRequired,
    #[error("a delivery needs `proof`: who received it, and how that is known")]
    ProofRequired,
    #[error("collect exactly {due} and say so in `cash_collected`")]
    CashMismatch { due: Money },
    #[error("nothing is to be collected for this shipment: leave `cash_collected` out")]
    NoCashDue,
    #[error("a shipment that was priced for one country does not go to another")]
    AnotherCountry,
}

impl Shipment {
    /// A new draft.
    pub fn create(created: ShipmentCreated, now: Timestamp) -> (Self, ShipmentFact) {
        let shipment = Self::begin(&created, now);
        (shipment, created.into())
    }

    fn begin(created: &ShipmentCreated, now: Timestamp) -> Self {
        let created = created.clone();
        Self(ShipmentState {
            id: created.shipment_id,
            company_id: created.company_id,
            order_id: created.order_id,
            return_id: created.return_id,
            customer_id: created.customer_id,
            attempt: created.attempt,
            reference: created.reference,
            carrier: created.carrier,
            service: created.service.parse().unwrap_or(ServiceLevel::Standard),
            international: created.international,
            sender: created.sender,
            consignee: created.consignee,
            parcels: created.parcels,
            items: created.items,
            declared_value: created.declared_value,
            cash_on_delivery: created.cash_on_delivery,
            incoterm: created.incoterm,
            status: Status::Draft,
            offer: None,
            tracking_number: None,
            promised_at: None,
            resumes_at: None,
            failed_deliveries: 0,
            last_event_at: None,
            picked_up_at: None,
            delivered_at: None,
            given_up_at: None,
            received_by: None,
            proof: None,
            cash_collected: false,
            ended_code: None,
            ended_reason: None,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// The one way back from storage.
    #[must_use]
    pub const fn from_state(state: ShipmentState) -> Self {
        Self(state)
    }

    #[must_use]
    pub const fn state(&self) -> &ShipmentState {
        &self.0
    }

    /// Rebuilds a shipment from its journal.
    pub fn fold(facts: impl IntoIterator<Item = (ShipmentFact, Timestamp)>) -> Option<Self> {
        let mut facts = facts.into_iter();
        let (ShipmentFact::Created(created), at) = facts.next()? else { return None };
        let mut shipment = Self::begin(&created, at);
        for (fact, at) in facts {
            shipment.apply(&fact, at);
        }
        Some(shipment)
    }

    /// What price and passage depend on.
    #[must_use]
    pub fn consignment(&self) -> Consignment<'_> {
        Consignment {
            origin: self.0.sender.address.country(),
            destination: self.0.consignee.address.country(),
            parcels: &self.0.parcels,
            items: &self.0.items,
            declared_value: self.0.declared_value,
        }
    }

    #[must_use]
    pub fn weight_grams(&self) -> u64 {
        self.consignment().weight_grams()
    }

    /// Whether a label can say from whom and to whom it goes.
    ///
    /// # Errors
    /// The first field that holds a letter which printers do not have.
    pub fn check_printable(&self) -> Result<(), Refusal> {
        let (from, to) = (&self.0.sender, &self.0.consignee);
        let fields = [
            ("/sender/name", Some(from.name.as_str())),
            ("/sender/address/line1", Some(from.address.line1())),
            ("/sender/address/line2", from.address.line2()),
            ("/sender/address/city", Some(from.address.city())),
            ("/sender/address/state", from.address.state()),
            ("/sender/address/postal_code", from.address.postal_code()),
            ("/consignee/name", Some(to.name.as_str())),
            ("/consignee/address/line1", Some(to.address.line1())),
            ("/consignee/address/line2", to.address.line2()),
            ("/consignee/address/city", Some(to.address.city())),
            ("/consignee/address/state", to.address.state()),
            ("/consignee/address/postal_code", to.address.postal_code()),
        ];
        let unprintable = |text: Option<&str>| text.is_some_and(|text| printable::encode(text).is_none());
        let found = fields.into_iter().find(|(_, text)| unprintable(*text));
        found.map_or(Ok(()), |(pointer, _)| Err(Refusal::Unprintable { pointer }))
    }

    /// Chooses the offer; without one the booking can only be rejected.
    pub fn start_booking(
        &mut self,
        offer: Option<Offer>,
        now: Timestamp,
    ) -> Result<ShipmentFact, ShipmentError> {
        self.require(Status::Booking)?;
        Ok(self.happen(ShipmentBookingStarted { shipment_id: self.0.id, offer }, now))
    }

    /// Promises what can be kept from a moment on, after the booking or the parcels had to wait; nothing when that is
    /// the same, or when a later day is promised already.
    pub fn promise_anew(&mut self, from: &Zoned, now: Timestamp) -> Option<ShipmentFact> {
        let offer = self.0.offer.as_ref()?;
        let renewed = offer.promised_anew(from);
        let is_another = renewed != *offer && renewed.promised_date >= offer.promised_date;
        is_another.then(|| {
            let started = ShipmentBookingStarted { shipment_id: self.0.id, offer: Some(renewed) };
            self.happen(started, now)
        })
    }

    pub fn book(&mut self, number: TrackingNumber, now: Timestamp) -> Result<ShipmentFact, ShipmentError> {
        self.require(Status::Booked)?;
        let illegal = ShipmentError::IllegalTransition { from: self.0.status, to: Status::Booked };
        let booked = self.booked(number).ok_or(illegal)?;
        Ok(self.happen(booked, now))
    }

    fn booked(&self, number: TrackingNumber) -> Option<ShipmentBooked> {
        let offer = self.0.offer.as_ref()?;
        Some(ShipmentBooked {
            shipment_id: self.0.id,
            company_id: self.0.company_id,
            order_id: self.0.order_id,
            return_id: self.0.return_id,
            attempt: self.0.attempt,
            carrier: offer.carrier.clone(),
            service: offer.service.as_str().to_owned(),
            tracking_number: number.to_string(),
            cost: offer.cost.total,
            promised_at: offer.promised_at,
            picked_up_at: self.0.picked_up_at,
        })
    }

    pub fn reject(&mut self, refusal: &Refusal, now: Timestamp) -> Result<ShipmentFact, ShipmentError> {
        self.require(Status::Rejected)?;
        let rejected = self.rejected(refusal.code().to_owned(), refusal.to_string());
        Ok(self.happen(rejected, now))
    }

    fn rejected(&self, code: String, detail: String) -> ShipmentRejected {
        ShipmentRejected {
            shipment_id: self.0.id,
            company_id: self.0.company_id,
            order_id: self.0.order_id,
            return_id: self.0.return_id,
            attempt: self.0.attempt,
            code,
            detail,
        }
    }

    /// Answers a request that is repeated: whoever asks again has not heard. Nothing while there is no answer yet, or
    /// none that is still true.
    pub fn answer_again(&mut self, now: Timestamp) -> Option<ShipmentFact> {
        let answer: ShipmentFact = match self.0.status {
            Status::Rejected => {
                self.rejected(self.0.ended_code.clone()?, self.0.ended_reason.clone()?).into()
            }
            status if status.is_on_its_way() => self.booked(self.0.tracking_number?)?.into(),
            _ => return None,
        };
        Some(self.happen(answer, now))
    }

    /// Tells behind a repeated answer, which says no more than that they were collected, that the parcels have left.
    /// Nothing while something keeps them: who knows of that would take it for its end.
    pub fn tell_departed(&mut self, now: Timestamp) -> Option<ShipmentFact> {
        let ShipmentState { id: shipment_id, order_id, return_id, status, last_event_at, .. } = self.0;
        let at = last_event_at.filter(|_| matches!(status, Status::InTransit | Status::OutForDelivery))?;
        Some(self.happen(ShipmentDeparted { shipment_id, order_id, return_id, at, place: None }, now))
    }

    /// Gives it up before the parcels are collected.
    pub fn void(&mut self, reason: &str, now: Timestamp) -> Result<ShipmentFact, ShipmentError> {
        self.require(Status::Voided)?;
        Ok(self.happen(self.voided(reason), now))
    }

    /// Answers a return that gives up what was rejected or voided already: it hears that nothing travels, and the
    /// end stays as it was. Nothing when the carrier has, or had, the parcels.
    pub fn tell_voided(&mut self, reason: &str, now: Timestamp) -> Option<ShipmentFact> {
        self.0.status.is_over().then(|| self.happen(self.voided(reason), now))
    }

    fn voided(&self, reason: &str) -> ShipmentVoided {
        let ShipmentState { id, order_id, return_id, .. } = self.0;
        ShipmentVoided { shipment_id: id, order_id, return_id, reason: reason.to_owned() }
    }

    /// Takes over a corrected consignee; nothing when it is the same one, or too late.
    ///
    /// # Errors
    /// When it is in another country: that is another price and other customs, and no correction.
    pub fn correct_consignee(
        &mut self,
        consignee: &Party,
        now: Timestamp,
    ) -> Result<Option<ShipmentFact>, ShipmentError> {
        let open = matches!(self.0.status, Status::Draft | Status::Booking | Status::Booked);
        if !open || *consignee == self.0.consignee {
            return Ok(None);
        }
        if consignee.address.country() != self.0.consignee.address.country() {
            return Err(ShipmentError::AnotherCountry);
        }
        let corrected = ShipmentConsigneeCorrected { shipment_id: self.0.id, consignee: consignee.clone() };
        Ok(Some(self.happen(corrected, now)))
    }

    /// Forgets the person at the other end from the merchant; nothing when nobody knows any more.
    pub fn erase(&mut self, now: Timestamp) -> Option<ShipmentFact> {
        let mut erased = self.0.clone();
        erased.forget_person();
        (erased != self.0).then(|| self.happen(ShipmentErased { shipment_id: self.0.id }, now))
    }

    fn require(&self, to: Status) -> Result<(), ShipmentError> {
        let from = self.0.status;
        if from.can_become(to) { Ok(()) } else { Err(ShipmentError::IllegalTransition { from, to }) }
    }

    fn happen(&mut self, event: impl Into<ShipmentFact>, now: Timestamp) -> ShipmentFact {
        let fact = event.into();
        self.apply(&fact, now);
        fact
    }

    /// The only place where a shipment changes.
    fn apply(&mut self, fact: &ShipmentFact, now: Timestamp) {
        let state = &mut self.0;
        match fact {
            // Only the first fact creates.
            ShipmentFact::Created(_) => return,
            ShipmentFact::BookingStarted(started) => {
                // A promise may be renewed at the collection, too.
                if state.status == Status::Draft {
                    state.status = Status::Booking;
                }
                state.offer.clone_from(&started.offer);
                if let Some(offer) = &started.offer {
                    state.carrier.clone_from(&offer.carrier);
                    state.service = offer.service;
                }
            }
            // Told again to who asks again: it stays where it is by now.
            ShipmentFact::Booked(_) if state.tracking_number.is_some() => {}
            ShipmentFact::Booked(booked) => {
                state.status = Status::Booked;
                state.tracking_number = booked.tracking_number.parse().ok();
                state.promised_at = Some(booked.promised_at);
            }
            ShipmentFact::Rejected(rejected) => {
                state.status = Status::Rejected;
                state.ended_code = Some(rejected.code.clone());
                state.ended_reason = Some(rejected.detail.clone());
            }
            // Told again to a return that asks late: what has ended stays as it ended.
            ShipmentFact::Voided(_) if state.status.is_over() => {}
            ShipmentFact::Voided(voided) => {
                state.status = Status::Voided;
                state.ended_reason = Some(voided.reason.clone());
            }
            ShipmentFact::ConsigneeCorrected(corrected) => state.consignee = corrected.consignee.clone(),
            ShipmentFact::Erased(_) => state.forget_person(),
            ShipmentFact::CashCollected(_) => state.cash_collected = true,
            on_the_way => state.apply_report(on_the_way),
        }
        self.0.version += 1;
        self.0.updated_at = now;
    }
}

impl ShipmentState {
    /// Whether it leaves the company's reach across a border, which needs its identity check. What comes back goes
    /// to the company's own warehouse.
    #[must_use]
    pub const fn is_export(&self) -> bool {
        self.international && self.return_id.is_none()
    }

    /// What followers see.
    #[must_use]
    pub const fn unified(&self) -> UnifiedStatus {
        self.status.unified(self.resumes_at)
    }

    /// Whether nobody knows any more who was at the other end from the merchant.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        if self.return_id.is_some() { self.sender.is_erased() } else { self.consignee.is_erased() }
    }

    fn forget_person(&mut self) {
        if self.return_id.is_some() {
            self.sender = self.sender.erased();
        } else {
            self.consignee = self.consignee.erased();
            self.received_by = None;
        }
    }

    fn apply_report(&mut self, fact: &ShipmentFact) {
        match fact {
            ShipmentFact::Scanned(scanned) => {
                // Customs let it go while something else keeps it.
                if scanned.kind == ScanKind::CustomsReleased.as_str()
                    && !scanned.outdated
                    && self.resumes_at == Some(Status::CustomsHold)
                {
                    self.resumes_at = Some(Status::InTransit);
                }
                self.saw(scanned.at);
            }
            ShipmentFact::PickedUp(picked_up) => {
                self.moved(Status::PickedUp, picked_up.at);
                self.picked_up_at = Some(picked_up.at);
                self.promised_at = picked_up.promised_at.or(self.promised_at);
            }
            // Told again behind a repeated answer.
            ShipmentFact::Departed(_) if self.status != Status::PickedUp => {}
            ShipmentFact::Departed(departed) => self.moved(Status::InTransit, departed.at),
            ShipmentFact::HeldByCustoms(held) => self.moved(Status::CustomsHold, held.at),
            ShipmentFact::ReleasedByCustoms(released) => self.moved(Status::InTransit, released.at),
            ShipmentFact::ExceptionRaised(raised) => {
                let is_failed_delivery = raised.code == "DELIVERY_FAILED";
                // Only a failed delivery was at the door; either goes through the hub again.
                self.resumes_at = Some(match self.status {
                    Status::OutForDelivery if !is_failed_delivery => Status::InTransit,
                    status => status,
                });
                self.failed_deliveries += u32::from(is_failed_delivery);
                self.status = Status::Exception;
                self.saw(raised.at);
            }
            ShipmentFact::ExceptionResolved(resolved) => {
                self.moved(resolved.status.parse().unwrap_or(Status::InTransit), resolved.at);
            }
            ShipmentFact::OutForDelivery(out) => self.moved(Status::OutForDelivery, out.at),
            ShipmentFact::Delivered(delivered) => {
                self.moved(Status::Delivered, delivered.at);
                self.delivered_at = Some(delivered.at);
                self.given_up_at = None;
                self.ended_reason = None;
                self.received_by.clone_from(&delivered.received_by);
                self.proof = delivered.proof.parse().ok();
            }
            ShipmentFact::Undeliverable(undeliverable) => {
                self.moved(Status::Undeliverable, undeliverable.at);
                self.given_up_at = Some(undeliverable.at);
                self.ended_reason = Some(undeliverable.reason.clone());
            }
            ShipmentFact::Returned(returned) => self.moved(Status::Returned, returned.at),
            ShipmentFact::Lost(lost) => self.moved(Status::Lost, lost.at),
            _ => {}
        }
    }

    fn moved(&mut self, to: Status, at: Timestamp) {
        self.status = to;
        self.resumes_at = None;
        self.saw(at);
    }

    fn saw(&mut self, at: Timestamp) {
        self.last_event_at = self.last_event_at.max(Some(at));
    }
}
