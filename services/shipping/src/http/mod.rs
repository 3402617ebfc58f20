//! The routes of Shipping.

mod countries;
mod documents;
mod item_in;
pub mod label;
mod manifest_document;
mod manifest_items;
mod manifest_steps;
mod manifests;
mod pdf;
mod rates;
mod shipment_events;
mod shipments;
mod standing;
mod tracking;

use quenty_platform::{
    App,
    http::{Caller, Permission},
    permissions, routes,
    token::Realm,
};
use utoipa_axum::router::OpenApiRouter;

permissions! {
    ReadRates = "rates:read";
    ReadCountries = "countries:read";
    ReadZones = "zones:read";
    ReadShipments = "shipments:read", personal;
    CreateShipments = "shipments:create";
    BookShipments = "shipments:book";
    VoidShipments = "shipments:void";
    ScanShipments = "shipments:scan";
    LabelShipments = "shipments:label", personal;
    ReadManifests = "manifests:read";
    CreateManifests = "manifests:create";
    UpdateManifests = "manifests:update";
    DeleteManifests = "manifests:delete";
    SubmitManifests = "manifests:submit";
    ApproveManifests = "manifests:approve";
    RejectManifests = "manifests:reject";
    ShipManifests = "manifests:ship";
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(rates::list_rates, rates::quote_rates))
        .routes(routes!(shipments::create_shipment, shipments::list_shipments))
        .routes(routes!(shipments::get_shipment))
        .routes(routes!(shipments::book_shipment))
        .routes(routes!(shipments::void_shipment))
        .routes(routes!(shipment_events::record_shipment_event))
        .routes(routes!(documents::get_shipment_label))
        .routes(routes!(manifests::create_manifest, manifests::list_manifests))
        .routes(routes!(manifests::get_manifest, manifests::update_manifest, manifests::delete_manifest))
        .routes(routes!(manifest_items::list_manifest_items, manifest_items::add_manifest_item))
        .routes(routes!(manifest_items::remove_manifest_item))
        .routes(routes!(manifest_steps::submit_manifest))
        .routes(routes!(manifest_steps::approve_manifest))
        .routes(routes!(manifest_steps::reject_manifest))
        .routes(routes!(manifest_steps::ship_manifest))
        .routes(routes!(documents::get_manifest_document))
        .routes(routes!(countries::list_countries))
        .routes(routes!(countries::list_zones))
        .routes(routes!(tracking::track_shipment))
        .routes(routes!(tracking::follow_shipment))
}

/// Who may scan but not label is a driver, and looks up what is at hand instead of reading through the list.
fn drives(caller: &Caller) -> bool {
    caller.realm() == Some(Realm::Staff)
        && caller.may(ScanShipments::NAME)
        && !caller.may(LabelShipments::NAME)
}
