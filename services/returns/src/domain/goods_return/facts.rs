//! What can happen to a return: the published facts of `quenty_contracts::returns`, and those that only its own history
//! needs.

use jiff::Timestamp;
use quenty_contracts::returns::{
    ReturnApproved, ReturnCancelled, ReturnCompleted, ReturnDisposed, ReturnDisputed, ReturnExchanged,
    ReturnExpired, ReturnInspected, ReturnLabelIssued, ReturnLabelRequested, ReturnPickedUp,
    ReturnPickupRequested, ReturnProcessed, ReturnReceived, ReturnRefunded, ReturnRejected, ReturnRequested,
    ReturnWayBackCancelRequested,
};
use quenty_kernel::{
    Event,
    id::{DispositionId, PickupId, ProductId},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::state::{Attention, Ending, Payout};
use crate::domain::{
    approval::Finding,
    disposition::Kind,
    words::{RefundMethod, WayBack},
};

macro_rules! private {
    ($($(#[$meta:meta])* $kind:literal $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub(crate) struct $name { $($(#[$field_meta])* pub(crate) $field: $type),* }

        impl Event for $name {
            const TYPE: &'static str = $kind;
            const PUBLISHED: bool = false;
        }
    )+};
}

/// What became of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct UnitDisposition {
    pub(crate) disposition_id: DispositionId,
    /// The line's place in its order, from 1.
    pub(crate) line: u32,
    /// The unit's number within what was received of the line, from 1.
    pub(crate) unit: u32,
    pub(crate) product_id: ProductId,
    pub(crate) kind: Kind,
    /// What it is expected to bring.
    pub(crate) value: Money,
    /// What that costs.
    pub(crate) cost: Money,
    pub(crate) partner: Option<String>,
    /// Why not the option of the highest value.
    pub(crate) reason: Option<String>,
}

private! {
    /// A person decides, for these reasons.
    "quenty.returns.return.referred.v1" ReturnReferred { findings: Vec<Finding> }
    /// Pickup promised a driver.
    "quenty.returns.return.pickup_booked.v1" ReturnPickupBooked {
        pickup_id: PickupId,
        attempt: u32,
        window_start: Timestamp,
        window_end: Timestamp,
        cost: Money,
        /// It is to end by now: the driver is called off. Who comes all the same is told as another booking. Absent in
        /// facts of before this was kept.
        #[serde(default)]
        too_late: bool,
    }
    /// Pickup promised another time.
    "quenty.returns.return.pickup_rescheduled.v1" ReturnPickupRescheduled {
        pickup_id: PickupId,
        window_start: Timestamp,
        window_end: Timestamp,
    }
    /// The driver came, and left without the goods.
    "quenty.returns.return.pickup_attempt_failed.v1" ReturnPickupAttemptFailed {
        pickup_id: PickupId,
        /// As Pickup names it, like `NOT_READY`.
        code: String,
    }
    /// What the label costs, told by Shipping with the booking, also where it is given back.
    "quenty.returns.return.label_priced.v1" ReturnLabelPriced {
        cost: Money,
        /// Of one that came too late to be issued: it may be used for all that. Absent in facts of before this was kept.
        #[serde(default)]
        tracking_number: Option<String>,
    }
    /// Refused, abandoned, voided or not answered: another way back is needed.
    "quenty.returns.return.way_back_failed.v1" ReturnWayBackFailed {
        way_back: WayBack,
        code: String,
        detail: String,
        /// The buyer waits for it, and was told of it. Absent in facts of before this was kept.
        #[serde(default)]
        promised: bool,
    }
    /// Its end waits for the answer of who comes for it.
    "quenty.returns.return.ending_asked.v1" ReturnEndingAsked { ending: Ending, reason: String }
    /// The driver had begun, or the parcel was handed in: it goes on.
    "quenty.returns.return.ending_refused.v1" ReturnEndingRefused { reason: String }
    "quenty.returns.return.departed.v1" ReturnDeparted { at: Timestamp }
    /// The carrier handed it over at the warehouse; what is in it shows when it is received.
    "quenty.returns.return.arrived.v1" ReturnArrived { at: Timestamp }
    /// The carrier could not deliver it, and gave it back to the buyer: another way back is needed.
    "quenty.returns.return.given_back.v1" ReturnGivenBack {
        at: Timestamp,
        /// What has not arrived by then expires.
        expires_at: Timestamp,
    }
    /// The carrier lost it, or a person says that it is lost.
    "quenty.returns.return.lost.v1" ReturnLost {
        at: Timestamp,
        /// What the person says. Absent where the carrier told it.
        reason: Option<String>,
    }
    /// Follows `processed`.
    "quenty.returns.return.units_disposed.v1" ReturnUnitsDisposed { units: Vec<UnitDisposition> }
    /// The replacement is ordered once more, after Order refused it.
    "quenty.returns.return.exchange_asked.v1" ReturnExchangeAsked {}
    /// The payment provider is to pay the buyer.
    "quenty.returns.return.payout_asked.v1" ReturnPayoutAsked { payout: Payout }
    /// The payment provider did not, and will not for this request.
    "quenty.returns.return.payout_refused.v1" ReturnPayoutRefused { detail: String }
    /// Something takes too long or went wrong: a person has to look.
    "quenty.returns.return.attention_raised.v1" ReturnAttentionRaised { attention: Attention }
    /// Nobody knows any more whose it was.
    "quenty.returns.return.erased.v1" ReturnErased {}
}

quenty_kernel::facts! {
    pub(crate) enum ReturnFact {
        Requested(ReturnRequested),
        Referred(ReturnReferred),
        Approved(ReturnApproved),
        Rejected(ReturnRejected),
        Disputed(ReturnDisputed),
        PickupRequested(ReturnPickupRequested),
        PickupBooked(ReturnPickupBooked),
        PickupRescheduled(ReturnPickupRescheduled),
        PickupAttemptFailed(ReturnPickupAttemptFailed),
        LabelRequested(ReturnLabelRequested),
        LabelIssued(ReturnLabelIssued),
        LabelPriced(ReturnLabelPriced),
        WayBackFailed(ReturnWayBackFailed),
        WayBackCancelRequested(ReturnWayBackCancelRequested),
        EndingAsked(ReturnEndingAsked),
        EndingRefused(ReturnEndingRefused),
        PickedUp(ReturnPickedUp),
        Departed(ReturnDeparted),
        Arrived(ReturnArrived),
        GivenBack(ReturnGivenBack),
        Lost(ReturnLost),
        Received(ReturnReceived),
        Inspected(ReturnInspected),
        Processed(ReturnProcessed),
        UnitsDisposed(ReturnUnitsDisposed),
        ExchangeAsked(ReturnExchangeAsked),
        PayoutAsked(ReturnPayoutAsked),
        PayoutRefused(ReturnPayoutRefused),
        Refunded(ReturnRefunded),
        Exchanged(ReturnExchanged),
        Disposed(ReturnDisposed),
        Cancelled(ReturnCancelled),
        Expired(ReturnExpired),
        Completed(ReturnCompleted),
        AttentionRaised(ReturnAttentionRaised),
        Erased(ReturnErased),
    }
}

/// The step that a fact is for the buyer; those that only the merchant needs are none.
pub(crate) fn step_of(fact: &ReturnFact) -> Option<&'static str> {
    match fact {
        ReturnFact::Requested(_) => Some("requested"),
        ReturnFact::Approved(_) => Some("approved"),
        ReturnFact::Rejected(_) => Some("rejected"),
        ReturnFact::PickupBooked(fact) if !fact.too_late => Some("pickup_scheduled"),
        ReturnFact::PickupRescheduled(_) => Some("pickup_rescheduled"),
        ReturnFact::LabelIssued(_) => Some("label_issued"),
        ReturnFact::WayBackFailed(fact) if fact.promised => match fact.way_back {
            WayBack::Pickup => Some("pickup_called_off"),
            WayBack::Label => Some("label_voided"),
            WayBack::DropOff => None,
        },
        ReturnFact::PickedUp(_) => Some("picked_up"),
        ReturnFact::GivenBack(_) => Some("given_back"),
        ReturnFact::Received(_) => Some("received"),
        ReturnFact::Inspected(fact) if fact.complete => Some("inspected"),
        ReturnFact::Refunded(fact) if fact.method == RefundMethod::StoreCredit.as_str() => Some("credited"),
        ReturnFact::Refunded(_) => Some("refunded"),
        ReturnFact::Exchanged(_) => Some("exchanged"),
        ReturnFact::Disposed(_) => Some("disposed"),
        ReturnFact::Cancelled(_) => Some("cancelled"),
        ReturnFact::Expired(_) => Some("expired"),
        _ => None,
    }
}
