//! What is printed: labels and manifests, as PDF.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use quenty_contracts::party::Party;
use quenty_kernel::{
    Scope,
    id::{ManifestId, OrderId, ReturnId, ShipmentId},
    measure::Grams,
};
use quenty_platform::{
    App, Result,
    http::{Can, Path},
};
use utoipa::ToSchema;

use super::{
    LabelShipments, ReadManifests,
    label::{self, Label, label_pdf},
    manifest_document::manifest_pdf,
};
use crate::{
    Error, commands,
    domain::{
        printable,
        shipment::{Shipment, Status},
    },
    store,
};

/// A PDF file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
struct Pdf(Vec<u8>);

/// Print a shipment's label: 4 × 6 inches, a page for each parcel.
#[utoipa::path(get, path = "/api/v1/shipments/{id}/label", operation_id = "get_shipment_label", tag = "shipments",
    params(("id" = ShipmentId, Path)), security(("bearer" = ["shipments:label"])),
    responses((status = 200, content_type = "application/pdf", body = inline(Pdf)),
        (status = 409, description = "`SHIPMENT_NOT_BOOKED`"), (status = 422, description = "`UNPRINTABLE`: a corrected name or address is not in Latin letters, or too long")))]
pub(super) async fn get_shipment_label(
    State(app): State<App>,
    caller: Can<LabelShipments>,
    Path(id): Path<ShipmentId>,
) -> Result<Response> {
    let shipment = store::shipments::find(app.db(), caller.scope()?, id).await?;
    let pdf = print_label(&app, &shipment).await?;
    Ok(pdf_response(&format!("{id}.pdf"), pdf))
}

async fn print_label(app: &App, shipment: &Shipment) -> Result<Pdf, Error> {
    let state = shipment.state();
    let tracking_number =
        state.tracking_number.filter(|_| state.status != Status::Voided).ok_or(Error::NoLabel)?;
    let consignment = shipment.consignment();
    let from = store::countries::name_es(app.db(), consignment.origin).await?;
    let to = store::countries::name_es(app.db(), consignment.destination).await?;
    let company = store::neighbours::find_standing(app.db(), state.company_id)
        .await?
        .map(|standing| printable::readable(&standing.trade_name));
    // The merchant sends, unless a return comes home to it.
    let (sender_company, recipient_company) =
        if state.return_id.is_some() { (None, company.as_deref()) } else { (company.as_deref(), None) };
    let page = app.settings().require("tracking_page_url").map_err(quenty_platform::Error::internal)?;
    let weights: Vec<Grams> = state.parcels.iter().map(|parcel| parcel.weight_grams).collect();
    let order = state
        .reference
        .clone()
        .or_else(|| state.order_id.map(|id: OrderId| id.to_string()))
        .or_else(|| state.return_id.map(|id: ReturnId| id.to_string()))
        .unwrap_or_else(|| state.id.to_string());
    let offered = state.offer.as_ref().and_then(|offer| offer.promised_date);
    let pdf = label_pdf(&Label {
        service: state.service.label_name(),
        sender: party(&state.sender, sender_company, &from),
        recipient: party(&state.consignee, recipient_company, &to),
        parcels: &weights,
        incoterm: state.incoterm.as_deref(),
        order_reference: &printable::readable(&order),
        promised_date: offered.or_else(|| state.promised_at.map(commands::today)),
        cash_on_delivery: state.cash_on_delivery,
        tracking_number,
        tracking_url: &format!("{}/{tracking_number}", page.trim_end_matches('/')),
    })?;
    Ok(Pdf(pdf))
}

fn party<'a>(party: &'a Party, company: Option<&'a str>, country_name: &'a str) -> label::Party<'a> {
    let name = party.name.as_str();
    label::Party {
        name,
        company: company.filter(|company| *company != name),
        phone: party.phone.as_ref().map(|phone| phone.as_str()),
        address: &party.address,
        country_name,
    }
}

/// Print a manifest.
#[utoipa::path(get, path = "/api/v1/manifests/{id}/document", operation_id = "get_manifest_document", tag = "manifests",
    params(("id" = ManifestId, Path)), security(("bearer" = ["manifests:read"])),
    responses((status = 200, content_type = "application/pdf", body = inline(Pdf))))]
pub(super) async fn get_manifest_document(
    State(app): State<App>,
    caller: Can<ReadManifests>,
    Path(id): Path<ManifestId>,
) -> Result<Response> {
    let pdf = print_manifest(&app, caller.scope()?, id).await?;
    Ok(pdf_response(&format!("{id}.pdf"), pdf))
}

async fn print_manifest(app: &App, scope: Scope, id: ManifestId) -> Result<Pdf, Error> {
    let manifest = store::manifests::find(app.db(), scope, id).await?;
    let lines = store::manifest_items::lines(app.db(), scope, id).await?;
    let company = store::neighbours::find_standing(app.db(), manifest.state().company_id).await?;
    let company =
        company.map_or_else(|| manifest.state().company_id.to_string(), |standing| standing.trade_name);
    Ok(Pdf(manifest_pdf(manifest.state(), &company, &lines)))
}

fn pdf_response(name: &str, Pdf(pdf): Pdf) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    (headers, pdf).into_response()
}
