//! How the goods come back: asked of Pickup or Shipping, and what those say.

use jiff::{SignedDuration, Timestamp, civil::Date};
use quenty_contracts::{
    party::{Item, Parcel},
    returns::{
        ReturnLabelIssued, ReturnLabelRequested, ReturnPickedUp, ReturnPickupRequested,
        ReturnWayBackCancelRequested,
    },
};
use quenty_kernel::{
    day,
    id::{PickupId, ShipmentId},
    money::Money,
};

use super::{
    Booking, Outcome, Return, ReturnError, ReturnFact, Status,
    facts::{
        ReturnArrived, ReturnDeparted, ReturnEndingRefused, ReturnGivenBack, ReturnLabelPriced, ReturnLost,
        ReturnPickupAttemptFailed, ReturnPickupBooked, ReturnPickupRescheduled, ReturnWayBackFailed,
    },
};
use crate::domain::words::WayBack;

/// The marker of a pickup whose window is over, and whose goods nobody collected.
pub(super) const PICKUP_OVERDUE: &str = "PICKUP_OVERDUE";

/// The marker of goods of which a driver has some, and the buyer the others.
pub(super) const PARTLY_COLLECTED: &str = "PARTLY_COLLECTED";
/// The marker of goods that a driver has although the return has ended.
const COLLECTED_AFTER_ALL: &str = "COLLECTED_AFTER_ALL";

/// How Pickup refuses when no slot that was wished for has room.
const NO_CAPACITY: &str = "NO_CAPACITY";

/// Why nobody has to come for them any more.
pub(super) const GOODS_ARRIVED: &str = "the goods have arrived";

/// What the driver or the carrier has to know of the goods.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) items: Vec<Item>,
    pub(crate) declared_value: Money,
}

/// When a driver shall come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) date: Option<Date>,
    pub(crate) slot: Option<String>,
}

/// What Pickup or Shipping tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum News {
    PickupBooked {
        pickup_id: PickupId,
        attempt: u32,
        window: (Timestamp, Timestamp),
        cost: Money,
    },
    PickupRescheduled {
        pickup_id: PickupId,
        window: (Timestamp, Timestamp),
    },
    /// The driver left without the goods; whether they come again, Pickup tells next, or nobody knows.
    CameInVain {
        pickup_id: PickupId,
        code: String,
    },
    /// The driver will not come, and may have been on the way; another one will.
    TurnedBack {
        pickup_id: PickupId,
    },
    LabelBooked {
        shipment_id: ShipmentId,
        attempt: u32,
        tracking_number: String,
        cost: Money,
    },
    /// Nobody comes, or no label is to be had: refused, abandoned, cancelled, voided.
    Failed {
        way_back: WayBack,
        attempt: Option<u32>,
        of: Booked,
        code: String,
        detail: String,
    },
    /// It cannot be stopped any more.
    KeptGoing {
        pickup_id: PickupId,
        detail: String,
    },
    PickedUp {
        of: Booked,
        at: Timestamp,
        /// How many of the parcels were not handed over.
        missing: u32,
    },
    Departed {
        shipment_id: ShipmentId,
        at: Timestamp,
    },
    Arrived {
        shipment_id: ShipmentId,
        at: Timestamp,
    },
    Lost {
        shipment_id: ShipmentId,
        at: Timestamp,
    },
}

/// Whose news it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Booked {
    Pickup(PickupId),
    Shipment(ShipmentId),
}

impl Return {
    /// Asks Pickup for a driver.
    pub(crate) fn ask_for_pickup(&mut self, wanted: Wanted, load: Load, now: Timestamp) -> Outcome {
        let attempt = self.next_attempt()?;
        let asked = ReturnPickupRequested {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            attempt,
            // Without a day, the first slot of the week that has room; on demand is the next two hours or nothing.
            kind: "scheduled".to_owned(),
            date: wanted.date,
            slot: wanted.slot,
            sender: self.request.buyer.clone(),
            parcels: load.parcels,
        };
        Ok(vec![self.apply(asked, now)])
    }

    /// Asks Shipping for a label.
    pub(crate) fn ask_for_label(&mut self, load: Load, now: Timestamp) -> Outcome {
        let attempt = self.next_attempt()?;
        let asked = ReturnLabelRequested {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            attempt,
            sender: self.request.buyer.clone(),
            consignee: self.request.destination.clone(),
            parcels: load.parcels,
            items: load.items,
            declared_value: load.declared_value,
        };
        Ok(vec![self.apply(asked, now)])
    }

    /// Whether nobody had room on the day that the request wished for, and it has come wherever on Earth: then any slot
    /// will do. A day that a person chose later is theirs to change.
    pub(crate) fn missed_its_day(&self, now: Timestamp) -> bool {
        let has_come = |date: Date| date.yesterday().is_ok_and(|before| day::is_over(before, now));
        // Then any slot was asked for in the first place.
        let was_over = |date| self.approval.as_ref().is_some_and(|approval| day::is_over(date, approval.at));
        self.status == Status::Approved
            && self.booking.attempt == 1
            && self.attention.as_ref().is_some_and(|attention| attention.code == NO_CAPACITY)
            && self.request.pickup_date.is_some_and(|date| has_come(date) && !was_over(date))
    }

    fn next_attempt(&self) -> Result<u32, ReturnError> {
        if self.ending.is_some() {
            return Err(ReturnError::Ending);
        }
        match self.booked_way() {
            // Nobody answered, and somebody was told: ask again.
            Some(_) if self.booking.asked.is_some() && self.attention.is_some() => {}
            Some(way) => return Err(ReturnError::BookedAlready(way)),
            None => {}
        }
        if self.status != Status::Approved {
            return Err(ReturnError::NoWayBack(self.status));
        }
        Ok(self.booking.attempt + 1)
    }

    /// Asks whoever has the booking to give it back; nothing, if there is none.
    pub(super) fn give_booking_back(&self, reason: &str) -> Option<ReturnFact> {
        let way_back = self.booked_way()?;
        let asked = ReturnWayBackCancelRequested {
            return_id: self.id,
            company_id: self.company_id(),
            attempt: self.booking.attempt,
            way_back: way_back.as_str().to_owned(),
            pickup_id: self.booking.pickup_id,
            shipment_id: self.booking.shipment_id,
            reason: reason.to_owned(),
        };
        Some(asked.into())
    }

    /// Takes in what Pickup or Shipping tells. News of a booking that is not this return's any more changes nothing,
    /// save that a booking that came too late, or that goods wait for no more, is given back.
    pub(crate) fn hear(&mut self, news: News, now: Timestamp) -> Vec<ReturnFact> {
        match news {
            News::PickupBooked { pickup_id, attempt, window, cost } => {
                let (window_start, window_end) = window;
                self.booked(attempt, WayBack::Pickup, Booked::Pickup(pickup_id), now, move |of, too_late| {
                    let booked =
                        ReturnPickupBooked { pickup_id, attempt, window_start, window_end, cost, too_late };
                    vec![of.apply(booked, now)]
                })
            }
            News::PickupRescheduled { pickup_id, window } => {
                let (window_start, window_end) = window;
                if self.waits_for(pickup_id) {
                    let rescheduled = ReturnPickupRescheduled { pickup_id, window_start, window_end };
                    return vec![self.apply(rescheduled, now)];
                }
                // Who was promised when it was to end already may come after all; the buyer does not hear of them yet.
                let late =
                    self.comes_after_all(pickup_id).filter(|_| self.is_mine(Booked::Pickup(pickup_id)));
                let moved =
                    late.map(|late| ReturnPickupBooked { window_start, window_end, too_late: true, ..late });
                moved.into_iter().map(|moved| self.apply(moved, now)).collect()
            }
            News::CameInVain { pickup_id, code } => {
                let failed =
                    self.waits_for(pickup_id).then_some(ReturnPickupAttemptFailed { pickup_id, code });
                let mut facts: Vec<_> = failed.into_iter().map(|failed| self.apply(failed, now)).collect();
                facts.extend(self.need_not_come(pickup_id, now));
                facts
            }
            News::TurnedBack { pickup_id } => self.need_not_come(pickup_id, now),
            News::LabelBooked { shipment_id, attempt, tracking_number, cost } => self.booked(
                attempt,
                WayBack::Label,
                Booked::Shipment(shipment_id),
                now,
                move |of, too_late| {
                    if too_late {
                        let priced = ReturnLabelPriced { cost, tracking_number: Some(tracking_number) };
                        return vec![of.apply(priced, now)];
                    }
                    let issued = ReturnLabelIssued {
                        return_id: of.id,
                        company_id: of.company_id(),
                        order_id: of.order_id(),
                        shipment_id,
                        tracking_number,
                    };
                    let priced = ReturnLabelPriced { cost, tracking_number: None };
                    vec![of.apply(issued, now), of.apply(priced, now)]
                },
            ),
            News::Failed { way_back, attempt, of, code, detail } => {
                let asked = self.booking.asked == Some(way_back);
                let refused = asked && attempt == Some(self.booking.attempt);
                // Whoever never heard of the request answers with an id of its own: nobody comes, then.
                let given_back = self.ending.is_some() || self.received_at.is_some();
                let unknown = asked && attempt.is_none() && given_back;
                if self.is_mine(of) || refused || unknown {
                    self.failed(way_back, code, detail, now)
                } else {
                    Vec::new()
                }
            }
            News::KeptGoing { pickup_id, detail } => {
                if !self.is_mine(Booked::Pickup(pickup_id)) || self.ending.is_none() {
                    return Vec::new();
                }
                let booked = self.comes_after_all(pickup_id).map(|booked| self.apply(booked, now));
                let refused = self.apply(ReturnEndingRefused { reason: detail }, now);
                booked.into_iter().chain([refused]).collect()
            }
            News::PickedUp { of, at, missing } => self.picked_up(of, at, missing, now),
            News::Departed { shipment_id, at } => {
                let mut facts =
                    self.hear(News::PickedUp { of: Booked::Shipment(shipment_id), at, missing: 0 }, now);
                if self.is_mine(Booked::Shipment(shipment_id)) && self.status == Status::PickedUp {
                    facts.push(self.apply(ReturnDeparted { at }, now));
                }
                facts
            }
            News::Arrived { shipment_id, at } => {
                let mut facts = self.hear(News::Departed { shipment_id, at }, now);
                if self.is_mine(Booked::Shipment(shipment_id)) && self.status == Status::InTransit {
                    facts.push(self.apply(ReturnArrived { at }, now));
                }
                facts
            }
            News::Lost { shipment_id, at } => {
                let mut facts =
                    self.hear(News::PickedUp { of: Booked::Shipment(shipment_id), at, missing: 0 }, now);
                let may_be_lost = self.may_be_lost();
                if self.is_mine(Booked::Shipment(shipment_id)) && may_be_lost && self.lost_at.is_none() {
                    facts.push(self.apply(ReturnLost { at, reason: None }, now));
                }
                facts
            }
        }
    }

    /// The carrier could not deliver it: the goods are with the buyer again, who gets as long for another way back as
    /// for the first.
    pub(crate) fn give_back(
        &mut self,
        shipment_id: ShipmentId,
        at: Timestamp,
        expires_after_days: u16,
        now: Timestamp,
    ) -> Vec<ReturnFact> {
        let mut facts = self.hear(News::PickedUp { of: Booked::Shipment(shipment_id), at, missing: 0 }, now);
        if self.is_mine(Booked::Shipment(shipment_id)) && self.status.is_on_the_road() {
            let expires_at = now + SignedDuration::from_hours(24 * i64::from(expires_after_days));
            facts.push(self.apply(ReturnGivenBack { at, expires_at }, now));
        }
        facts
    }

    /// A person says that the goods, or those that are still missing, do not come any more: of what a driver took, nobody
    /// else would. Nothing, if that is known already.
    pub(crate) fn report_lost(&mut self, reason: &str, now: Timestamp) -> Outcome {
        if !self.may_be_lost() {
            return Err(ReturnError::NotOnItsWay(self.status));
        }
        if self.lost_at.is_some() {
            return Ok(Vec::new());
        }
        let lost = ReturnLost { at: now, reason: Some(reason.to_owned()) };
        Ok(vec![self.apply(lost, now)])
    }

    /// Whether what was handed over may not come any more: all of it on the road, then what is missing of it, until
    /// the money is decided on.
    fn may_be_lost(&self) -> bool {
        let some_came = match self.status {
            Status::Received | Status::Inspected => true,
            // Over the inspection: over a rejection nothing was sent.
            Status::Disputed => self.received_at.is_some(),
            _ => false,
        };
        let is_missing = || self.picked_up_at.is_some() && !self.outstanding().is_empty();
        self.status.is_on_the_road() || (some_came && is_missing())
    }

    /// The driver who was promised when it was to end already, and cannot be called off any more.
    fn comes_after_all(&self, pickup_id: PickupId) -> Option<ReturnPickupBooked> {
        if self.status != Status::Approved {
            return None;
        }
        let Booking { attempt, window_start, window_end, cost, .. } = self.booking;
        Some(ReturnPickupBooked {
            pickup_id,
            attempt,
            window_start: window_start?,
            window_end: window_end?,
            cost: cost?,
            too_late: false,
        })
    }

    /// Who was too near to be called off when it was to end, or when the goods were brought, need not come again.
    fn need_not_come(&mut self, pickup_id: PickupId, now: Timestamp) -> Vec<ReturnFact> {
        if !self.is_mine(Booked::Pickup(pickup_id)) {
            return Vec::new();
        }
        let mut facts = Vec::new();
        if self.received_at.is_some() || self.status.is_on_the_road() {
            let asked = self.give_booking_back(GOODS_ARRIVED);
            facts.extend(asked.map(|fact| self.apply(fact, now)));
        } else if let Some(ending) = self.booking.refused_ending {
            let reason = self.ending_reason.clone().unwrap_or_default();
            facts.extend(self.begin_to_end(ending, &reason, now));
        }
        facts
    }

    /// Somebody has the goods. It may be the driver of a pickup that was cancelled before this was told: then nobody else
    /// has to come for them, and of a return that has ended a person has to see to them.
    fn picked_up(&mut self, of: Booked, at: Timestamp, missing: u32, now: Timestamp) -> Vec<ReturnFact> {
        let (is_mine, by_driver) = (self.is_mine(of), matches!(of, Booked::Pickup(_)));
        if by_driver && matches!(self.status, Status::Cancelled | Status::Expired) {
            let detail = "the return has ended, and a driver collected the goods for all that: bring them back, or request \
                          another return and receive them there";
            return self.raise(COLLECTED_AFTER_ALL, detail, now);
        }
        if !self.status.may_become(Status::PickedUp) || !(is_mine || by_driver) {
            return Vec::new();
        }
        let mut facts = Vec::new();
        if !is_mine {
            let asked = self.give_booking_back("another driver has the goods");
            facts.extend(asked.map(|fact| self.apply(fact, now)));
        }
        let (return_id, company_id, order_id) = (self.id, self.company_id(), self.order_id());
        facts.push(self.apply(ReturnPickedUp { return_id, company_id, order_id, at }, now));
        if missing > 0 {
            // Why, its pickup says: it may speak of the buyer.
            let detail =
                format!("{missing} of its parcels were not handed over; see to them, what was is on its way");
            facts.extend(self.raise(PARTLY_COLLECTED, &detail, now));
        }
        facts
    }

    /// A booking that answers what is asked for now is taken; one that nobody waits for any more is given back, and if it
    /// was asked for by what is to end, its cost is kept: it may go on.
    fn booked(
        &mut self,
        attempt: u32,
        way_back: WayBack,
        of: Booked,
        now: Timestamp,
        take: impl FnOnce(&mut Self, bool) -> Vec<ReturnFact>,
    ) -> Vec<ReturnFact> {
        let answers =
            attempt == self.booking.attempt && self.booking.asked == Some(way_back) && !self.status.is_over();
        let mut facts = Vec::new();
        if !answers {
            if self.is_mine(of) || attempt == self.booking.attempt {
                return facts;
            }
        } else if self.status == Status::Approved {
            let too_late = self.ending.is_some();
            facts = take(self, too_late);
            if !too_late {
                return facts;
            }
        }
        let (pickup_id, shipment_id) = match of {
            Booked::Pickup(id) => (Some(id), None),
            Booked::Shipment(id) => (None, Some(id)),
        };
        let too_late = ReturnWayBackCancelRequested {
            return_id: self.id,
            company_id: self.company_id(),
            attempt,
            way_back: way_back.as_str().to_owned(),
            pickup_id,
            shipment_id,
            reason: "nobody waits for it any more".to_owned(),
        };
        facts.push(self.apply(too_late, now));
        facts
    }

    /// Whether this driver is the one who is to come.
    fn waits_for(&self, pickup_id: PickupId) -> bool {
        self.is_mine(Booked::Pickup(pickup_id)) && self.status == Status::PickupScheduled
    }

    fn is_mine(&self, of: Booked) -> bool {
        match of {
            Booked::Pickup(id) => self.booking.pickup_id == Some(id),
            Booked::Shipment(id) => self.booking.shipment_id == Some(id),
        }
    }

    fn failed(&mut self, way_back: WayBack, code: String, detail: String, now: Timestamp) -> Vec<ReturnFact> {
        let (ending, reason) = (self.ending, self.ending_reason.clone().unwrap_or_default());
        let is_booked = matches!(self.status, Status::PickupScheduled | Status::LabelIssued);
        let promised = is_booked && ending.is_none();
        let mut facts = vec![self.apply(ReturnWayBackFailed { way_back, code, detail, promised }, now)];
        if let Some(ending) = ending {
            facts.push(self.end(ending, &reason, now));
        }
        facts
    }
}
