use quenty_kernel::{Scope, id::ShipmentId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{
        shipment::{Shipment, Status},
        tracking::{Scan, ScanKind, TrackingEvent},
    },
    store,
};

use super::{save_shipment, tell_manifest_of_end, zone_of};

/// Takes in what the carrier's people report; the same report twice, by its id, is one.
pub async fn record_shipment_event(
    tx: &mut Tx,
    scope: Scope,
    id: ShipmentId,
    scan: &Scan,
) -> Result<Shipment, Error> {
    let mut shipment = store::shipments::lock(tx.conn(), scope, id).await?;
    let repeated = scan.kind == ScanKind::Delivered && shipment.state().status == Status::Delivered;
    if repeated || store::tracking::is_known(tx.conn(), id, scan.event_id).await? {
        return Ok(shipment);
    }
    let now = tx.now();
    let had_ended = shipment.state().status.has_ended();
    let is_late = shipment.state().last_event_at.is_some_and(|last| scan.at < last);
    let reported = store::tracking::reported(tx.conn(), id).await?;
    let zone = zone_of(tx, shipment.state().company_id).await?;
    let facts = shipment.report(scan, reported, zone.as_deref(), now)?;
    save_shipment(tx, &shipment, facts).await?;
    let event = TrackingEvent {
        event_id: scan.event_id,
        kind: scan.kind.as_str(),
        status: if is_late { scan.kind.unified() } else { shipment.state().unified() },
        occurred_at: scan.at,
        place: scan.place.as_ref().map(|place| place.as_str().to_owned()),
        // What is noted after an erasure would name the person again.
        detail: scan
            .detail
            .as_ref()
            .filter(|_| !shipment.state().is_erased())
            .map(|detail| detail.as_str().to_owned()),
    };
    store::tracking::insert(tx.conn(), id, &event, now).await?;
    if shipment.state().status.has_ended() && !had_ended {
        tell_manifest_of_end(tx, &shipment).await?;
    }
    Ok(shipment)
}
