//! The one error of the service, and the one table that tells callers what to do about it.

use quenty_kernel::{Failure, Invalid, Kind};

use crate::domain::{booking::Unbookable, pickup::PickupError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Platform(#[from] quenty_platform::Error),
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("only the platform's own people may do this")]
    StaffOnly,
    #[error("the company may not ship at present")]
    CompanyNotActive,
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Unbookable(#[from] Unbookable),
    #[error(transparent)]
    Pickup(#[from] PickupError),
    #[error("the hold has run out, was used, or keeps a place in another area")]
    HoldNotUsable,
    #[error("the company holds as many places as it may")]
    TooManyHolds,
    #[error("the driver is inactive")]
    DriverInactive,
    #[error("the parcels do not fit into the driver's vehicle")]
    VehicleTooSmall,
    #[error("another driver has this user")]
    UserDrivesAlready,
}

quenty_platform::platform_errors!(Error: Failure);

impl From<Error> for quenty_platform::Error {
    fn from(error: Error) -> Self {
        let failure = match error {
            Error::Platform(error) => return error,
            Error::NotFound(what) => Failure::not_found(what),
            Error::StaffOnly => Failure::new(
                Kind::Forbidden,
                "STAFF_ONLY",
                "only the platform's dispatchers and drivers can do this; ask them to",
            ),
            Error::CompanyNotActive => Failure::conflict(
                "COMPANY_NOT_ACTIVE",
                "the company may not ship at present: ask the platform's support",
            ),
            Error::Invalid(invalid) => Failure::new(
                Kind::Invalid,
                "INVALID_BODY",
                format!("{invalid}; correct it and send it again"),
            ),
            Error::Unbookable(why) => unbookable(why),
            Error::Pickup(error) => not_now(error),
            Error::HoldNotUsable => Failure::conflict(
                "HOLD_NOT_USABLE",
                "the hold has run out, was used, or keeps a place in another area; hold a slot again",
            ),
            Error::TooManyHolds => Failure::conflict(
                "TOO_MANY_HOLDS",
                "the company holds as many places as it may; book one of them, or wait until one runs out",
            ),
            Error::DriverInactive => Failure::conflict(
                "DRIVER_INACTIVE",
                "the driver is inactive; choose another one or activate this one",
            ),
            Error::VehicleTooSmall => Failure::conflict(
                "VEHICLE_TOO_SMALL",
                "the parcels are too heavy or too large for the driver's vehicle; choose another driver",
            ),
            Error::UserDrivesAlready => Failure::conflict(
                "USER_DRIVES_ALREADY",
                "this user is a driver already; update that driver instead",
            ),
        };
        failure.into()
    }
}

fn unbookable(why: Unbookable) -> Failure {
    match why {
        Unbookable::InsuranceUnavailable { .. } => {
            Failure::invalid(why.code(), "/insured_value", why.to_string())
        }
        Unbookable::PriceTooLarge => Failure::new(Kind::Invalid, why.code(), why.to_string()),
        Unbookable::NoServiceArea | Unbookable::NoCapacity | Unbookable::ExpressUnavailable => {
            Failure::conflict(why.code(), why.to_string())
        }
    }
}

fn not_now(error: PickupError) -> Failure {
    match error {
        PickupError::IllegalMove { from, to } => {
            let detail = format!("{error}; read the pickup again to see what can be done with it");
            Failure::conflict("ILLEGAL_TRANSITION", detail)
                .with("from", from.as_str())
                .with("to", to.as_str())
        }
        PickupError::NotInProgress(status) => {
            let detail = format!("{error}; start it first");
            Failure::conflict("NOT_IN_PROGRESS", detail).with("current_status", status.as_str())
        }
        PickupError::TooEarly(_) => {
            let detail = format!("{error}; start it on its day, or ask the dispatcher for another window");
            Failure::conflict("TOO_EARLY", detail)
        }
        PickupError::InTheFuture => {
            let detail = format!("{error}: check the clock of the device");
            Failure::invalid("IN_THE_FUTURE", "/at", detail)
        }
        PickupError::BeforeThePickup => {
            let detail = format!("{error}: check the clock of the device, and whether it is this stop");
            Failure::invalid("BEFORE_THE_PICKUP", "/at", detail)
        }
        PickupError::ToldTooLate(_) => {
            let detail = format!(
                "{error}: look whether it is this stop; else the dispatcher says where the parcels go"
            );
            Failure::conflict("TOLD_TOO_LATE", detail)
        }
        PickupError::Closed(status) => {
            let detail = format!("{error}: the driver has begun, or it has ended");
            Failure::conflict("PICKUP_CLOSED", detail).with("current_status", status.as_str())
        }
        PickupError::RescheduleLimit => {
            let detail =
                format!("{error}; ask the dispatcher for another window, or cancel it and book again");
            Failure::conflict("RESCHEDULE_LIMIT", detail)
        }
        PickupError::NotJudgedYet(_) => {
            let detail = format!("{error}; move it then, or cancel it now");
            Failure::conflict("NOT_JUDGED_YET", detail)
        }
        PickupError::ProofRequired => {
            let detail = format!("{error}: send handed_over_by, signature_svg, or both");
            Failure::invalid("PROOF_REQUIRED", "/handed_over_by", detail)
        }
        PickupError::CountDiffers { booked } => {
            let detail = format!("{error}: count again, or say in `difference` why it is another number");
            Failure::invalid("COUNT_DIFFERS", "/parcel_count", detail).with("booked", booked)
        }
    }
}
