//! Everything that can go wrong in Shipping, and what callers are told about it.

use quenty_kernel::{Failure, Invalid, Kind, event::UnreadableFact, money::MoneyError};

use crate::domain::{manifest::ManifestError, quote::QuoteError, rules::Refusal, shipment::ShipmentError};
use crate::http::label::LabelError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Platform(#[from] quenty_platform::Error),
    #[error("no such {0}")]
    NotFound(&'static str),
    #[error(transparent)]
    Shipment(#[from] ShipmentError),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Quote(#[from] QuoteError),
    #[error(transparent)]
    Label(#[from] LabelError),
    #[error("the company has no such customer")]
    UnknownCustomer,
    #[error("a driver looks shipments up by their numbers")]
    LookUpOnly,
    #[error("the shipment belongs to an order")]
    OfAnOrder,
    #[error("the shipment brings a return back")]
    OfAReturn,
    #[error("the shipment has no label yet")]
    NoLabel,
    #[error("the shipment is on a manifest already")]
    OnAManifest,
    #[error("the shipment does not belong on this manifest: {0}")]
    NotForThisManifest(&'static str),
    #[error("some shipments of the manifest are not collected yet")]
    NotCollected,
    /// A rule about one field that spans others, so that no type can hold it.
    #[error("{pointer}: {detail}")]
    BadField { code: &'static str, pointer: &'static str, detail: &'static str },
}

quenty_platform::platform_errors!(Error: Failure, UnreadableFact, sqlx::Error);

// Values of rows: they passed these types when they were written.
impl From<Invalid> for Error {
    fn from(error: Invalid) -> Self {
        Self::Platform(quenty_platform::Error::internal(error))
    }
}

impl From<MoneyError> for Error {
    fn from(error: MoneyError) -> Self {
        Self::Platform(quenty_platform::Error::internal(error))
    }
}

impl From<std::num::TryFromIntError> for Error {
    fn from(error: std::num::TryFromIntError) -> Self {
        Self::Platform(quenty_platform::Error::internal(error))
    }
}

impl From<Error> for quenty_platform::Error {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let failure = match error {
            Error::Platform(error) => return error,
            Error::NotFound(what) => Failure::not_found(what),
            Error::Shipment(error) => of_shipment(&error),
            Error::Manifest(error) => of_manifest(error),
            Error::Refused(refusal) => of_refusal(&refusal),
            Error::Quote(QuoteError::Unknown) => Failure::invalid("UNKNOWN_QUOTE", "/quote_id", detail),
            Error::Quote(QuoteError::Expired) => Failure::conflict("QUOTE_EXPIRED", detail),
            Error::Quote(QuoteError::OtherConsignment) => {
                Failure::invalid("QUOTE_MISMATCH", "/quote_id", detail)
            }
            Error::Label(_) => Failure::new(Kind::Invalid, "UNPRINTABLE", detail),
            Error::UnknownCustomer => Failure::invalid(
                "UNKNOWN_CUSTOMER",
                "/customer_id",
                "the company has no such customer, or they are erased; leave the field out, or name another one",
            ),
            Error::LookUpOnly => Failure::new(
                Kind::Forbidden,
                "TRACKING_NUMBER_NEEDED",
                "a driver looks shipments up by their numbers: send the tracking_number of the label",
            ),
            Error::OfAnOrder => Failure::conflict(
                "SHIPMENT_OF_AN_ORDER",
                "the shipment belongs to an order: cancel the order, and it is voided",
            ),
            Error::OfAReturn => Failure::conflict(
                "SHIPMENT_OF_A_RETURN",
                "the shipment brings a return back: cancel the return, and it is voided",
            ),
            Error::NoLabel => Failure::conflict(
                "SHIPMENT_NOT_BOOKED",
                "only a shipment that is booked and not voided has a label: book it first",
            ),
            Error::OnAManifest => Failure::conflict(
                "ON_A_MANIFEST",
                "the shipment is on a manifest already: take it out there first",
            ),
            Error::NotForThisManifest(_) => Failure::invalid("NOT_FOR_THIS_MANIFEST", "/shipment_id", detail),
            Error::NotCollected => Failure::conflict(
                "SHIPMENTS_NOT_COLLECTED",
                "some shipments of the manifest are not collected yet: wait for them, or take them out",
            ),
            Error::BadField { code, pointer, detail } => Failure::invalid(code, pointer, detail),
        };
        failure.into()
    }
}

fn of_shipment(error: &ShipmentError) -> Failure {
    let detail = error.to_string();
    match error {
        ShipmentError::IllegalTransition { from, .. } => {
            Failure::conflict("ILLEGAL_TRANSITION", detail).with("shipment_status", from.as_str())
        }
        ShipmentError::NotTrackable(status) => {
            Failure::conflict("SHIPMENT_NOT_BOOKED", detail).with("shipment_status", status.as_str())
        }
        ShipmentError::DoesNotFit { status, .. } => {
            Failure::conflict("ILLEGAL_TRANSITION", detail).with("shipment_status", status.as_str())
        }
        ShipmentError::BeforeItWasMade => Failure::invalid("BEFORE_THE_SHIPMENT", "/at", detail),
        ShipmentError::DetailRequired => Failure::invalid("DETAIL_REQUIRED", "/detail", detail),
        ShipmentError::ProofRequired => Failure::invalid("PROOF_REQUIRED", "/proof", detail),
        ShipmentError::CashMismatch { due } => {
            Failure::invalid("CASH_MISMATCH", "/cash_collected", detail).with("due", due)
        }
        ShipmentError::NoCashDue => Failure::invalid("CASH_MISMATCH", "/cash_collected", detail),
        ShipmentError::AnotherCountry => Failure::conflict("COUNTRY_FIXED", detail),
    }
}

fn of_manifest(error: ManifestError) -> Failure {
    let detail = error.to_string();
    match error {
        ManifestError::IllegalTransition { from, .. } => {
            Failure::conflict("ILLEGAL_TRANSITION", detail).with("manifest_status", from.as_str())
        }
        ManifestError::Closed(status) => {
            Failure::conflict("MANIFEST_CLOSED", detail).with("manifest_status", status.as_str())
        }
        ManifestError::Empty => Failure::conflict("MANIFEST_EMPTY", detail),
        ManifestError::NotEmpty => Failure::conflict("MANIFEST_NOT_EMPTY", detail),
        ManifestError::SamePerson => Failure::new(Kind::Forbidden, "FOUR_EYES", detail),
    }
}

fn of_refusal(refusal: &Refusal) -> Failure {
    let detail = refusal.to_string();
    match refusal {
        Refusal::KycRequired | Refusal::CompanyNotActive => Failure::conflict(refusal.code(), detail),
        Refusal::NoRate => Failure::new(Kind::Invalid, refusal.code(), detail),
        Refusal::ValueAboveLimit { .. } => Failure::invalid(refusal.code(), "/declared_value", detail),
        Refusal::WeightAboveLimit { .. } => Failure::invalid(refusal.code(), "/parcels", detail),
        Refusal::Unprintable { pointer } => Failure::invalid(refusal.code(), *pointer, detail),
        Refusal::Prohibited { item, .. } => {
            Failure::invalid(refusal.code(), format!("/items/{}/hs_code", item.saturating_sub(1)), detail)
        }
    }
}
