//! What is set aside for an order, and how that ends. Quantities stand in the ledger: its `reserve` movements.

use std::str::FromStr;

use quenty_contracts::order::{StockIssued, StockQuantity, StockReleased, StockReserved, StockReturned};
use quenty_kernel::{
    Invalid, Timestamp,
    id::{CompanyId, OrderId, ReservationId, WarehouseId},
};

quenty_kernel::facts! {
    pub(crate) enum ReservationFact {
        Reserved(StockReserved),
        Released(StockReleased),
        Issued(StockIssued),
        Returned(StockReturned),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReservationError {
    #[error("there is no such reservation")]
    NotFound,
    #[error("a reservation that is {} cannot become {}", status.as_str(), wanted.as_str())]
    Illegal { status: ReservationStatus, wanted: ReservationStatus },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservationStatus {
    /// The pieces are in the warehouse, kept for the order.
    Active,
    /// The pieces have left the warehouse.
    Issued,
    /// The pieces are for sale again.
    Released,
    /// The pieces have left, and came back.
    Returned,
}

impl ReservationStatus {
    const ALL: [Self; 4] = [Self::Active, Self::Issued, Self::Released, Self::Returned];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Issued => "issued",
            Self::Released => "released",
            Self::Returned => "returned",
        }
    }

    /// The one table of legal transitions.
    const fn may_become(self, next: Self) -> bool {
        matches!((self, next), (Self::Active, Self::Issued | Self::Released) | (Self::Issued, Self::Returned))
    }

    /// Whether `wanted` is where it stands, or on the way that it went: asking again is no error.
    const fn has_been(self, wanted: Self) -> bool {
        matches!(
            (self, wanted),
            (Self::Issued | Self::Returned, Self::Issued)
                | (Self::Released, Self::Released)
                | (Self::Returned, Self::Returned)
        )
    }
}

impl FromStr for ReservationStatus {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Invalid::new("reservation status", "must be active, issued, released or returned"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReservationState {
    pub(crate) id: ReservationId,
    pub(crate) company_id: CompanyId,
    pub(crate) order_id: OrderId,
    pub(crate) warehouse_id: WarehouseId,
    pub(crate) status: ReservationStatus,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reservation(ReservationState);

impl Reservation {
    pub(crate) fn open(
        id: ReservationId,
        company_id: CompanyId,
        order_id: OrderId,
        warehouse_id: WarehouseId,
        quantities: Vec<StockQuantity>,
        now: Timestamp,
    ) -> (Self, ReservationFact) {
        let reservation = Self(ReservationState {
            id,
            company_id,
            order_id,
            warehouse_id,
            status: ReservationStatus::Active,
            created_at: now,
            updated_at: now,
        });
        (reservation, StockReserved { reservation_id: id, order_id, company_id, quantities }.into())
    }

    /// Whether there is anything to do to make it so.
    pub(crate) fn needs(&self, wanted: ReservationStatus) -> Result<bool, ReservationError> {
        let status = self.0.status;
        if status.has_been(wanted) {
            return Ok(false);
        }
        if status.may_become(wanted) { Ok(true) } else { Err(ReservationError::Illegal { status, wanted }) }
    }

    /// The pieces are for sale again.
    pub(crate) fn release(
        &mut self,
        quantities: Vec<StockQuantity>,
        now: Timestamp,
    ) -> Result<ReservationFact, ReservationError> {
        let ReservationState { id: reservation_id, order_id, company_id, .. } = self.0;
        self.conclude(StockReleased { reservation_id, order_id, company_id, quantities }.into(), now)
    }

    /// The pieces leave the warehouse.
    pub(crate) fn issue(
        &mut self,
        quantities: Vec<StockQuantity>,
        now: Timestamp,
    ) -> Result<ReservationFact, ReservationError> {
        let ReservationState { id: reservation_id, order_id, company_id, .. } = self.0;
        self.conclude(StockIssued { reservation_id, order_id, company_id, quantities }.into(), now)
    }

    /// The pieces that left are back.
    pub(crate) fn take_back(
        &mut self,
        quantities: Vec<StockQuantity>,
        reason: &str,
        now: Timestamp,
    ) -> Result<ReservationFact, ReservationError> {
        let ReservationState { id: reservation_id, order_id, company_id, .. } = self.0;
        self.conclude(
            StockReturned { reservation_id, order_id, company_id, quantities, reason: reason.to_owned() }
                .into(),
            now,
        )
    }

    fn conclude(
        &mut self,
        fact: ReservationFact,
        now: Timestamp,
    ) -> Result<ReservationFact, ReservationError> {
        let (status, wanted) = (self.0.status, status_after(&fact));
        if !status.may_become(wanted) {
            return Err(ReservationError::Illegal { status, wanted });
        }
        self.apply(&fact, now);
        Ok(fact)
    }

    fn apply(&mut self, fact: &ReservationFact, now: Timestamp) {
        self.0.status = status_after(fact);
        self.0.updated_at = now;
    }

    /// The way back from storage.
    pub(crate) fn from_state(state: ReservationState) -> Self {
        Self(state)
    }
    pub(crate) fn state(&self) -> &ReservationState {
        &self.0
    }
    pub(crate) fn company_id(&self) -> CompanyId {
        self.0.company_id
    }
}

const fn status_after(fact: &ReservationFact) -> ReservationStatus {
    match fact {
        ReservationFact::Reserved(_) => ReservationStatus::Active,
        ReservationFact::Released(_) => ReservationStatus::Released,
        ReservationFact::Issued(_) => ReservationStatus::Issued,
        ReservationFact::Returned(_) => ReservationStatus::Returned,
    }
}

#[cfg(test)]
mod tests {
    use super::{ReservationStatus as S, *};

    fn in_status(status: S) -> Reservation {
        let now = Timestamp::UNIX_EPOCH;
        let (reservation, _) = Reservation::open(
            ReservationId::new(),
            CompanyId::new(),
            OrderId::new(),
            WarehouseId::new(),
            vec![],
            now,
        );
        Reservation(ReservationState { status, ..reservation.0 })
    }

    #[test]
    fn every_pair_of_statuses_is_legal_done_already_or_refused() {
        let legal = [(S::Active, S::Issued), (S::Active, S::Released), (S::Issued, S::Returned)];
        let done = [
            (S::Issued, S::Issued),
            (S::Released, S::Released),
            (S::Returned, S::Issued),
            (S::Returned, S::Returned),
        ];
        for status in S::ALL {
            for wanted in S::ALL {
                let expected = if legal.contains(&(status, wanted)) {
                    Ok(true)
                } else if done.contains(&(status, wanted)) {
                    Ok(false)
                } else {
                    Err(ReservationError::Illegal { status, wanted })
                };
                assert_eq!(in_status(status).needs(wanted), expected, "{status:?} -> {wanted:?}");
            }
        }
    }

    #[test]
    fn a_verb_moves_it_only_along_legal_edges() {
        let now = Timestamp::from_second(9).unwrap();
        for status in S::ALL {
            let mut reservation = in_status(status);
            assert_eq!(reservation.issue(vec![], now).is_ok(), status == S::Active);
            let mut reservation = in_status(status);
            assert_eq!(reservation.release(vec![], now).is_ok(), status == S::Active);
            let mut reservation = in_status(status);
            assert_eq!(reservation.take_back(vec![], "undeliverable", now).is_ok(), status == S::Issued);
        }
    }
}
