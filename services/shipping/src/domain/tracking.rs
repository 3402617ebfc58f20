//! What happens to a parcel on its way, in one vocabulary: what the people of our carrier report, and the
//! unified status that followers see.

use jiff::Timestamp;
use quenty_kernel::{contact::Text, money::Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a person of the carrier reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanKind {
    Scan,
    Departed,
    Arrived,
    CustomsHold,
    CustomsReleased,
    OutForDelivery,
    DeliveryFailed,
    Delivered,
    Undeliverable,
    Returned,
    Lost,
    Exception,
}

impl ScanKind {
    /// What moves a parcel, or keeps it. A hub that it passes does not, and what ends it has rules of its own.
    pub const MOVES: [Self; 6] = [
        Self::Departed,
        Self::CustomsHold,
        Self::CustomsReleased,
        Self::OutForDelivery,
        Self::DeliveryFailed,
        Self::Exception,
    ];

    /// What happens at a hub, whose place anyone may see; elsewhere it may be somebody's door.
    pub const NAMES_A_HUB: [Self; 5] =
        [Self::Scan, Self::Departed, Self::Arrived, Self::CustomsHold, Self::CustomsReleased];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Departed => "departed",
            Self::Arrived => "arrived",
            Self::CustomsHold => "customs_hold",
            Self::CustomsReleased => "customs_released",
            Self::OutForDelivery => "out_for_delivery",
            Self::DeliveryFailed => "delivery_failed",
            Self::Delivered => "delivered",
            Self::Undeliverable => "undeliverable",
            Self::Returned => "returned",
            Self::Lost => "lost",
            Self::Exception => "exception",
        }
    }

    /// What a report that comes late says of its own moment. Where the shipment stands is [`Status::unified`]'s to say.
    ///
    /// [`Status::unified`]: super::shipment::Status::unified
    #[must_use]
    pub const fn unified(self) -> UnifiedStatus {
        match self {
            Self::Scan | Self::Departed | Self::Arrived | Self::CustomsReleased => UnifiedStatus::InTransit,
            Self::CustomsHold => UnifiedStatus::OnHold,
            Self::OutForDelivery => UnifiedStatus::OutForDelivery,
            Self::DeliveryFailed => UnifiedStatus::DeliveryFailed,
            Self::Delivered => UnifiedStatus::Delivered,
            Self::Undeliverable | Self::Returned => UnifiedStatus::ReturnToSender,
            Self::Lost => UnifiedStatus::Lost,
            Self::Exception => UnifiedStatus::DeliveryDelayed,
        }
    }
}

/// The words that tracking uses for every carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnifiedStatus {
    Pending,
    PickedUp,
    InTransit,
    OutForDelivery,
    OnHold,
    ReadyForPickup,
    DeliveryDelayed,
    DeliveryFailed,
    ReturnToSender,
    Delivered,
    Cancelled,
    Lost,
}

impl UnifiedStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::PickedUp => "picked_up",
            Self::InTransit => "in_transit",
            Self::OutForDelivery => "out_for_delivery",
            Self::OnHold => "on_hold",
            Self::ReadyForPickup => "ready_for_pickup",
            Self::DeliveryDelayed => "delivery_delayed",
            Self::DeliveryFailed => "delivery_failed",
            Self::ReturnToSender => "return_to_sender",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

/// What proves that a parcel was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofKind {
    Name,
    Signature,
    Photo,
}

impl ProofKind {
    pub const ALL: [Self; 3] = [Self::Name, Self::Signature, Self::Photo];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Signature => "signature",
            Self::Photo => "photo",
        }
    }
}

/// Proof of delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Who took it.
    pub received_by: Text<120>,
    pub kind: ProofKind,
}

impl std::str::FromStr for ProofKind {
    type Err = quenty_kernel::Invalid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| quenty_kernel::Invalid::new("proof", "must be name, signature or photo"))
    }
}

/// Why a parcel does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExceptionCode {
    DeliveryFailed,
    Delayed,
    Damaged,
    AddressProblem,
    Other,
}

impl ExceptionCode {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeliveryFailed => "DELIVERY_FAILED",
            Self::Delayed => "DELAYED",
            Self::Damaged => "DAMAGED",
            Self::AddressProblem => "ADDRESS_PROBLEM",
            Self::Other => "OTHER",
        }
    }
}

/// One report about one shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The reporter's own id: the same report twice is one.
    pub event_id: Uuid,
    pub kind: ScanKind,
    pub at: Timestamp,
    pub place: Option<Text<100>>,
    pub code: Option<ExceptionCode>,
    pub detail: Option<Text<300>>,
    pub proof: Option<Proof>,
    pub cash_collected: Option<Money>,
}

/// One line of a shipment's tracking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingEvent {
    pub event_id: Uuid,
    pub kind: &'static str,
    pub status: UnifiedStatus,
    pub occurred_at: Timestamp,
    pub place: Option<String>,
    pub detail: Option<String>,
}
