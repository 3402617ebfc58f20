//! What may have changed since an order was placed: whoever lets it go on has looked. News of the others have not; what
//! was asked for goes on.

use jiff::Timestamp;
use quenty_contracts::party::Party;
use quenty_kernel::id::{ReservationId, WarehouseId};

use super::{Order, OrderKind, Status, people::Found, status::HoldCode};
use crate::domain::{
    fulfilment::{Booking, Step},
    standing::{KnownStanding, StandingError},
    warehouse::{Warehouse, WarehouseDetails},
};

/// How things are now.
#[derive(Debug)]
pub(crate) struct Circumstances {
    /// What the company may do, unless nothing was heard of it yet.
    pub(crate) standing: Option<KnownStanding>,
    /// Where the goods are set aside, or are waited for.
    pub(crate) warehouse: Option<Warehouse>,
    /// Whether what is set aside has expired, and there is nothing else.
    pub(crate) has_expired: bool,
}

impl Order {
    pub(crate) fn look_around(&mut self, circumstances: Circumstances) {
        self.circumstances = Some(circumstances);
    }

    /// Whether it may have other pieces than those that are set aside: nobody has them, or is asked to come for them.
    #[must_use]
    pub fn may_exchange_goods(&self) -> bool {
        let waits = self.status == Status::Pending || self.is_before_collection();
        waits && self.reservation_id.is_some() && !self.fulfilment.pickup.is_live()
    }

    /// Whether its pieces can be taken there: a label says nothing of batches, but where the parcels come from.
    #[must_use]
    pub fn may_start_at(&self, warehouse: WarehouseId) -> bool {
        !self.fulfilment.shipment.is_live() || warehouse == self.warehouse_id
    }

    /// Other pieces are set aside for it.
    pub fn exchange_goods(&mut self, found: Found, now: Timestamp) {
        if self.fulfilment.shipment.is_live() {
            // In the same place. Whether the parcels follow it, where it has moved, is seen to for itself.
            let (sender, kind) = (self.sender.clone(), self.kind);
            self.allocated(Found { sender, kind, ..found }, now);
        } else {
            self.allocated(found, now);
        }
    }

    /// Where the goods are; another warehouse, or one that has moved, is another origin, perhaps in another country.
    pub(crate) fn found(
        &self,
        reservation_id: ReservationId,
        warehouse_id: WarehouseId,
        warehouse: &WarehouseDetails,
    ) -> Found {
        let standing = self.circumstances.as_ref().and_then(|around| around.standing.as_ref());
        let name = standing.and_then(|known| known.standing.trade_name.parse().ok());
        let sender = Party {
            name: name.unwrap_or_else(|| self.sender.name.clone()),
            phone: warehouse.contact_phone.clone(),
            email: self.sender.email.clone(),
            address: warehouse.address.clone(),
        };
        let leaves_country = self.consignee.address.country() != warehouse.address.country();
        Found { reservation_id, warehouse_id, sender, kind: self.kind.on_its_way(leaves_country) }
    }

    /// The parcels start where the warehouse is now, if anything is to be asked for. A shipment that is booked starts in
    /// the country that it was booked from.
    pub(super) fn follow_warehouse(&mut self, now: Timestamp) {
        let (shipment, pickup) = (self.fulfilment.shipment, self.fulfilment.pickup);
        let asks = !shipment.is_live() || (shipment, pickup) == (Booking::Booked, Booking::Open);
        if !asks || !self.goes_on() {
            return;
        }
        let around = self.circumstances.as_ref().and_then(|around| around.warehouse.as_ref());
        let (Some(warehouse), Some(reservation_id), None) = (around, self.reservation_id, self.picked_up_at)
        else {
            return;
        };
        if warehouse.id() != self.warehouse_id {
            return;
        }
        let found = self.found(reservation_id, warehouse.id(), warehouse.details());
        let emigrates = found.sender.address.country() != self.sender.address.country();
        if found.sender != self.sender && !(emigrates && self.fulfilment.shipment.is_live()) {
            self.allocated(found, now);
        }
    }

    /// Whether something is asked for next, unless somebody has to decide first.
    fn goes_on(&self) -> bool {
        match self.step() {
            Step::Payment => self.payment_status.is_settled(),
            Step::Shipment | Step::Pickup => self.picked_up_at.is_none(),
            _ => false,
        }
    }

    /// Why nothing may be asked for now, where something would be. Where the parcels start is known by then: it decides
    /// whether they leave the country.
    pub(super) fn obstacle(&self) -> Option<(HoldCode, String)> {
        let around = self.circumstances.as_ref()?;
        if !self.goes_on() {
            return None;
        }
        let is_abroad = self.kind == OrderKind::International;
        if let Some(error) = around.standing.as_ref().and_then(|known| known.check(is_abroad).err()) {
            let code = match error {
                StandingError::NotActive(_) => HoldCode::CompanyNotActive,
                StandingError::KycRequired => HoldCode::KycRequired,
            };
            return Some((code, format!("{error}; the order goes on by itself once that has changed")));
        }
        around.has_expired.then(|| {
            let start = around.warehouse.as_ref().filter(|_| self.fulfilment.shipment.is_live());
            let there = start.map_or_else(String::new, |warehouse| {
                format!(" in {}, where its shipment starts", warehouse.details().name.as_str())
            });
            let why = format!(
                "what is set aside has expired, and there is not enough else{there}; retry it once there is"
            );
            (HoldCode::GoodsExpired, why)
        })
    }
}
