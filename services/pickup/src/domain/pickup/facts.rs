//! What can happen to a pickup. The published facts are those of `quenty_contracts::pickup`.

use quenty_contracts::{
    party::Party,
    pickup::{
        ExpressMissed, PickupAbandoned, PickupArrived, PickupAssigned, PickupCancelRefused, PickupCancelled,
        PickupCompleted, PickupFailed, PickupRejected, PickupRescheduled, PickupScheduled, PickupStarted,
        PickupUnassigned, PickupsErased,
    },
};
use quenty_kernel::Event;
use serde::{Deserialize, Serialize};

use crate::domain::{
    booking::BookingRequest,
    signature::{self, Signature},
};

/// The first fact of every pickup: what was asked for. `Scheduled` or `Rejected` follows in the same moment.
impl Event for BookingRequest {
    const TYPE: &'static str = "quenty.pickup.pickup.requested.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["contact"];
}

/// Whom the driver asks for is somebody else now. Nobody but the driver has to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PickupUpdated {
    pub(crate) contact: Party,
}

impl Event for PickupUpdated {
    const TYPE: &'static str = "quenty.pickup.pickup.updated.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["contact"];
}

/// Follows `Completed` when the person who handed over signed; too personal to publish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PickupSigned {
    #[serde(deserialize_with = "signature::kept")]
    pub(crate) signature_svg: Signature,
}

impl Event for PickupSigned {
    const TYPE: &'static str = "quenty.pickup.pickup.signed.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["signature_svg"];
}

/// Nobody knows any more who was visited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PickupErased {}

impl Event for PickupErased {
    const TYPE: &'static str = "quenty.pickup.pickup.erased.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    /// What is told of all pickups at a person's door.
    pub(crate) enum ErasureFact { Erased(PickupsErased) }
}

quenty_kernel::facts! {
    pub(crate) enum PickupFact {
        Requested(BookingRequest),
        Scheduled(PickupScheduled),
        Rejected(PickupRejected),
        Updated(PickupUpdated),
        Assigned(PickupAssigned),
        Unassigned(PickupUnassigned),
        Started(PickupStarted),
        Arrived(PickupArrived),
        Completed(PickupCompleted),
        Signed(PickupSigned),
        Failed(PickupFailed),
        Rescheduled(PickupRescheduled),
        Abandoned(PickupAbandoned),
        Cancelled(PickupCancelled),
        CancelRefused(PickupCancelRefused),
        ExpressMissed(ExpressMissed),
        Erased(PickupErased),
    }
}
