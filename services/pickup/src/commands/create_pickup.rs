//! A merchant books a pickup.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::{CompanyId, PickupId};
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use super::{placing, record};
use crate::{
    Error,
    domain::{
        booking::{BookingRequest, Placement},
        pickup::Pickup,
    },
    store,
};

/// The deadline of an express guarantee.
pub(crate) const EXPRESS_GUARANTEE: &str = "express_guarantee";
/// A driver who was there in time may report it so much later: there is no network in cellars. A refund that comes half an
/// hour after the guarantee harms nobody; one that were taken back would.
const REPORTED_WITHIN: SignedDuration = SignedDuration::from_mins(30);

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
