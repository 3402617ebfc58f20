//! The parcels on the road. News of different services overtake each other: an order goes forward along
//! legal steps, never back, and what it knows already changes nothing.

use jiff::Timestamp;
use quenty_contracts::order::{
    OrderDelivered, OrderDeparted, OrderExceptionRaised, OrderExceptionResolved, OrderLost, OrderPickedUp,
    OrderReturnedToSender, OrderUndeliverable,
};

use super::{HoldCode, Order, Status, pickups::WITH_CARRIER};

/// What happened to the parcels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    PickedUp,
    Departed,
    OutForDelivery,
    Exception { code: String, detail: String },
    Resolved,
    Delivered,
    Undeliverable { reason: String },
    Returned,
    Lost,
}

impl Order {
    /// As [`Order::travel`], for news from the road: parcels that somebody has are not being cancelled, and those that
    /// the carrier has carried on are not fetched.
    pub(super) fn travel_from(&mut self, movement: Movement, at: Timestamp, now: Timestamp) {
        if self.status == Status::Cancelled {
            return self.hold_cancelled(&movement, now);
        }
        let collected = !matches!(movement, Movement::Exception { .. } | Movement::Resolved);
        if self.status == Status::Cancelling && collected {
            self.refuse_cancellation("the parcels are on their way".to_owned(), now);
        }
        // That the carrier has them often overtakes that the driver came. That they go on hardly does, and if it does,
        // Pickup refuses and nothing changes.
        if collected && movement != Movement::PickedUp && self.waits_for_driver() {
            self.give_pickup_back(WITH_CARRIER.to_owned(), now);
        }
        self.go(movement, at, now);
    }

    /// Whether a driver may still come for parcels of which nobody has told yet that they are under way.
    pub(super) fn waits_for_driver(&self) -> bool {
        let here = self.is_before_collection() || matches!(self.status, Status::PickedUp | Status::Exception);
        here && self.fulfilment.driver_may_come()
    }

    /// The cancellation has released the goods, and others may have them by now: what left for all that, and how it
    /// ends, is for a person to see.
    fn hold_cancelled(&mut self, movement: &Movement, now: Timestamp) {
        let (how, what) = match movement {
            Movement::PickedUp => ("are with the carrier", "take them out of the stock"),
            Movement::Delivered => ("were delivered", "they must be out of the stock; see to the money"),
            Movement::Returned => ("came back", "put them back into the stock if they were taken out"),
            Movement::Lost => ("are lost", "they must be out of the stock; see to the money"),
            _ => return,
        };
        let why = format!("the order is cancelled, but its parcels {how}: {what}, then retry");
        self.fail(HoldCode::CancelledOnTheRoad, why, now);
    }

    pub(super) fn travel(&mut self, movement: Movement, now: Timestamp) {
        self.go(movement, now, now);
    }

    fn go(&mut self, movement: Movement, at: Timestamp, now: Timestamp) {
        match movement {
            Movement::PickedUp => self.move_on(Status::PickedUp, false, at, now),
            Movement::Departed | Movement::OutForDelivery => self.move_on(Status::InTransit, true, at, now),
            Movement::Delivered => self.move_on(Status::Delivered, true, at, now),
            Movement::Exception { code, detail } => {
                if self.status.may_become(Status::Exception) {
                    self.happen(OrderExceptionRaised { order_id: self.id, code, detail }, now);
                }
            }
            Movement::Resolved => {
                self.resolve(now);
                self.proceed(now);
            }
            Movement::Undeliverable { reason } => {
                if self.fall_out("UNDELIVERABLE", &reason, at, now) {
                    self.happen(OrderUndeliverable { order_id: self.id, reason }, now);
                }
            }
            Movement::Returned => {
                if self.fall_out("UNDELIVERABLE", "the parcels came back", at, now) {
                    self.happen(
                        OrderUndeliverable { order_id: self.id, reason: "the parcels came back".to_owned() },
                        now,
                    );
                }
                if self.status == Status::Undeliverable {
                    self.happen(OrderReturnedToSender { order_id: self.id, at }, now);
                }
            }
            Movement::Lost => {
                let fell_out = self.fall_out("LOST", "the parcels are lost", at, now);
                if fell_out || self.status == Status::Undeliverable {
                    self.happen(
                        OrderLost { order_id: self.id, reason: "the parcels are lost".to_owned() },
                        now,
                    );
                }
            }
        }
    }

    pub(super) fn advance(&mut self, to: Status, ends_exception: bool, now: Timestamp) {
        self.move_on(to, ends_exception, now, now);
    }

    /// Goes forward to `to`, step by step. An exception ends when the parcels get further than it found them,
    /// or when the news says that they move on.
    fn move_on(&mut self, to: Status, ends_exception: bool, at: Timestamp, now: Timestamp) {
        if self.status == Status::Exception
            && (ends_exception || to.progress() > self.interrupted.and_then(Status::progress))
        {
            self.resolve(now);
        }
        if self.status == Status::Undeliverable && to == Status::Delivered {
            // The consignee had the parcels before they were given up.
            self.resume_all_but_left_behind(now);
            return self.deliver(at, now);
        }
        let Some(reached) = self.status.progress() else { return };
        if to.progress() > Some(reached) && to != Status::Processing {
            self.resume_all_but_left_behind(now);
        }
        while self.status.progress().is_some_and(|progress| Some(progress) < to.progress()) {
            self.step_forward(at, now);
        }
    }

    /// Whatever was waited for, the parcels are on their way; but those that were left behind are not.
    fn resume_all_but_left_behind(&mut self, now: Timestamp) {
        self.resume_if(now, |code| code != HoldCode::PartlyCollected);
    }

    fn step_forward(&mut self, at: Timestamp, now: Timestamp) {
        match self.status {
            Status::Confirmed => self.start_processing(now),
            Status::Processing => {
                self.happen(
                    OrderPickedUp { order_id: self.id, pickup_id: self.fulfilment.pickup_id, at },
                    now,
                );
            }
            Status::PickedUp => self.happen(OrderDeparted { order_id: self.id, at }, now),
            _ => self.deliver(at, now),
        }
    }

    fn deliver(&mut self, at: Timestamp, now: Timestamp) {
        let delivered = OrderDelivered {
            order_id: self.id,
            company_id: self.company_id,
            customer_id: self.customer_id,
            lines: self.lines.clone(),
            totals: self.totals.clone(),
            payment_method: self.payment_method.as_str().to_owned(),
            at,
            promised_at: self.fulfilment.promised_at,
            paid: Some(self.paid),
            consignee: Some(self.consignee.clone()),
            sender: Some(self.sender.clone()),
            warehouse_id: Some(self.warehouse_id),
            items: self.items.clone(),
            external_reference: self.external_reference.clone(),
        };
        self.happen(delivered, now);
    }

    fn resolve(&mut self, now: Timestamp) {
        if let (Status::Exception, Some(before)) = (self.status, self.interrupted) {
            self.happen(
                OrderExceptionResolved { order_id: self.id, status: before.as_str().to_owned() },
                now,
            );
        }
    }

    /// Leaves the road to the door: whoever has the parcels now collected them. Says whether the order stands
    /// in an exception, from where it can be undeliverable or lost.
    fn fall_out(&mut self, code: &str, detail: &str, at: Timestamp, now: Timestamp) -> bool {
        self.move_on(Status::PickedUp, false, at, now);
        self.resume_all_but_left_behind(now);
        if self.status.may_become(Status::Exception) {
            self.happen(
                OrderExceptionRaised { order_id: self.id, code: code.to_owned(), detail: detail.to_owned() },
                now,
            );
        }
        self.status == Status::Exception
    }
}
