//! What Shipping can be told to do: one file for each verb. Nothing here commits, speaks HTTP or calls the network.
//!
//! Locks are taken in one order: shipments by id, then the manifest.

mod add_manifest_item;
mod answer_cancel_request;
mod approve_manifest;
mod book_shipment;
mod collect_shipments;
mod correct_consignee;
mod create_manifest;
mod create_shipment;
mod decide_booking;
mod delete_manifest;
mod erase_person;
mod record_shipment_event;
mod reject_manifest;
mod remove_manifest_item;
mod request_shipment;
mod ship_manifest;
mod submit_manifest;
mod update_manifest;
mod void_shipment;

pub use add_manifest_item::add_manifest_item;
pub use answer_cancel_request::{CancelWish, answer_cancel_request};
pub use approve_manifest::approve_manifest;
pub use book_shipment::book_shipment;
pub use collect_shipments::collect_shipments;
pub use correct_consignee::correct_consignee;
pub use create_manifest::{NewManifest, create_manifest};
pub use create_shipment::{Asker, NewShipment, Request, create_shipment};
pub use decide_booking::decide_booking;
pub use delete_manifest::delete_manifest;
pub use erase_person::{erase_at_last, erase_person};
pub use record_shipment_event::record_shipment_event;
pub use reject_manifest::reject_manifest;
pub use remove_manifest_item::remove_manifest_item;
pub use request_shipment::{PendingBooking, request_shipment};
pub use ship_manifest::ship_manifest;
pub use submit_manifest::submit_manifest;
pub use update_manifest::update_manifest;
pub use void_shipment::{cancel_order, void_shipment};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use quenty_kernel::{
    Scope,
    id::{CompanyId, new_uuid},
};
use quenty_platform::Tx;
use uuid::Uuid;

use crate::{
    Error,
    domain::{
        manifest::{Manifest, ManifestFact, ManifestStatus},
        rules::Tariff,
        shipment::{Shipment, ShipmentFact, Status},
        tariff::QTY,
        tracking::{ExceptionCode, Scan, ScanKind, TrackingEvent},
        tracking_number::TrackingNumber,
    },
    store,
};

/// The day on which tariffs are looked up.
pub fn today(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// By whose clocks a company lives; nothing while that is not known.
async fn zone_of(tx: &mut Tx, company: CompanyId) -> Result<Option<String>, Error> {
    let standing = store::neighbours::find_standing(tx.conn(), company).await?;
    Ok(standing.and_then(|standing| standing.time_zone))
}

async fn save_shipment(
    tx: &mut Tx,
    shipment: &Shipment,
    facts: impl IntoIterator<Item = ShipmentFact>,
) -> Result<(), Error> {
    for fact in facts {
        tx.record(shipment.state().id, Some(shipment.state().company_id), &fact)?;
    }
    store::shipments::save(tx.conn(), shipment).await
}

async fn save_manifest(
    tx: &mut Tx,
    manifest: &Manifest,
    facts: impl IntoIterator<Item = ManifestFact>,
) -> Result<(), Error> {
    for fact in facts {
        tx.record(manifest.state().id, Some(manifest.state().company_id), &fact)?;
    }
    store::manifests::save(tx.conn(), manifest).await
}

/// Adds a line to the shipment's tracking that the carrier's people did not report.
async fn track(
    tx: &mut Tx,
    shipment: &Shipment,
    kind: &'static str,
    event_id: Option<Uuid>,
    at: Timestamp,
    detail: Option<String>,
) -> Result<(), Error> {
    let event = TrackingEvent {
        event_id: event_id.unwrap_or_else(new_uuid),
        kind,
        status: shipment.state().unified(),
        occurred_at: at,
        place: None,
        detail,
    };
    let now = tx.now();
    store::tracking::insert(tx.conn(), shipment.state().id, &event, now).await
}

/// Reports what an order wants of parcels that the carrier has by now: people have to see to it. The same report twice, by
/// its id, is one; while something else keeps the parcels it is a line of their tracking.
async fn raise_exception(
    tx: &mut Tx,
    shipment: &Shipment,
    event_id: Uuid,
    code: ExceptionCode,
    detail: &str,
) -> Result<(), Error> {
    let now = tx.now();
    let scan = Scan {
        event_id,
        kind: ScanKind::Exception,
        // A scanner's clock may be ahead of ours, and what is older than its report interrupts nothing.
        at: shipment.state().last_event_at.map_or(now, |last| last.max(now)),
        place: None,
        code: Some(code),
        detail: Some(detail.parse()?),
        proof: None,
        cash_collected: None,
    };
    record_shipment_event(tx, Scope::All, shipment.state().id, &scan).await?;
    Ok(())
}

async fn tariff_of(tx: &mut Tx, shipment: &Shipment) -> Result<Tariff, Error> {
    let (consignment, day) = (shipment.consignment(), today(tx.now()));
    store::tariff::find(tx.conn(), QTY, consignment.origin, consignment.destination, day).await
}

/// Gives a shipment in booking its tracking number: it has a label from now on.
async fn book(tx: &mut Tx, shipment: &mut Shipment) -> Result<ShipmentFact, Error> {
    let serial = store::shipments::next_serial(tx.conn()).await?;
    let number = TrackingNumber::new(serial, shipment.consignment().origin)?;
    let now = tx.now();
    let booked = shipment.book(number, now)?;
    track(tx, shipment, "booked", None, now, None).await?;
    metrics::counter!("quenty_shipments_booked_total").increment(1);
    Ok(booked)
}

/// A manifest under way is delivered once nothing more will happen to any of its shipments.
async fn deliver_manifest_if_done(tx: &mut Tx, manifest: &mut Manifest) -> Result<(), Error> {
    let ended: Vec<&str> =
        Status::ALL.into_iter().filter(|status| status.has_ended()).map(Status::as_str).collect();
    let done = manifest.state().status == ManifestStatus::Shipped
        && store::manifest_items::all_are(tx.conn(), manifest.state().id, &ended).await?;
    if done {
        let delivered = manifest.deliver(tx.now())?;
        save_manifest(tx, manifest, [delivered]).await?;
    }
    Ok(())
}

/// What follows for the manifest when a shipment has ended.
async fn tell_manifest_of_end(tx: &mut Tx, shipment: &Shipment) -> Result<(), Error> {
    if let Some(id) = store::manifest_items::manifest_of(tx.conn(), shipment.state().id).await? {
        let mut manifest = store::manifests::lock(tx.conn(), Scope::All, id).await?;
        deliver_manifest_if_done(tx, &mut manifest).await?;
    }
    Ok(())
}
