//! Shipments: drafts, bookings, and where they stand.

use axum::extract::State;
use jiff::Timestamp;
use quenty_contracts::party::{Item, Parcel, Party};
use quenty_kernel::{
    Failure, Kind, Page,
    contact::Text,
    id::{CompanyId, CustomerId, OrderId, ReturnId, ShipmentId},
    money::Money,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path, Permission, Query},
    journal, list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    BookShipments, CreateShipments, ReadShipments, VoidShipments, drives,
    item_in::{ItemIn, items},
    rates::{check_declared, check_sizes},
    standing::{ensure_customer, standing_for},
};
use crate::{
    Error,
    commands::{self, NewShipment},
    domain::{
        quote::Quote,
        shipment::{Shipment, ShipmentFact, Status},
        tariff::{CostParts, ServiceLevel},
        tracking::ProofKind,
        tracking_number::TrackingNumber,
    },
    parts::QuoteSigner,
    store,
};

/// Who pays duties and taxes abroad (Incoterms 2020).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) enum Incoterm {
    #[serde(rename = "DAP")]
    Dap,
    #[serde(rename = "DDP")]
    Ddp,
}

impl Incoterm {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Dap => "DAP",
            Self::Ddp => "DDP",
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateShipmentIn {
    sender: Party,
    consignee: Party,
    /// The company's customer to whom it goes: the consignee is erased when they are.
    #[serde(default)]
    customer_id: Option<CustomerId>,
    #[schema(min_items = 1, max_items = 50)]
    parcels: Vec<Parcel>,
    /// Needed abroad: customs want to know.
    #[serde(default)]
    #[schema(max_items = 100)]
    items: Vec<ItemIn>,
    declared_value: Money,
    #[serde(default)]
    cash_on_delivery: Option<Money>,
    /// Abroad only; `DAP` unless told.
    #[serde(default)]
    incoterm: Option<Incoterm>,
    /// The merchant's own number for it.
    #[serde(default)]
    reference: Option<Text<60>>,
    service: ServiceLevel,
    /// Books it at once.
    #[serde(default)]
    book: bool,
    /// With `book`: the price that was quoted.
    #[serde(default)]
    quote_id: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BookShipmentIn {
    /// The price that was quoted; without one, today's.
    #[serde(default)]
    quote_id: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VoidShipmentIn {
    #[schema(inline)]
    reason: Text<300>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShipmentOut {
    id: ShipmentId,
    company_id: CompanyId,
    order_id: Option<OrderId>,
    /// The return whose goods it brings back.
    return_id: Option<ReturnId>,
    /// The customer to whom it goes, where it was made by hand and says so.
    customer_id: Option<CustomerId>,
    reference: Option<String>,
    status: Status,
    carrier: String,
    service: ServiceLevel,
    international: bool,
    tracking_number: Option<TrackingNumber>,
    sender: Party,
    consignee: Party,
    parcels: Vec<Parcel>,
    items: Vec<Item>,
    declared_value: Money,
    cash_on_delivery: Option<Money>,
    cash_collected: bool,
    incoterm: Option<String>,
    cost: Option<CostParts>,
    promised_at: Option<Timestamp>,
    picked_up_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    received_by: Option<String>,
    proof: Option<ProofKind>,
    failed_deliveries: u32,
    /// Why it was rejected: a stable word.
    ended_code: Option<String>,
    /// Why it was rejected, voided or given up.
    ended_reason: Option<String>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&Shipment> for ShipmentOut {
    fn from(shipment: &Shipment) -> Self {
        let state = shipment.state().clone();
        Self {
            id: state.id,
            company_id: state.company_id,
            order_id: state.order_id,
            return_id: state.return_id,
            customer_id: state.customer_id,
            reference: state.reference,
            status: state.status,
            carrier: state.carrier,
            service: state.service,
            international: state.international,
            tracking_number: state.tracking_number,
            sender: state.sender,
            consignee: state.consignee,
            parcels: state.parcels,
            items: state.items,
            declared_value: state.declared_value,
            cash_on_delivery: state.cash_on_delivery,
            cash_collected: state.cash_collected,
            incoterm: state.incoterm,
            cost: state.offer.map(|offer| offer.cost),
            promised_at: state.promised_at,
            picked_up_at: state.picked_up_at,
            delivered_at: state.delivered_at,
            received_by: state.received_by,
            proof: state.proof,
            failed_deliveries: state.failed_deliveries,
            ended_code: state.ended_code,
            ended_reason: state.ended_reason,
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// A shipment with what was reported of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShipmentDetailOut {
    #[serde(flatten)]
    shipment: ShipmentOut,
    events: Vec<ShipmentEventOut>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ShipmentEventOut {
    kind: String,
    status: String,
    at: Timestamp,
    place: Option<String>,
    detail: Option<String>,
}

list_query!(ShipmentsQuery {
    status: Option<Status>,
    #[param(value_type = Option<String>)]
    order_id: Option<OrderId>,
    #[param(value_type = Option<String>)]
    return_id: Option<ReturnId>,
    #[param(value_type = Option<String>)]
    tracking_number: Option<TrackingNumber>,
    international: Option<bool>,
});

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// As it was at this moment, rebuilt from its journal.
    pub(super) as_of: Option<Timestamp>,
}

/// Create a shipment as a draft, or booked at once.
///
/// It belongs to no order: name the customer to whom it goes, or no request to erase them reaches its consignee.
#[utoipa::path(post, path = "/api/v1/shipments", operation_id = "create_shipment", tag = "shipments", request_body = CreateShipmentIn,
    security(("bearer" = ["shipments:create"])),
    responses((status = 201, body = ShipmentOut),
        (status = 409, description = "`KYC_REQUIRED`, `COMPANY_NOT_ACTIVE`, `QUOTE_EXPIRED`"),
        (status = 422, description = "`NO_RATE`, `VALUE_ABOVE_LIMIT`, `WEIGHT_ABOVE_LIMIT`, `PROHIBITED`, `UNPRINTABLE`, `QUOTE_MISMATCH`, `UNKNOWN_QUOTE`, `QUOTE_WITHOUT_BOOKING`, `ITEMS_REQUIRED`, `ITEM_COUNT`, `PARCEL_COUNT`, `INCOTERM_AT_HOME`, `CASH_NOT_POSITIVE`, `NEGATIVE_VALUE`, `UNKNOWN_CUSTOMER`")))]
pub(super) async fn create_shipment(
    State(app): State<App>,
    caller: Can<CreateShipments>,
    Json(input): Json<CreateShipmentIn>,
) -> Result<Answer> {
    let (company, scope) = (caller.company()?, caller.scope()?);
    if input.book && !caller.may(BookShipments::NAME) {
        let detail = "booking at once needs the permission shipments:book";
        return Err(Failure::new(Kind::Forbidden, "NOT_PERMITTED", detail).into());
    }
    let (book, quote) = (input.book, open_quote(&app, input.quote_id.as_deref())?);
    let new = input.check(company)?;
    let international = new.sender.address.country() != new.consignee.address.country();
    let standing = if book { Some(standing_for(&app, company, international).await?) } else { None };
    if let Some(customer) = new.customer_id {
        ensure_customer(&app, company, customer).await?;
    }

    let mut tx = app.begin(&caller).await?;
    let mut shipment = commands::create_shipment(&mut tx, new).await?;
    if let Some(standing) = standing {
        shipment = commands::book_shipment(&mut tx, scope, shipment.state().id, quote, &standing).await?;
    }
    let location = format!("/api/v1/shipments/{}", shipment.state().id);
    tx.answer(Answer::created(location, &ShipmentOut::from(&shipment))?.version(shipment.state().version))
        .await
}

impl CreateShipmentIn {
    fn check(self, company_id: CompanyId) -> Result<NewShipment, Error> {
        let bad = |code, pointer, detail| Err(Error::BadField { code, pointer, detail });
        check_sizes(self.parcels.len(), self.items.len())?;
        let international = self.sender.address.country() != self.consignee.address.country();
        if international && self.items.is_empty() {
            return bad("ITEMS_REQUIRED", "/items", "say what is inside: customs want to know it");
        }
        if !international && self.incoterm.is_some() {
            return bad(
                "INCOTERM_AT_HOME",
                "/incoterm",
                "leave the incoterm out: it is for shipments abroad",
            );
        }
        if self.quote_id.is_some() && !self.book {
            return bad(
                "QUOTE_WITHOUT_BOOKING",
                "/quote_id",
                "a quote is used when booking: send book = true, or the quote with the booking",
            );
        }
        if self.cash_on_delivery.is_some_and(|cash| cash.is_zero() || cash.is_negative()) {
            return bad(
                "CASH_NOT_POSITIVE",
                "/cash_on_delivery",
                "leave it out when nothing is to be collected",
            );
        }
        let incoterm = international.then_some(self.incoterm.unwrap_or(Incoterm::Dap));
        Ok(NewShipment {
            company_id,
            request: None,
            customer_id: self.customer_id,
            reference: self.reference.map(String::from),
            service: self.service,
            sender: self.sender,
            consignee: self.consignee,
            parcels: self.parcels,
            items: items(self.items),
            declared_value: check_declared(self.declared_value)?,
            cash_on_delivery: self.cash_on_delivery,
            incoterm: incoterm.map(|incoterm| incoterm.as_str().to_owned()),
        })
    }
}

fn open_quote(app: &App, quote_id: Option<&str>) -> Result<Option<Quote>, Error> {
    let Some(quote_id) = quote_id else { return Ok(None) };
    Ok(Some(app.part::<QuoteSigner>()?.open(quote_id)?))
}

/// Book a draft: it gets its tracking number and label.
#[utoipa::path(post, path = "/api/v1/shipments/{id}/book", operation_id = "book_shipment", tag = "shipments",
    params(("id" = ShipmentId, Path)), request_body = BookShipmentIn, security(("bearer" = ["shipments:book"])),
    responses((status = 200, body = ShipmentOut),
        (status = 409, description = "`ILLEGAL_TRANSITION`, `KYC_REQUIRED`, `COMPANY_NOT_ACTIVE`, `QUOTE_EXPIRED`"),
        (status = 422, description = "`NO_RATE`, `VALUE_ABOVE_LIMIT`, `WEIGHT_ABOVE_LIMIT`, `PROHIBITED`, `UNPRINTABLE`, `QUOTE_MISMATCH`, `UNKNOWN_QUOTE`")))]
pub(super) async fn book_shipment(
    State(app): State<App>,
    caller: Can<BookShipments>,
    Path(id): Path<ShipmentId>,
    Json(input): Json<BookShipmentIn>,
) -> Result<Answer> {
    let scope = caller.scope()?;
    let quote = open_quote(&app, input.quote_id.as_deref())?;
    let draft = store::shipments::find(app.db(), scope, id).await?;
    let standing = standing_for(&app, draft.state().company_id, draft.state().international).await?;
    let mut tx = app.begin(&caller).await?;
    let shipment = commands::book_shipment(&mut tx, scope, id, quote, &standing).await?;
    tx.answer(Answer::ok(&ShipmentOut::from(&shipment))?.version(shipment.state().version)).await
}

/// Void a shipment whose parcels are not collected.
#[utoipa::path(post, path = "/api/v1/shipments/{id}/void", operation_id = "void_shipment", tag = "shipments",
    params(("id" = ShipmentId, Path)), request_body = VoidShipmentIn, security(("bearer" = ["shipments:void"])),
    responses((status = 200, body = ShipmentOut), (status = 409, description = "`ILLEGAL_TRANSITION`: the parcels are collected, or it has ended; `SHIPMENT_OF_AN_ORDER`, `SHIPMENT_OF_A_RETURN`: cancel that")))]
pub(super) async fn void_shipment(
    State(app): State<App>,
    caller: Can<VoidShipments>,
    Path(id): Path<ShipmentId>,
    Json(input): Json<VoidShipmentIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let shipment = commands::void_shipment(&mut tx, caller.scope()?, id, input.reason.as_str()).await?;
    tx.answer(Answer::ok(&ShipmentOut::from(&shipment))?.version(shipment.state().version)).await
}

/// List shipments, newest first; a driver looks one up by the number on its label.
#[utoipa::path(get, path = "/api/v1/shipments", operation_id = "list_shipments", tag = "shipments", params(ShipmentsQuery),
    security(("bearer" = ["shipments:read"])),
    responses((status = 200, body = Page<ShipmentOut>), (status = 403, description = "`NOT_PERMITTED`, `NO_COMPANY`, `TRACKING_NUMBER_NEEDED`: a driver looks up one")))]
pub(super) async fn list_shipments(
    State(app): State<App>,
    caller: Can<ReadShipments>,
    Query(query): Query<ShipmentsQuery>,
) -> Result<Json<Page<ShipmentOut>>> {
    if drives(&caller) && query.tracking_number.is_none() {
        return Err(Error::LookUpOnly.into());
    }
    let filter = store::shipments::ShipmentFilter {
        status: query.status,
        order_id: query.order_id,
        return_id: query.return_id,
        tracking_number: query.tracking_number,
        international: query.international,
    };
    let shipments = store::shipments::list(app.db(), caller.scope()?, &filter, &query.page()).await?;
    Ok(Json(shipments.map(|shipment| ShipmentOut::from(&shipment))))
}

/// Read a shipment, now or as it was.
#[utoipa::path(get, path = "/api/v1/shipments/{id}", operation_id = "get_shipment", tag = "shipments", params(("id" = ShipmentId, Path), AsOf),
    security(("bearer" = ["shipments:read"])), responses((status = 200, body = ShipmentDetailOut)))]
pub(super) async fn get_shipment(
    State(app): State<App>,
    caller: Can<ReadShipments>,
    Path(id): Path<ShipmentId>,
    Query(query): Query<AsOf>,
) -> Result<Answer> {
    let scope = caller.scope()?;
    let shipment = match query.as_of {
        None => store::shipments::find(app.db(), scope, id).await?,
        Some(as_of) => {
            let facts = journal::facts::<ShipmentFact>(app.db(), scope, &id.to_string(), Some(as_of)).await?;
            Shipment::fold(facts).ok_or(Error::NotFound("shipment at that time"))?
        }
    };
    let events = events(&app, id, query.as_of).await?;
    let answer = Answer::ok(&ShipmentDetailOut { shipment: ShipmentOut::from(&shipment), events })?;
    // What was cannot be changed: it has no version.
    Ok(if query.as_of.is_none() { answer.version(shipment.state().version) } else { answer })
}

async fn events(app: &App, id: ShipmentId, as_of: Option<Timestamp>) -> Result<Vec<ShipmentEventOut>, Error> {
    let events = store::tracking::list(app.db(), id).await?.into_iter();
    let known = events.filter(|event| as_of.is_none_or(|as_of| event.recorded_at <= as_of));
    let shown = known.map(|event| ShipmentEventOut {
        kind: event.kind,
        status: event.status,
        at: event.at,
        place: event.place,
        detail: event.detail,
    });
    Ok(shown.collect())
}
