//! Prices and held places, before anything is booked.

use axum::extract::State;
use jiff::{Timestamp, civil::Date};
use quenty_contracts::party::Parcel;
use quenty_kernel::{
    contact::{Text, TimeZoneName},
    country::CountryCode,
    day::LocalTime,
    geo::GeoPoint,
    id::{PickupId, ServiceAreaId},
    money::Money,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    HoldPickups, QuotePickups,
    pickups::{check_parcels, check_value, wanted},
    standing::check_standing,
};
use crate::{
    Error, commands,
    domain::{
        booking::{PickupKind, Unbookable, Wanted},
        fees::{Cost, Priced},
        service_area::{Place, ServiceArea},
        timetable::Window,
    },
    store::{self, slots::Hold},
};

/// Where it would be collected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceIn {
    country: CountryCode,
    postal_code: Option<Text<20>>,
    location: Option<GeoPoint>,
}

impl From<PlaceIn> for Place {
    fn from(place: PlaceIn) -> Self {
        Self::new(Some(place.country), place.postal_code.as_ref().map(Text::as_str), place.location)
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "scheduled", "place": {"country": "CO", "postal_code": "110221"}, "date": "2026-05-05", "slot": "10:00",
    "parcels": [{"weight_grams": 6200}], "insured_value": {"amount": "250000.00", "currency": "COP"}, "packaging": true
}))]
pub(super) struct QuotePickupIn {
    kind: PickupKind,
    place: PlaceIn,
    /// For `scheduled`: the local day; the first slot with room within seven days unless told.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    /// For `scheduled`: the slot's local start.
    slot: Option<LocalTime>,
    #[schema(min_items = 1, max_items = 100)]
    parcels: Vec<Parcel>,
    /// Insured against loss, in the area's currency.
    insured_value: Option<Money>,
    /// We bring the packaging.
    #[serde(default)]
    packaging: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuotePickupOut {
    service_area_id: ServiceAreaId,
    time_zone: TimeZoneName,
    kind: PickupKind,
    /// The window that a booking made now would get.
    window: Window,
    cost: Cost,
}

/// Price a pickup without booking it.
#[utoipa::path(post, path = "/api/v1/pickups/quote", operation_id = "quote_pickup", tag = "pickups",
    request_body = QuotePickupIn, security(("bearer" = ["pickups:quote"])),
    responses((status = 200, body = QuotePickupOut),
        (status = 409, description = "`NO_SERVICE_AREA`, `NO_CAPACITY`, `EXPRESS_UNAVAILABLE`: nobody can come")))]
pub(super) async fn quote_pickup(
    State(app): State<App>,
    _caller: Can<QuotePickups>,
    Json(input): Json<QuotePickupIn>,
) -> Result<Json<QuotePickupOut>> {
    check_parcels(&input.parcels)?;
    check_value(input.insured_value)?;
    Ok(Json(quote(&app, input).await?))
}

async fn quote(app: &App, input: QuotePickupIn) -> Result<QuotePickupOut, Error> {
    let QuotePickupIn { kind, place, date, slot, parcels, insured_value, packaging } = input;
    let (now, wanted) = (app.clock().now(), wanted(kind, date, slot)?);
    let area =
        store::service_areas::locate(app.db(), &place.into()).await?.ok_or(Unbookable::NoServiceArea)?;
    let cost = area.definition.fees.price(&Priced { kind, parcels: &parcels, insured_value, packaging })?;
    let candidates = area.definition.candidates(kind, &wanted, now)?;
    let candidates = commands::placing::with_room(app.db(), &area, candidates, None, now).await?;
    let window = candidates.first().ok_or(Unbookable::NoCapacity)?.window;
    Ok(QuotePickupOut { service_area_id: area.id, time_zone: area.definition.time_zone, kind, window, cost })
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"place": {"country": "CO", "postal_code": "110221"}, "date": "2026-05-05", "slot": "10:00"}))]
pub(super) struct HoldSlotIn {
    place: PlaceIn,
    /// The local day.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// The slot's local start.
    slot: LocalTime,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoldOut {
    /// Pass it as `hold_id` to book; the pickup will have this id.
    hold_id: PickupId,
    service_area_id: ServiceAreaId,
    time_zone: TimeZoneName,
    window: Window,
    /// Then the place is free again.
    expires_at: Timestamp,
}

impl HoldOut {
    fn new(hold: &Hold, area: ServiceArea) -> Self {
        Self {
            hold_id: hold.pickup_id,
            service_area_id: area.id,
            time_zone: area.definition.time_zone,
            window: hold.slot,
            expires_at: hold.expires_at,
        }
    }
}

/// Hold a place in a slot for ten minutes.
#[utoipa::path(post, path = "/api/v1/pickups/holds", operation_id = "hold_slot", tag = "pickups",
    request_body = HoldSlotIn, security(("bearer" = ["pickups:hold"])),
    responses((status = 201, body = HoldOut),
        (status = 409, description = "`NO_SERVICE_AREA`, `NO_CAPACITY`: nobody can come then; `COMPANY_NOT_ACTIVE`, `TOO_MANY_HOLDS`")))]
pub(super) async fn hold_slot(
    State(app): State<App>,
    caller: Can<HoldPickups>,
    Json(input): Json<HoldSlotIn>,
) -> Result<Answer> {
    let company = caller.company()?;
    check_standing(&app, company).await?;
    let wanted = Wanted { date: Some(input.date), slot: Some(input.slot.to_string()) };
    let mut tx = app.begin(&caller).await?;
    let (area, hold) = commands::hold_slot(&mut tx, company, &input.place.into(), &wanted).await?;
    let location = format!("/api/v1/pickups/holds/{}", hold.pickup_id);
    tx.answer(Answer::created(location, &HoldOut::new(&hold, area))?).await
}

/// Read a hold until it runs out or is used.
#[utoipa::path(get, path = "/api/v1/pickups/holds/{id}", operation_id = "get_hold", tag = "pickups",
    params(("id" = PickupId, Path)), security(("bearer" = ["pickups:hold"])), responses((status = 200, body = HoldOut)))]
pub(super) async fn get_hold(
    State(app): State<App>,
    caller: Can<HoldPickups>,
    Path(id): Path<PickupId>,
) -> Result<Json<HoldOut>> {
    let (company, now) = (caller.company()?, app.clock().now());
    let hold = store::slots::find_hold(app.db(), company, id, now).await?.ok_or(Error::NotFound("hold"))?;
    let area = store::service_areas::find(app.db(), hold.area_id).await?;
    Ok(Json(HoldOut::new(&hold, area.ok_or(Error::NotFound("service area"))?)))
}
