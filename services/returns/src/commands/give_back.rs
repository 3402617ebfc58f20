//! A carrier could not deliver what the buyer handed in, and gave it back to them.

use jiff::Timestamp;
use quenty_kernel::{
    Scope,
    id::{ReturnId, ShipmentId},
};
use quenty_platform::Tx;

use super::{lock, save, terms};
use crate::Error;

/// Shipments of orders are none of ours.
pub(crate) async fn give_back(
    tx: &mut Tx,
    id: Option<ReturnId>,
    shipment: ShipmentId,
    at: Timestamp,
) -> Result<(), Error> {
    let Some(id) = id else { return Ok(()) };
    let now = tx.now();
    let mut locked = lock(tx, Scope::All, id).await?;
    let days = terms(tx, &locked.of).await?.expires_after_days;
    let facts = locked.of.give_back(shipment, at, days, now);
    save(tx, &mut locked, facts).await
}
