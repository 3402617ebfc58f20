//! A merchant books a pickup.

use jiff::Timestamp;
use quenty_kernel::id::{CompanyId, PickupId};
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use super::{placing, record};
use crate::{
    Error,
    domain::{
        booking::{BookingRequest, Placement},
        pickup::{Pickup, REPORTED_WITHIN},
    },
    store,
};

/// The deadline of an express guarantee.
pub(crate) const EXPRESS_GUARANTEE: &str = "express_guarantee";

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct ExpressGuarantee {
    pub(crate) pickup_id: PickupId,
}

/// Books or refuses; `hold` is a place kept before, whose id the pickup takes.
pub(crate) async fn create_pickup(
    tx: &mut Tx,
    request: BookingRequest,
    hold: Option<PickupId>,
) -> Result<Pickup, Error> {
    // Asked before, but without a lock. Who closes the company now waits, and cancels this one with the others.
    if store::standings::lock_shared(tx.conn(), request.company_id).await? != Some(true) {
        return Err(Error::CompanyNotActive);
    }
    let placement = placing::place(tx, &request, hold).await?;
    book(tx, hold.unwrap_or_else(PickupId::new), request, &placement).await
}

/// Writes a pickup whose place is taken.
pub(super) async fn book(
    tx: &mut Tx,
    id: PickupId,
    request: BookingRequest,
    placement: &Placement,
) -> Result<Pickup, Error> {
    let (pickup, facts) = Pickup::schedule(id, request, placement, tx.now());
    store::pickups::insert(tx.conn(), &pickup).await?;
    record(tx, &pickup, facts)?;
    if let Some(until) = pickup.promise.as_ref().and_then(|promise| promise.guaranteed_until) {
        guarantee(tx, id, pickup.request.company_id, until)?;
    }
    Ok(pickup)
}

fn guarantee(tx: &mut Tx, pickup_id: PickupId, company: CompanyId, until: Timestamp) -> Result<(), Error> {
    tx.schedule(
        EXPRESS_GUARANTEE,
        pickup_id.to_string(),
        until + REPORTED_WITHIN,
        Some(company),
        &ExpressGuarantee { pickup_id },
    )?;
    Ok(())
}
