//! Goods on the way between two warehouses of a company: out of the one, not yet in the other.

use std::str::FromStr;

use quenty_contracts::order::StockQuantity;
use quenty_kernel::{
    Event, Invalid, Timestamp,
    contact::Text,
    id::{CompanyId, TransferId, WarehouseId},
};
use serde::{Deserialize, Serialize};

use super::stock::MovementKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TransferDispatched {
    transfer_id: TransferId,
    company_id: CompanyId,
    from_warehouse_id: WarehouseId,
    to_warehouse_id: WarehouseId,
    reference: Option<Text<120>>,
    quantities: Vec<StockQuantity>,
}

impl Event for TransferDispatched {
    const TYPE: &'static str = "quenty.order.transfer.dispatched.v1";
    const PUBLISHED: bool = false;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TransferReceived {
    transfer_id: TransferId,
    quantities: Vec<StockQuantity>,
}

impl Event for TransferReceived {
    const TYPE: &'static str = "quenty.order.transfer.received.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum TransferFact {
        Dispatched(TransferDispatched),
        Received(TransferReceived),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    #[error("there is no such transfer")]
    NotFound,
    #[error("a transfer needs two different warehouses")]
    SameWarehouse,
    #[error("the transfer was received already")]
    AlreadyReceived,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TransferStatus {
    InTransit,
    Received,
}

impl TransferStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InTransit => "in_transit",
            Self::Received => "received",
        }
    }

    /// The movements that brought it there.
    pub(crate) const fn moved_by(self) -> MovementKind {
        match self {
            Self::InTransit => MovementKind::TransferOut,
            Self::Received => MovementKind::TransferIn,
        }
    }
}

impl FromStr for TransferStatus {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        [Self::InTransit, Self::Received]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Invalid::new("transfer status", "must be in_transit or received"))
    }
}

/// From where to where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    from: WarehouseId,
    to: WarehouseId,
}

impl Route {
    pub(crate) fn new(from: WarehouseId, to: WarehouseId) -> Result<Self, TransferError> {
        if from == to { Err(TransferError::SameWarehouse) } else { Ok(Self { from, to }) }
    }
    pub(crate) const fn from(self) -> WarehouseId {
        self.from
    }
    pub(crate) const fn to(self) -> WarehouseId {
        self.to
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TransferState {
    pub(crate) id: TransferId,
    pub(crate) company_id: CompanyId,
    pub(crate) route: Route,
    pub(crate) status: TransferStatus,
    pub(crate) reference: Option<Text<120>>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Transfer(TransferState);

impl Transfer {
    pub(crate) fn dispatch(
        id: TransferId,
        company_id: CompanyId,
        route: Route,
        reference: Option<Text<120>>,
        quantities: Vec<StockQuantity>,
        now: Timestamp,
    ) -> (Self, TransferFact) {
        let dispatched = TransferDispatched {
            transfer_id: id,
            company_id,
            from_warehouse_id: route.from,
            to_warehouse_id: route.to,
            reference: reference.clone(),
            quantities,
        };
        let state = TransferState {
            id,
            company_id,
            route,
            status: TransferStatus::InTransit,
            reference,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        (Self(state), dispatched.into())
    }

    pub(crate) fn ensure_in_transit(&self) -> Result<(), TransferError> {
        if self.0.status == TransferStatus::InTransit { Ok(()) } else { Err(TransferError::AlreadyReceived) }
    }

    pub(crate) fn receive(
        &mut self,
        quantities: Vec<StockQuantity>,
        now: Timestamp,
    ) -> Result<TransferFact, TransferError> {
        self.ensure_in_transit()?;
        self.0.status = TransferStatus::Received;
        self.0.version += 1;
        self.0.updated_at = now;
        Ok(TransferReceived { transfer_id: self.0.id, quantities }.into())
    }

    /// The way back from storage.
    pub(crate) fn from_state(state: TransferState) -> Self {
        Self(state)
    }
    pub(crate) fn state(&self) -> &TransferState {
        &self.0
    }
    pub(crate) fn id(&self) -> TransferId {
        self.0.id
    }
    pub(crate) fn company_id(&self) -> CompanyId {
        self.0.company_id
    }
    pub(crate) fn route(&self) -> Route {
        self.0.route
    }
    pub(crate) fn version(&self) -> i64 {
        self.0.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_arrives_once() {
        let now = Timestamp::UNIX_EPOCH;
        let route = Route::new(WarehouseId::new(), WarehouseId::new()).unwrap();
        let (mut transfer, _) =
            Transfer::dispatch(TransferId::new(), CompanyId::new(), route, None, vec![], now);
        assert!(transfer.receive(vec![], now).is_ok());
        assert_eq!(transfer.receive(vec![], now), Err(TransferError::AlreadyReceived));
        assert_eq!(transfer.version(), 2);
    }

    #[test]
    fn it_goes_to_another_warehouse() {
        let here = WarehouseId::new();
        assert_eq!(Route::new(here, here), Err(TransferError::SameWarehouse));
    }
}
