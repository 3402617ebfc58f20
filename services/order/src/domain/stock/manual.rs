//! Movements that people record by hand.

use quenty_kernel::{id::MovementId, money::Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MovementKind, Note, Place, Stock, StockError};

/// More of a product at once is a typing error.
pub(crate) const MAX_PIECES: u32 = 1_000_000_000;

/// What people may record; the other kinds come of orders and transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ManualKind {
    /// Goods came in.
    Receipt,
    /// The count was wrong, in either direction.
    Adjustment,
    /// Goods are broken, expired or gone.
    WriteOff,
    /// Goods left without an order: a sample, own use.
    Issue,
}

/// One movement of one place. The quantity is positive; an adjustment says its direction by the sign.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ManualMovement {
    pub(crate) kind: ManualKind,
    pub(crate) place: Place,
    pub(crate) quantity: i64,
    pub(crate) note: Note,
}

impl Stock {
    /// Nothing that is reserved can be taken by hand.
    pub(crate) fn record(&mut self, movement: &ManualMovement) -> Result<MovementId, StockError> {
        let needs = |field, why| Err(StockError::MovementNeeds { field, why });
        let ManualMovement { kind, place, quantity, note } = movement;
        if *kind != ManualKind::Receipt && note.reason.is_none() {
            return needs("reason", "say why; only a receipt explains itself");
        }
        if *kind != ManualKind::Receipt && note.unit_cost.is_some() {
            return needs("unit_cost", "only a receipt has a unit cost");
        }
        if note.unit_cost.is_some_and(Money::is_negative) {
            return needs("unit_cost", "must not be negative");
        }
        if *quantity <= 0 && *kind != ManualKind::Adjustment {
            return needs("quantity", "must be positive; only an adjustment may be negative");
        }
        let pieces =
            u32::try_from(quantity.unsigned_abs()).ok().filter(|pieces| (1..=MAX_PIECES).contains(pieces));
        let Some(pieces) = pieces else {
            return needs("quantity", "must lie between 1 and 1000000000 pieces");
        };
        match kind {
            ManualKind::Receipt => self.put(MovementKind::Receipt, place, pieces, note),
            ManualKind::Adjustment if *quantity > 0 => {
                self.put(MovementKind::Adjustment, place, pieces, note)
            }
            ManualKind::Adjustment => self.take(MovementKind::Adjustment, place, pieces, note),
            ManualKind::WriteOff => self.take(MovementKind::WriteOff, place, pieces, note),
            ManualKind::Issue => self.take(MovementKind::Issue, place, pieces, note),
        }
    }
}
