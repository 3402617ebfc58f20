//! Service areas: read by everyone who books, written by the platform's staff.

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::IntoResponse,
};
use jiff::{Timestamp, civil::Date};
use quenty_kernel::{
    Page,
    contact::{Text, TimeZoneName},
    country::CountryCode,
    currency::Currency,
    geo::Polygon,
    id::ServiceAreaId,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query, nullable},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreateServiceAreas, ReadServiceAreas, UpdateServiceAreas, place_query::PlaceQuery, staff_only};
use crate::{
    Error, commands,
    domain::{
        fees::{FeeTable, FeeTableIn},
        hours::WeeklyHours,
        service_area::{AreaDefinition, PostalPrefix, ServiceArea, SlotCapacity, SlotMinutes},
    },
    store,
};

/// The same for everyone: gateways keep it for some minutes, and callers do not.
const KEPT: (HeaderName, &str) =
    (header::CACHE_CONTROL, "public, max-age=0, s-maxage=300, stale-if-error=3600");
/// What is kept of any is dropped when one of them changes (RFC 9875).
const GROUP: &str = "\"service-areas\"";
const IN_GROUP: (HeaderName, &str) = (HeaderName::from_static("cache-groups"), GROUP);
const CONCERNED: HeaderName = HeaderName::from_static("cache-group-invalidation");

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Bogotá norte", "country": "CO", "postal_prefixes": ["1102", "1101"], "time_zone": "America/Bogota",
    "hours": [{"day": "monday", "opens": "08:00", "closes": "18:00"}], "holidays": ["2026-05-01"],
    "slot_minutes": 120, "capacity_per_slot": 40, "currency": "COP", "express": true,
    "fees": {"on_demand": {"amount": "12000.00", "currency": "COP"}, "scheduled": {"amount": "8000.00", "currency": "COP"},
        "express": {"amount": "18000.00", "currency": "COP"}, "extra_kilogram": {"amount": "900.00", "currency": "COP"},
        "packaging": {"amount": "4000.00", "currency": "COP"}}
}))]
pub(super) struct CreateServiceAreaIn {
    name: Text<80>,
    country: CountryCode,
    polygon: Option<Polygon>,
    #[serde(default)]
    postal_prefixes: Vec<PostalPrefix>,
    time_zone: TimeZoneName,
    hours: WeeklyHours,
    /// Local dates on which nobody comes.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    holidays: Vec<Date>,
    slot_minutes: SlotMinutes,
    capacity_per_slot: SlotCapacity,
    currency: Currency,
    /// In Mexican pesos every fee has a default, in other currencies all are needed.
    #[serde(default)]
    fees: FeeTableIn,
    #[serde(default)]
    express: bool,
}

impl CreateServiceAreaIn {
    fn definition(self) -> Result<AreaDefinition, Error> {
        Ok(AreaDefinition {
            fees: FeeTable::new(self.currency, &self.fees)?,
            name: self.name,
            country: self.country,
            polygon: self.polygon,
            postal_prefixes: self.postal_prefixes,
            time_zone: self.time_zone,
            hours: self.hours,
            holidays: self.holidays,
            slot_minutes: self.slot_minutes,
            capacity_per_slot: self.capacity_per_slot,
            currency: self.currency,
            express: self.express,
            active: true,
        })
    }
}

/// What changes; what is absent stays. Country and currency never change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"capacity_per_slot": 60}))]
pub(super) struct UpdateServiceAreaIn {
    name: Option<Text<80>>,
    /// `null` takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Polygon>)]
    polygon: Option<Option<Polygon>>,
    postal_prefixes: Option<Vec<PostalPrefix>>,
    time_zone: Option<TimeZoneName>,
    hours: Option<WeeklyHours>,
    #[schema(value_type = Option<Vec<String>>)]
    holidays: Option<Vec<Date>>,
    slot_minutes: Option<SlotMinutes>,
    capacity_per_slot: Option<SlotCapacity>,
    /// The whole table.
    fees: Option<FeeTableIn>,
    express: Option<bool>,
    /// An inactive area takes no new pickups.
    active: Option<bool>,
}

impl UpdateServiceAreaIn {
    fn change(self, was: AreaDefinition) -> Result<AreaDefinition, Error> {
        Ok(AreaDefinition {
            fees: self.fees.map_or(Ok(was.fees), |fees| FeeTable::new(was.currency, &fees))?,
            name: self.name.unwrap_or(was.name),
            country: was.country,
            polygon: self.polygon.unwrap_or(was.polygon),
            postal_prefixes: self.postal_prefixes.unwrap_or(was.postal_prefixes),
            time_zone: self.time_zone.unwrap_or(was.time_zone),
            hours: self.hours.unwrap_or(was.hours),
            holidays: self.holidays.unwrap_or(was.holidays),
            slot_minutes: self.slot_minutes.unwrap_or(was.slot_minutes),
            capacity_per_slot: self.capacity_per_slot.unwrap_or(was.capacity_per_slot),
            currency: was.currency,
            express: self.express.unwrap_or(was.express),
            active: self.active.unwrap_or(was.active),
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServiceAreaOut {
    id: ServiceAreaId,
    name: Text<80>,
    country: CountryCode,
    polygon: Option<Polygon>,
    postal_prefixes: Vec<PostalPrefix>,
    time_zone: TimeZoneName,
    hours: WeeklyHours,
    #[schema(value_type = Vec<String>)]
    holidays: Vec<Date>,
    slot_minutes: SlotMinutes,
    capacity_per_slot: SlotCapacity,
    currency: Currency,
    fees: FeeTable,
    express: bool,
    active: bool,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<ServiceArea> for ServiceAreaOut {
    fn from(area: ServiceArea) -> Self {
        let definition = area.definition;
        Self {
            id: area.id,
            name: definition.name,
            country: definition.country,
            polygon: definition.polygon,
            postal_prefixes: definition.postal_prefixes,
            time_zone: definition.time_zone,
            hours: definition.hours,
            holidays: definition.holidays,
            slot_minutes: definition.slot_minutes,
            capacity_per_slot: definition.capacity_per_slot,
            currency: definition.currency,
            fees: definition.fees,
            express: definition.express,
            active: definition.active,
            version: area.version,
            created_at: area.created_at,
            updated_at: area.updated_at,
        }
    }
}

/// Open a service area.
#[utoipa::path(post, path = "/api/v1/service-areas", operation_id = "create_service_area", tag = "service areas",
    request_body = CreateServiceAreaIn, security(("bearer" = ["service_areas:create"])),
    responses((status = 201, body = ServiceAreaOut)))]
pub(super) async fn create_service_area(
    State(app): State<App>,
    caller: Can<CreateServiceAreas>,
    Json(input): Json<CreateServiceAreaIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let definition = input.definition()?;
    let mut tx = app.begin(&caller).await?;
    let area = commands::create_service_area(&mut tx, definition).await?;
    let (location, version) = (format!("/api/v1/service-areas/{}", area.id), area.version);
    let answer = Answer::created(location, &ServiceAreaOut::from(area))?.version(version);
    tx.answer(answer.header(CONCERNED, GROUP)).await
}

list_query!(ServiceAreasQuery {});

/// List the service areas, the newest first.
#[utoipa::path(get, path = "/api/v1/service-areas", operation_id = "list_service_areas", tag = "service areas",
    params(ServiceAreasQuery), security(("bearer" = ["service_areas:read"])),
    responses((status = 200, body = Page<ServiceAreaOut>)))]
pub(super) async fn list_service_areas(
    State(app): State<App>,
    _caller: Can<ReadServiceAreas>,
    Query(query): Query<ServiceAreasQuery>,
) -> Result<impl IntoResponse> {
    let page = query.page();
    let rows = store::service_areas::list(app.db(), &page).await?;
    let areas = Page::from_rows(rows, &page, |area| area.id.uuid()).map(ServiceAreaOut::from);
    Ok(([KEPT, IN_GROUP], Json(areas)))
}

/// Find the service area of a place.
#[utoipa::path(get, path = "/api/v1/service-areas/locate", operation_id = "locate_service_area", tag = "service areas",
    params(PlaceQuery), security(("bearer" = ["service_areas:read"])),
    responses((status = 200, body = ServiceAreaOut), (status = 404, description = "`NOT_FOUND`: no service area covers the place")))]
pub(super) async fn locate_service_area(
    State(app): State<App>,
    _caller: Can<ReadServiceAreas>,
    Query(place): Query<PlaceQuery>,
) -> Result<impl IntoResponse> {
    let area = store::service_areas::locate(app.db(), &place.place()?).await?;
    let area = area.ok_or(Error::NotFound("service area at this place"))?;
    Ok(Json(ServiceAreaOut::from(area)))
}

/// Read a service area.
#[utoipa::path(get, path = "/api/v1/service-areas/{id}", operation_id = "get_service_area", tag = "service areas",
    params(("id" = ServiceAreaId, Path)), security(("bearer" = ["service_areas:read"])),
    responses((status = 200, body = ServiceAreaOut)))]
pub(super) async fn get_service_area(
    State(app): State<App>,
    _caller: Can<ReadServiceAreas>,
    Path(id): Path<ServiceAreaId>,
) -> Result<impl IntoResponse> {
    let area = store::service_areas::find(app.db(), id).await?.ok_or(Error::NotFound("service area"))?;
    let version = area.version;
    Ok(([KEPT, IN_GROUP], Answer::ok(&ServiceAreaOut::from(area))?.version(version)))
}

/// Change a service area; what was booked stays as it was promised.
#[utoipa::path(patch, path = "/api/v1/service-areas/{id}", operation_id = "update_service_area", tag = "service areas",
    params(("id" = ServiceAreaId, Path), ("If-Match" = Option<String>, Header)), request_body = UpdateServiceAreaIn,
    security(("bearer" = ["service_areas:update"])),
    responses((status = 200, body = ServiceAreaOut), (status = 412, description = "`VERSION_MISMATCH`: someone changed it meanwhile")))]
pub(super) async fn update_service_area(
    State(app): State<App>,
    caller: Can<UpdateServiceAreas>,
    Path(id): Path<ServiceAreaId>,
    seen: IfMatch,
    Json(input): Json<UpdateServiceAreaIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let area = commands::update_service_area(&mut tx, id, seen, |was| input.change(was)).await?;
    let version = area.version;
    let answer = Answer::ok(&ServiceAreaOut::from(area))?.version(version);
    tx.answer(answer.header(CONCERNED, GROUP)).await
}
