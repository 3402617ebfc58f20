//! Where an order stands: the one table of legal steps (design/services/order.md, "Model").

quenty_kernel::words! {
    /// The state of an order.
    pub enum Status ("status") {
        Pending = "pending",
        Backordered = "backordered",
        Confirmed = "confirmed",
        Processing = "processing",
        PickedUp = "picked_up",
        InTransit = "in_transit",
        Exception = "exception",
        Delivered = "delivered",
        Undeliverable = "undeliverable",
        ReturnedToSender = "returned_to_sender",
        Lost = "lost",
        PartiallyReturned = "partially_returned",
        Returned = "returned",
        Cancelling = "cancelling",
        Cancelled = "cancelled",
    }
}

impl Status {
    /// Every legal step. Cancelling is a request while a pickup may be live, and takes effect at once otherwise.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Confirmed, Self::Backordered, Self::Cancelling, Self::Cancelled],
            Self::Backordered => &[Self::Pending, Self::Cancelling, Self::Cancelled],
            Self::Confirmed => &[Self::Processing, Self::Cancelling, Self::Cancelled],
            Self::Processing => &[Self::PickedUp, Self::Exception, Self::Cancelling, Self::Cancelled],
            Self::PickedUp => &[Self::InTransit, Self::Exception],
            Self::InTransit => &[Self::Delivered, Self::Exception],
            Self::Exception => &[
                Self::Processing,
                Self::PickedUp,
                Self::InTransit,
                Self::Delivered,
                Self::Undeliverable,
                Self::Lost,
                Self::Cancelling,
                Self::Cancelled,
            ],
            // Delivered: before it was given up, and told later.
            Self::Undeliverable => &[Self::Delivered, Self::ReturnedToSender, Self::Lost],
            Self::Delivered => &[Self::Returned, Self::PartiallyReturned],
            Self::PartiallyReturned => &[Self::PartiallyReturned, Self::Returned],
            Self::Cancelling => &[Self::Cancelled, Self::Processing],
            Self::ReturnedToSender | Self::Lost | Self::Returned | Self::Cancelled => &[],
        }
    }

    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// How far along the road from the click to the door; nothing for states beside it.
    #[must_use]
    pub const fn progress(self) -> Option<u8> {
        match self {
            Self::Confirmed => Some(1),
            Self::Processing => Some(2),
            Self::PickedUp => Some(3),
            Self::InTransit => Some(4),
            Self::Delivered => Some(5),
            _ => None,
        }
    }
}

quenty_kernel::words! {
    /// What kind of order: derived `international` when it leaves the country of its warehouse.
    pub enum OrderKind ("kind") { Standard = "standard", Express = "express", International = "international" }
}

impl OrderKind {
    /// What the order is now that it is known whether it leaves the country of its warehouse.
    #[must_use]
    pub const fn on_its_way(self, leaves_country: bool) -> Self {
        match (leaves_country, self) {
            (true, _) => Self::International,
            (false, Self::International) => Self::Standard,
            (false, kind) => kind,
        }
    }
}

quenty_kernel::words! {
    pub enum PaymentMethod ("payment method") { Prepaid = "prepaid", CashOnDelivery = "cash_on_delivery", Credit = "credit" }
}

quenty_kernel::words! {
    pub enum PaymentStatus ("payment status") {
        Unpaid = "unpaid",
        Authorized = "authorized",
        Paid = "paid",
        CodPending = "cod_pending",
        OnCredit = "on_credit",
        Refunded = "refunded",
        PartiallyRefunded = "partially_refunded",
    }
}

impl PaymentStatus {
    /// Whether the order may ship.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Unpaid)
    }
}

quenty_kernel::words! {
    /// Why the saga waits for a person.
    pub enum HoldCode ("hold code") {
        Manual = "MANUAL",
        PaymentMissing = "PAYMENT_MISSING",
        CompanyNotActive = "COMPANY_NOT_ACTIVE",
        KycRequired = "KYC_REQUIRED",
        GoodsExpired = "GOODS_EXPIRED",
        ShipmentRejected = "SHIPMENT_REJECTED",
        ShipmentVoided = "SHIPMENT_VOIDED",
        ShipmentUnanswered = "SHIPMENT_UNANSWERED",
        PickupRejected = "PICKUP_REJECTED",
        PickupAbandoned = "PICKUP_ABANDONED",
        PickupCancelled = "PICKUP_CANCELLED",
        PickupUnanswered = "PICKUP_UNANSWERED",
        PickupOverdue = "PICKUP_OVERDUE",
        // Stays until somebody retries or the rest comes back, wherever that gets to, also on an order that is closed by it.
        PartlyCollected = "PARTLY_COLLECTED",
        DeliveryOverdue = "DELIVERY_OVERDUE",
        ReturnOverdue = "RETURN_OVERDUE",
        CancellationUnanswered = "CANCELLATION_UNANSWERED",
        // Of an order that is closed.
        CancelledOnTheRoad = "CANCELLED_ON_THE_ROAD",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The design's drawing as text: one line per state, so that a change of the table is seen here too.
    const DRAWING: &str = "
        pending: backordered confirmed cancelling cancelled
        backordered: pending cancelling cancelled
        confirmed: processing cancelling cancelled
        processing: picked_up exception cancelling cancelled
        picked_up: in_transit exception
        in_transit: exception delivered
        exception: processing picked_up in_transit delivered undeliverable lost cancelling cancelled
        delivered: partially_returned returned
        undeliverable: delivered returned_to_sender lost
        returned_to_sender:
        lost:
        partially_returned: partially_returned returned
        returned:
        cancelling: processing cancelled
        cancelled:";

    #[test]
    fn every_pair_of_states_is_as_drawn() {
        let mut drawn = 0;
        for line in DRAWING.trim().lines() {
            let (from, to) = line.trim().split_once(':').unwrap();
            let from: Status = from.parse().unwrap();
            let to: Vec<Status> = to.split_whitespace().map(|word| word.parse().unwrap()).collect();
            for &next in Status::ALL {
                assert_eq!(from.may_become(next), to.contains(&next), "{from:?} to {next:?}");
            }
            drawn += 1;
        }
        assert_eq!(drawn, Status::ALL.len());
    }

    #[test]
    fn words_read_back() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse::<Status>().unwrap(), *status);
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("shipped".parse::<Status>().is_err());
    }
}
