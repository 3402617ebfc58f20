//! What may have changed since an order was placed: whoever lets it go on has looked. News of the others have not; what
//! was asked for goes on.

use jiff::Timestamp;
use quenty_contracts::party::Party;
use quenty_kernel::id::{ReservationId, WarehouseId};

use super::{Order, OrderKind, Status, people::Found, status::HoldCode};
use crate::domain::{
    fulfilment::Step,
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

    /// Whether it may have other pieces than those that are set aside: no shipment is asked for, and nobody has them.
    #[must_use]
    pub fn may_exchange_goods(&self) -> bool {
        let f = &self.fulfilment;
        let waits = self.status == Status::Pending || self.is_before_collection();
        waits && self.reservation_id.is_some() && !f.shipment.is_live() && !f.pickup.is_live()
    }

    /// Other pieces are set aside for it.
    pub fn exchange_goods(&mut self, found: Found, now: Timestamp) {
        if self.may_exchange_goods() {
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

    /// The parcels start where the warehouse is now. A shipment that is booked starts in the country that it was booked
    /// from.
    pub(super) fn follow_warehouse(&mut self, now: Timestamp) {
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

    /// Why nothing may be asked for now, where something would be.
    pub(super) fn obstacle(&self) -> Option<(HoldCode, String)> {
        let around = self.circumstances.as_ref()?;
        let goes_on = match self.step() {
            Step::Payment => self.payment_status.is_settled(),
            Step::Shipment | Step::Pickup => self.picked_up_at.is_none(),
            _ => false,
        };
        if !goes_on {
            return None;
        }
        let is_abroad = self.kind == OrderKind::International;
        if let Some(error) = around.standing.as_ref().and_then(|known| known.check(is_abroad).err()) {
            let code = match error {
                StandingError::NotActive(_) => HoldCode::CompanyNotActive,
                StandingError::KycRequired => HoldCode::KycRequired,
            };
            return Some((code, format!("{error}; retry it once that has changed")));
        }
        around.has_expired.then(|| {
            let why = "what is set aside has expired, and there is not enough else; retry it once there is";
            (HoldCode::GoodsExpired, why.to_owned())
        })
    }
}
