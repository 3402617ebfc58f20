//! When somebody can come, and for how much.

use axum::extract::State;
use jiff::{Timestamp, civil::Date};
use quenty_kernel::{
    contact::{Text, TimeZoneName},
    country::CountryCode,
    day::LocalTime,
    id::ServiceAreaId,
    money::Money,
};
use quenty_platform::{
    App, Result,
    http::{Can, Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ReadPickups, place_query::place};
use crate::{
    Error,
    domain::{
        booking::{PickupKind, Wanted},
        service_area::ServiceArea,
        timetable::{Candidate, Window},
    },
    store,
};

/// A day, and a place: a country with a postal code, a position, or both.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AvailabilityQuery {
    /// The local day of the service area.
    #[param(value_type = String, format = Date, example = "2026-05-05")]
    date: Date,
    /// How it would be promised; `scheduled` unless told.
    #[serde(rename = "type")]
    #[param(inline, rename = "type")]
    kind: Option<PickupKind>,
    #[param(value_type = Option<String>, example = "CO")]
    country: Option<CountryCode>,
    /// Means something together with `country`.
    #[param(value_type = Option<String>, example = "110221")]
    postal_code: Option<Text<20>>,
    /// Degrees of latitude.
    #[param(example = 4.6486)]
    lat: Option<f64>,
    /// Degrees of longitude.
    #[param(example = -74.0995)]
    lng: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AvailabilityOut {
    service_area_id: ServiceAreaId,
    time_zone: TimeZoneName,
    #[schema(value_type = String, format = Date, example = "2026-05-05")]
    date: Date,
    /// The slots that can still be booked, in order; for `on_demand` and `express` the window that a booking made now
    /// would get, if it is on this day.
    slots: Vec<SlotOut>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SlotOut {
    /// Local start; pass it as `slot` to book. Absent for `on_demand` and `express`, which choose none.
    slot: Option<LocalTime>,
    start: Timestamp,
    end: Timestamp,
    /// Places that are neither taken nor held.
    remaining: i64,
    /// Before weight, packaging and insurance: `POST /pickups/quote` tells the whole price.
    fee: Money,
}

/// List the slots of a day with their free places, or when somebody could come at once.
#[utoipa::path(get, path = "/api/v1/pickups/availability", operation_id = "list_availability", tag = "pickups",
    params(AvailabilityQuery), security(("bearer" = ["pickups:read"])),
    responses((status = 200, body = AvailabilityOut),
        (status = 404, description = "`NOT_FOUND`: no service area covers the place"),
        (status = 409, description = "`EXPRESS_UNAVAILABLE`: the area offers no express pickups")))]
pub(super) async fn list_availability(
    State(app): State<App>,
    _caller: Can<ReadPickups>,
    Query(query): Query<AvailabilityQuery>,
) -> Result<Json<AvailabilityOut>> {
    let kind = query.kind.unwrap_or(PickupKind::Scheduled);
    let place = place(query.country, query.postal_code.as_ref(), query.lat, query.lng)?;
    let area = store::service_areas::locate(app.db(), &place).await?;
    let area = area.ok_or(Error::NotFound("service area at this place"))?;
    let slots = slots(&app, &area, query.date, kind).await?;
    let time_zone = area.definition.time_zone;
    Ok(Json(AvailabilityOut { service_area_id: area.id, time_zone, date: query.date, slots }))
}

async fn slots(app: &App, area: &ServiceArea, date: Date, kind: PickupKind) -> Result<Vec<SlotOut>, Error> {
    let (definition, now) = (&area.definition, app.clock().now());
    let is_scheduled = kind == PickupKind::Scheduled;
    let wanted = Wanted { date: is_scheduled.then_some(date), slot: None };
    let candidates = definition.candidates(kind, &wanted, now)?;
    let (Some(first), Some(last)) = (candidates.first(), candidates.last()) else { return Ok(Vec::new()) };
    let span = Window { start: first.slot.start, end: last.slot.end };
    let occupied = store::slots::occupied(app.db(), area.id, span, None, now).await?;
    let fee = definition.fees.from(kind).map_err(quenty_kernel::Invalid::from)?;
    let capacity = i64::from(definition.capacity_per_slot.get());
    let mut shown: Vec<SlotOut> = Vec::new();
    for Candidate { window, slot } in
        candidates.into_iter().filter(|of| definition.local_date(of.window.start) == date)
    {
        let remaining = (capacity - occupied.places_in(slot)).max(0);
        match shown.last_mut() {
            // One window, which takes its place in whichever of its slots has one.
            Some(same) if same.start == window.start => same.remaining = same.remaining.max(remaining),
            _ => shown.push(SlotOut {
                slot: is_scheduled.then(|| definition.local_time(window.start)),
                start: window.start,
                end: window.end,
                remaining,
                fee,
            }),
        }
    }
    Ok(shown)
}
