//! From the sender's hand to the door: how reports of the carrier's people move a shipment.
//!
//! Reports come late, twice and out of order. Steps that lead to the door are ranked: a report ahead of the
//! shipment carries it there, and what nobody scanned on the way is told as well; one behind it moves nothing.
//! Interruptions (a hold, a failed delivery, an exception) count unless a newer move is known, which a hub's scan is
//! none of; ends without a delivery (given up, lost) count only if nothing newer is known at all. A delivery counts
//! however late it is told, also of a parcel that was given up after it; a release by customs does, unless a newer
//! hold is known.

use jiff::Timestamp;
use quenty_contracts::shipping::{
    CashCollected, ShipmentDelivered, ShipmentDeparted, ShipmentExceptionRaised, ShipmentExceptionResolved,
    ShipmentHeldByCustoms, ShipmentLost, ShipmentOutForDelivery, ShipmentPickedUp, ShipmentReleasedByCustoms,
    ShipmentReturned, ShipmentUndeliverable,
};
use quenty_kernel::id::{OrderId, ReturnId, ShipmentId};

use super::{
    MAX_FAILED_DELIVERIES, Shipment, ShipmentError, ShipmentFact, ShipmentScanned, ShipmentState, Status,
};
use crate::domain::{
    tariff::local,
    tracking::{ExceptionCode, Proof, Scan, ScanKind},
};

impl Status {
    /// How far towards the door.
    const fn rank(self) -> u8 {
        match self {
            Self::PickedUp => 1,
            Self::InTransit | Self::CustomsHold => 2,
            Self::OutForDelivery => 3,
            Self::Delivered => 4,
            _ => 0,
        }
    }
}

/// The newest moments that were reported before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reported {
    /// Of a hold by customs.
    pub held_at: Option<Timestamp>,
    /// Of any of [`ScanKind::MOVES`].
    pub moved_at: Option<Timestamp>,
}

/// One report being worked into a shipment.
struct Journey<'a> {
    shipment: &'a mut Shipment,
    scan: &'a Scan,
    reported: Reported,
    /// Of the company.
    time_zone: Option<&'a str>,
    now: Timestamp,
    facts: Vec<ShipmentFact>,
}

impl Shipment {
    /// Works a report in, by the clocks of the company. The facts tell what it moved; a repeat of what is known moves
    /// nothing.
    pub fn report(
        &mut self,
        scan: &Scan,
        reported: Reported,
        time_zone: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<ShipmentFact>, ShipmentError> {
        if !self.0.status.is_trackable() {
            return Err(ShipmentError::NotTrackable(self.0.status));
        }
        if scan.at < self.0.created_at {
            return Err(ShipmentError::BeforeItWasMade);
        }
        let mut journey = Journey { shipment: self, scan, reported, time_zone, now, facts: Vec::new() };
        journey.follow()?;
        if journey.facts.is_empty() {
            let scanned = ShipmentScanned {
                shipment_id: journey.shipment.0.id,
                kind: scan.kind.as_str().to_owned(),
                at: scan.at,
                outdated: journey.is_outdated(),
            };
            journey.happen(scanned);
        }
        Ok(journey.facts)
    }

    /// The carrier has the parcels; nothing when it had them before, or never will. What had to wait for it is promised
    /// anew, by the clocks of the company.
    pub fn pick_up(&mut self, at: Timestamp, time_zone: Option<&str>, now: Timestamp) -> Vec<ShipmentFact> {
        if self.0.status != Status::Booked {
            return Vec::new();
        }
        let renewed = self.promise_anew(&local(at, time_zone), now);
        let picked_up = self.picked_up(at);
        renewed.into_iter().chain([self.happen(picked_up, now)]).collect()
    }

    fn picked_up(&self, at: Timestamp) -> ShipmentPickedUp {
        let ShipmentState { id: shipment_id, order_id, return_id, .. } = self.0;
        let promised_at = self.0.offer.as_ref().map(|offer| offer.promised_at);
        let promised_at = promised_at.filter(|promise| Some(*promise) != self.0.promised_at);
        ShipmentPickedUp { shipment_id, order_id, return_id, at, promised_at }
    }
}

impl Journey<'_> {
    fn follow(&mut self) -> Result<(), ShipmentError> {
        let status = self.status();
        match self.scan.kind {
            ScanKind::Scan | ScanKind::Arrived => self.advance(Status::PickedUp),
            ScanKind::Departed if self.may_resume() => self.advance(Status::InTransit),
            ScanKind::OutForDelivery if self.may_resume() => self.advance(Status::OutForDelivery),
            ScanKind::CustomsHold if self.interrupts() && !self.is_held() && status.rank() < 3 => self.hold(),
            ScanKind::CustomsReleased if status == Status::CustomsHold && !self.is_outdated() => {
                self.release();
            }
            ScanKind::DeliveryFailed if self.interrupts() => self.fail_delivery(),
            // The same by another name: it counts, too.
            ScanKind::Exception
                if self.interrupts() && self.scan.code == Some(ExceptionCode::DeliveryFailed) =>
            {
                self.fail_delivery();
            }
            ScanKind::Exception if self.interrupts() && status != Status::Exception => {
                self.detail()?;
                self.raise(self.scan.code.unwrap_or(ExceptionCode::Other));
            }
            ScanKind::Delivered => self.deliver()?,
            ScanKind::Undeliverable if status.is_on_its_way() && !self.is_late() => self.give_up()?,
            ScanKind::Returned => self.give_back()?,
            ScanKind::Lost if !self.is_late() => self.lose()?,
            _ => {}
        }
        Ok(())
    }

    fn status(&self) -> Status {
        self.shipment.0.status
    }

    /// What every fact tells of whose it is, and when it happened.
    fn whose(&self) -> (ShipmentId, Option<OrderId>, Option<ReturnId>, Timestamp) {
        let ShipmentState { id, order_id, return_id, .. } = self.shipment.0;
        (id, order_id, return_id, self.scan.at)
    }

    fn happen(&mut self, event: impl Into<ShipmentFact>) {
        let fact = self.shipment.happen(event, self.now);
        self.facts.push(fact);
    }

    /// Anything newer is known, a hub's scan as well: it was not lost, and nobody had given it up.
    fn is_late(&self) -> bool {
        self.shipment.0.last_event_at.is_some_and(|last| self.scan.at < last)
    }

    fn has_moved_on(&self) -> bool {
        self.reported.moved_at.is_some_and(|moved| self.scan.at < moved)
    }

    fn interrupts(&self) -> bool {
        self.status().is_on_its_way() && !self.has_moved_on()
    }

    /// Customs hold it, whatever else keeps it as well.
    fn is_held(&self) -> bool {
        let held = Status::CustomsHold;
        self.status() == held || self.shipment.0.resumes_at == Some(held)
    }

    /// What customs let go before they held it again is not free.
    fn is_outdated(&self) -> bool {
        self.scan.kind == ScanKind::CustomsReleased
            && self.reported.held_at.is_some_and(|held| self.scan.at < held)
    }

    /// A late report does not end an exception that was raised after it.
    fn may_resume(&self) -> bool {
        self.status().is_on_its_way() && !(self.status() == Status::Exception && self.has_moved_on())
    }

    fn detail(&self) -> Result<String, ShipmentError> {
        self.scan
            .detail
            .as_ref()
            .map(|detail| detail.as_str().to_owned())
            .ok_or(ShipmentError::DetailRequired)
    }

    /// Goes forward to `target`, never back, through every step between.
    fn advance(&mut self, target: Status) {
        if self.status() == Status::Exception && target.rank() > Status::PickedUp.rank() {
            self.resume();
            if self.status() == Status::CustomsHold && target == Status::InTransit {
                // Who follows knows one trouble at a time, and takes the end of this one for the end of both.
                self.tell_hold("not released yet".to_owned());
            }
        }
        while self.status().is_on_its_way()
            && self.status() != Status::Exception
            && self.status().rank() < target.rank()
        {
            let (shipment_id, order_id, return_id, at) = self.whose();
            match self.status() {
                Status::PickedUp => {
                    let place = self.scan.place.as_ref().map(|place| place.as_str().to_owned());
                    self.happen(ShipmentDeparted { shipment_id, order_id, return_id, at, place });
                }
                Status::CustomsHold => self.release(),
                Status::InTransit => {
                    let attempt = self.shipment.0.failed_deliveries + 1;
                    self.happen(ShipmentOutForDelivery { shipment_id, order_id, return_id, at, attempt });
                }
                Status::Booked if target.rank() < Status::OutForDelivery.rank() => {
                    let collected = self.shipment.pick_up(at, self.time_zone, self.now);
                    self.facts.extend(collected);
                }
                // Of what is first heard of at the door nobody knows when it was collected: its promise stays.
                Status::Booked => {
                    let picked_up = self.shipment.picked_up(at);
                    self.happen(picked_up);
                }
                _ => return,
            }
        }
    }

    /// Leads back from an exception; a parcel that could not be delivered goes through the hub again.
    fn resume(&mut self) {
        let back = self.shipment.0.resumes_at.filter(|status| status.rank() < 3).unwrap_or(Status::InTransit);
        let status = back.as_str().to_owned();
        let (shipment_id, order_id, return_id, at) = self.whose();
        self.happen(ShipmentExceptionResolved { shipment_id, order_id, return_id, at, status });
    }

    fn raise(&mut self, code: ExceptionCode) {
        self.advance(Status::PickedUp);
        let detail = self.scan.detail.as_ref().map_or_else(String::new, |detail| detail.as_str().to_owned());
        let (shipment_id, order_id, return_id, at) = self.whose();
        self.happen(ShipmentExceptionRaised {
            shipment_id,
            order_id,
            return_id,
            at,
            code: code.as_str().to_owned(),
            detail,
        });
    }

    fn hold(&mut self) {
        self.advance(Status::InTransit);
        if self.status() != Status::InTransit {
            return;
        }
        let detail = self.scan.detail.as_ref().map_or_else(String::new, |detail| detail.as_str().to_owned());
        self.tell_hold(detail);
    }

    fn tell_hold(&mut self, detail: String) {
        let (shipment_id, order_id, return_id, at) = self.whose();
        self.happen(ShipmentHeldByCustoms { shipment_id, order_id, return_id, at, detail });
    }

    fn release(&mut self) {
        let (shipment_id, order_id, return_id, at) = self.whose();
        self.happen(ShipmentReleasedByCustoms { shipment_id, order_id, return_id, at });
    }

    fn fail_delivery(&mut self) {
        self.advance(Status::OutForDelivery);
        self.raise(ExceptionCode::DeliveryFailed);
        if self.shipment.0.failed_deliveries >= MAX_FAILED_DELIVERIES {
            self.undeliverable(format!("{MAX_FAILED_DELIVERIES} deliveries failed"));
        }
    }

    fn give_up(&mut self) -> Result<(), ShipmentError> {
        let reason = self.detail()?;
        if self.status() != Status::Exception {
            self.raise(self.scan.code.unwrap_or(ExceptionCode::Other));
        }
        self.undeliverable(reason);
        Ok(())
    }

    fn undeliverable(&mut self, reason: String) {
        let (shipment_id, order_id, return_id, at) = self.whose();
        self.happen(ShipmentUndeliverable { shipment_id, order_id, return_id, at, reason });
    }

    fn give_back(&mut self) -> Result<(), ShipmentError> {
        match self.status() {
            Status::Returned => Ok(()),
            Status::Undeliverable => {
                let (shipment_id, order_id, return_id, at) = self.whose();
                self.happen(ShipmentReturned { shipment_id, order_id, return_id, at });
                Ok(())
            }
            status => Err(ShipmentError::DoesNotFit { kind: self.scan.kind, status }),
        }
    }

    fn lose(&mut self) -> Result<(), ShipmentError> {
        match self.status() {
            Status::Lost => return Ok(()),
            status @ (Status::Booked | Status::Delivered | Status::Returned) => {
                return Err(ShipmentError::DoesNotFit { kind: self.scan.kind, status });
            }
            Status::Exception | Status::Undeliverable => {}
            _ => self.raise(ExceptionCode::Other),
        }
        let (shipment_id, order_id, return_id, at) = self.whose();
        self.happen(ShipmentLost { shipment_id, order_id, return_id, at });
        Ok(())
    }

    fn deliver(&mut self) -> Result<(), ShipmentError> {
        let status = self.status();
        if status == Status::Delivered {
            return Ok(());
        }
        if !status.is_on_its_way() && !self.was_given_up_later() {
            return Err(ShipmentError::DoesNotFit { kind: self.scan.kind, status });
        }
        let proof = self.scan.proof.as_ref().ok_or(ShipmentError::ProofRequired)?;
        let cash = self.check_cash()?;
        self.advance(Status::OutForDelivery);
        let (shipment_id, order_id, return_id, at) = self.whose();
        let company_id = self.shipment.0.company_id;
        let delivered = hand_over(self.shipment, proof, at);
        if let Some(amount) = cash {
            self.happen(CashCollected { shipment_id, company_id, order_id, return_id, amount, at });
        }
        self.happen(delivered);
        Ok(())
    }

    /// Whoever gave it up did not know of this delivery. What is lost stays lost: its buyer may be paid back, and
    /// forgotten, by now.
    fn was_given_up_later(&self) -> bool {
        self.status() == Status::Undeliverable
            && self.shipment.0.given_up_at.is_some_and(|given_up| self.scan.at < given_up)
    }

    fn check_cash(&self) -> Result<Option<quenty_kernel::money::Money>, ShipmentError> {
        match (self.shipment.0.cash_on_delivery, self.scan.cash_collected) {
            (None, Some(_)) => Err(ShipmentError::NoCashDue),
            (Some(due), collected) if collected != Some(due) => Err(ShipmentError::CashMismatch { due }),
            (due, _) => Ok(due),
        }
    }
}

fn hand_over(shipment: &Shipment, proof: &Proof, at: Timestamp) -> ShipmentDelivered {
    let state = shipment.state();
    ShipmentDelivered {
        shipment_id: state.id,
        company_id: state.company_id,
        order_id: state.order_id,
        return_id: state.return_id,
        at,
        received_by: Some(proof.received_by.as_str().to_owned()),
        proof: proof.kind.as_str().to_owned(),
        on_time: state.promised_at.is_none_or(|promised| at <= promised),
    }
}
