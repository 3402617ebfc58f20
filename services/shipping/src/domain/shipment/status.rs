//! Where a shipment stands, and the one table of where it may go from there.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::tracking::UnifiedStatus;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Draft,
    /// An offer is chosen; what allows it is being found out.
    Booking,
    Rejected,
    Booked,
    Voided,
    PickedUp,
    InTransit,
    CustomsHold,
    OutForDelivery,
    Exception,
    Delivered,
    Undeliverable,
    Returned,
    Lost,
}

impl Status {
    pub const ALL: [Self; 14] = [
        Self::Draft,
        Self::Booking,
        Self::Rejected,
        Self::Booked,
        Self::Voided,
        Self::PickedUp,
        Self::InTransit,
        Self::CustomsHold,
        Self::OutForDelivery,
        Self::Exception,
        Self::Delivered,
        Self::Undeliverable,
        Self::Returned,
        Self::Lost,
    ];

    /// What may follow. Everything else is a mistake of the caller or of ours.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Draft => &[Self::Booking, Self::Voided],
            Self::Booking => &[Self::Booked, Self::Rejected, Self::Voided],
            Self::Booked => &[Self::PickedUp, Self::Voided],
            Self::PickedUp => &[Self::InTransit, Self::Exception],
            Self::InTransit => &[Self::CustomsHold, Self::OutForDelivery, Self::Exception],
            Self::CustomsHold => &[Self::InTransit, Self::Exception],
            Self::OutForDelivery => &[Self::Delivered, Self::Exception],
            Self::Exception => {
                &[Self::PickedUp, Self::InTransit, Self::CustomsHold, Self::Undeliverable, Self::Lost]
            }
            // Delivered: before it was given up, and told later.
            Self::Undeliverable => &[Self::Delivered, Self::Returned, Self::Lost],
            Self::Rejected | Self::Voided | Self::Delivered | Self::Returned | Self::Lost => &[],
        }
    }

    #[must_use]
    pub fn can_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// The one word of every carrier for it; an exception has two: only a failed delivery leads back from the door.
    #[must_use]
    pub const fn unified(self, resumes_at: Option<Self>) -> UnifiedStatus {
        match self {
            Self::Draft | Self::Booking | Self::Booked => UnifiedStatus::Pending,
            Self::Rejected | Self::Voided => UnifiedStatus::Cancelled,
            Self::PickedUp => UnifiedStatus::PickedUp,
            Self::InTransit => UnifiedStatus::InTransit,
            Self::CustomsHold => UnifiedStatus::OnHold,
            Self::OutForDelivery => UnifiedStatus::OutForDelivery,
            Self::Exception => match resumes_at {
                Some(Self::OutForDelivery) => UnifiedStatus::DeliveryFailed,
                _ => UnifiedStatus::DeliveryDelayed,
            },
            Self::Delivered => UnifiedStatus::Delivered,
            Self::Undeliverable | Self::Returned => UnifiedStatus::ReturnToSender,
            Self::Lost => UnifiedStatus::Lost,
        }
    }

    /// It ended before there was anything to carry.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Rejected | Self::Voided)
    }

    /// Somebody may still have to know where it goes.
    #[must_use]
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Draft) && !self.next().is_empty()
    }

    /// The carrier has, or had, the parcels.
    #[must_use]
    pub const fn is_collected(self) -> bool {
        !self.is_over() && !matches!(self, Self::Draft | Self::Booking | Self::Booked)
    }

    /// It has a label, and people of the carrier may report on it.
    #[must_use]
    pub const fn is_trackable(self) -> bool {
        matches!(self, Self::Booked) || self.is_collected()
    }

    /// Booked, and the end is still open.
    #[must_use]
    pub const fn is_on_its_way(self) -> bool {
        self.is_trackable() && !self.has_ended() && !matches!(self, Self::Undeliverable)
    }

    /// Nothing more will happen to its parcels.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Lost)
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Booking => "booking",
            Self::Rejected => "rejected",
            Self::Booked => "booked",
            Self::Voided => "voided",
            Self::PickedUp => "picked_up",
            Self::InTransit => "in_transit",
            Self::CustomsHold => "customs_hold",
            Self::OutForDelivery => "out_for_delivery",
            Self::Exception => "exception",
            Self::Delivered => "delivered",
            Self::Undeliverable => "undeliverable",
            Self::Returned => "returned",
            Self::Lost => "lost",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = quenty_kernel::Invalid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| quenty_kernel::Invalid::new("status", "must be a status of a shipment"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state machine of design/services/shipping.md, once more and by hand: every pair not drawn is illegal.
    const DRAWN: [(&str, &str); 24] = [
        ("draft", "booking"),
        ("draft", "voided"),
        ("booking", "booked"),
        ("booking", "rejected"),
        ("booking", "voided"),
        ("booked", "picked_up"),
        ("booked", "voided"),
        ("picked_up", "in_transit"),
        ("picked_up", "exception"),
        ("in_transit", "customs_hold"),
        ("in_transit", "out_for_delivery"),
        ("in_transit", "exception"),
        ("customs_hold", "in_transit"),
        ("customs_hold", "exception"),
        ("out_for_delivery", "delivered"),
        ("out_for_delivery", "exception"),
        ("exception", "picked_up"),
        ("exception", "in_transit"),
        ("exception", "customs_hold"),
        ("exception", "undeliverable"),
        ("exception", "lost"),
        ("undeliverable", "delivered"),
        ("undeliverable", "returned"),
        ("undeliverable", "lost"),
    ];

    #[test]
    fn exactly_the_drawn_transitions_are_legal() {
        for from in Status::ALL {
            for to in Status::ALL {
                let drawn = DRAWN.contains(&(from.as_str(), to.as_str()));
                assert_eq!(from.can_become(to), drawn, "{} → {}", from.as_str(), to.as_str());
            }
        }
    }

    #[test]
    fn every_status_reads_back_and_is_the_same_word_in_json() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
