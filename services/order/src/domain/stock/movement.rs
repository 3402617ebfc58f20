//! One row of the ledger.

use std::str::FromStr;

use quenty_contracts::order::{StockAdjusted, StockQuantity, StockReceived};
use quenty_kernel::{
    Invalid,
    contact::Text,
    id::{CompanyId, MovementId, ReservationId, TransferId},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Place;

quenty_kernel::facts! {
    /// What is told of a movement that stands for itself; the others belong to a reservation or a transfer.
    pub(crate) enum MovementFact {
        Received(StockReceived),
        Adjusted(StockAdjusted),
    }
}

/// Why stock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MovementKind {
    Receipt,
    Issue,
    Adjustment,
    TransferOut,
    TransferIn,
    Reserve,
    Release,
    Return,
    WriteOff,
}

impl MovementKind {
    const ALL: [Self; 9] = [
        Self::Receipt,
        Self::Issue,
        Self::Adjustment,
        Self::TransferOut,
        Self::TransferIn,
        Self::Reserve,
        Self::Release,
        Self::Return,
        Self::WriteOff,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Issue => "issue",
            Self::Adjustment => "adjustment",
            Self::TransferOut => "transfer_out",
            Self::TransferIn => "transfer_in",
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Return => "return",
            Self::WriteOff => "write_off",
        }
    }
}

impl FromStr for MovementKind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Invalid::new("movement kind", "is unknown"))
    }
}

/// What a movement is part of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Link {
    #[default]
    Nothing,
    Reservation(ReservationId),
    Transfer(TransferId),
}

/// What people want to know of a movement later.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Note {
    pub(crate) link: Link,
    /// Of a paper or a record outside: a delivery note, an order.
    pub(crate) reference: Option<Text<120>>,
    pub(crate) reason: Option<String>,
    pub(crate) unit_cost: Option<Money>,
}

impl Note {
    pub(crate) fn of(link: Link) -> Self {
        Self { link, ..Self::default() }
    }
}

/// One immutable row of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Movement {
    pub(crate) id: MovementId,
    pub(crate) company_id: CompanyId,
    pub(crate) item_id: Uuid,
    pub(crate) place: Place,
    pub(crate) kind: MovementKind,
    pub(crate) on_hand_delta: i64,
    pub(crate) reserved_delta: i64,
    pub(crate) note: Note,
}

impl Movement {
    pub(crate) fn stock_quantity(&self) -> StockQuantity {
        let pieces = self.on_hand_delta.unsigned_abs().max(self.reserved_delta.unsigned_abs());
        StockQuantity {
            product_id: self.place.product_id,
            warehouse_id: self.place.warehouse_id,
            batch: self.batch_number(),
            // Deltas are made of `u32` quantities.
            quantity: u32::try_from(pieces).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn fact(&self) -> MovementFact {
        match self.kind {
            MovementKind::Receipt => StockReceived {
                movement_id: self.id,
                company_id: self.company_id,
                quantity: self.stock_quantity(),
                reference: self.note.reference.as_ref().map(|text| text.as_str().to_owned()),
            }
            .into(),
            _ => StockAdjusted {
                movement_id: self.id,
                company_id: self.company_id,
                product_id: self.place.product_id,
                warehouse_id: self.place.warehouse_id,
                batch: self.batch_number(),
                on_hand_delta: self.on_hand_delta,
                kind: self.kind.as_str().to_owned(),
                reason: self.note.reason.clone().unwrap_or_default(),
            }
            .into(),
        }
    }

    pub(crate) fn batch_number(&self) -> Option<String> {
        self.place.batch.as_ref().map(|batch| batch.number.as_str().to_owned())
    }
}
