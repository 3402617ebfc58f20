//! Pickups as their merchants see them.

use std::convert::Infallible;

use axum::{
    extract::State,
    response::sse::{Event, Sse},
};
use jiff::{Timestamp, civil::Date};
use quenty_contracts::party::{Parcel, Party};
use quenty_kernel::{
    Failure, Page, Scope,
    contact::{Email, Phone, Text},
    day::LocalTime,
    id::{CompanyId, DriverId, OrderId, PickupId, ReturnId},
    money::Money,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query, nullable},
    journal, list_query,
    live::{self, ResumeAfter, StreamedEvent},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    CancelPickups, CreatePickups, ReadPickups, ReschedulePickups, UpdatePickups,
    pickup_out::{PickupOut, shown},
    reach,
    standing::check_standing,
};
use crate::{
    Error, commands,
    domain::{
        booking::{BookingRequest, PickupKind, Wanted},
        pickup::{ContactChange, Pickup, PickupState, RescheduledBy, Status},
    },
    store::{
        self,
        pickups::{PickupFilter, Reach},
    },
};

const MAX_PARCELS: usize = 100;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "scheduled", "date": "2026-05-05", "slot": "10:00",
    "contact": {"name": "Tienda Luz", "phone": "+576012345678",
        "address": {"line1": "Calle 93 # 13-24", "city": "Bogotá", "postal_code": "110221", "country": "CO"}},
    "parcels": [{"weight_grams": 1200}], "packaging": false
}))]
pub(super) struct CreatePickupIn {
    kind: PickupKind,
    /// For `scheduled`: the local day; the first slot with room within seven days unless told.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    /// For `scheduled`: the slot's local start.
    slot: Option<LocalTime>,
    /// A place that was held, instead of date and slot.
    hold_id: Option<PickupId>,
    contact: Party,
    #[schema(min_items = 1, max_items = 100)]
    parcels: Vec<Parcel>,
    /// Insured against loss, in the area's currency.
    insured_value: Option<Money>,
    /// We bring the packaging.
    #[serde(default)]
    packaging: bool,
}

impl CreatePickupIn {
    fn request(self, company: CompanyId) -> Result<BookingRequest> {
        check_parcels(&self.parcels)?;
        check_value(self.insured_value)?;
        if self.hold_id.is_some()
            && (self.kind != PickupKind::Scheduled || self.date.is_some() || self.slot.is_some())
        {
            let detail = "a hold is for a scheduled pickup and brings its own date and slot; leave those out";
            return Err(Failure::invalid("INVALID_FIELD", "/hold_id", detail).into());
        }
        Ok(BookingRequest {
            company_id: company,
            order_id: None,
            return_id: None,
            attempt: 1,
            kind: self.kind,
            wanted: wanted(self.kind, self.date, self.slot)?,
            contact: self.contact,
            parcels: self.parcels,
            insured_value: self.insured_value,
            packaging: self.packaging,
            tracking_number: None,
        })
    }
}

pub(super) fn check_parcels(parcels: &[Parcel]) -> Result<(), Failure> {
    if (1..=MAX_PARCELS).contains(&parcels.len()) {
        return Ok(());
    }
    Err(Failure::invalid("INVALID_FIELD", "/parcels", format!("must hold 1 to {MAX_PARCELS} parcels")))
}

pub(super) fn check_value(value: Option<Money>) -> Result<(), Failure> {
    if value.is_some_and(Money::is_negative) {
        return Err(Failure::invalid("INVALID_FIELD", "/insured_value", "must not be negative"));
    }
    Ok(())
}

/// Only a scheduled pickup has a day and a slot to choose.
pub(super) fn wanted(
    kind: PickupKind,
    date: Option<Date>,
    slot: Option<LocalTime>,
) -> Result<Wanted, Failure> {
    if kind != PickupKind::Scheduled && (date.is_some() || slot.is_some()) {
        let detail = "date and slot are for scheduled pickups; leave them out, or ask for a scheduled one";
        return Err(Failure::invalid("INVALID_FIELD", "/date", detail));
    }
    Ok(Wanted { date, slot: slot.map(|slot| slot.to_string()) })
}

/// Book a pickup.
#[utoipa::path(post, path = "/api/v1/pickups", operation_id = "create_pickup", tag = "pickups",
    request_body = CreatePickupIn, security(("bearer" = ["pickups:create"])),
    responses((status = 201, body = PickupOut),
        (status = 409, description = "`COMPANY_NOT_ACTIVE`, `NO_SERVICE_AREA`, `NO_CAPACITY`, `EXPRESS_UNAVAILABLE`, `HOLD_NOT_USABLE`")))]
pub(super) async fn create_pickup(
    State(app): State<App>,
    caller: Can<CreatePickups>,
    Json(input): Json<CreatePickupIn>,
) -> Result<Answer> {
    let (company, hold) = (caller.company()?, input.hold_id);
    let request = input.request(company)?;
    check_standing(&app, company).await?;
    let mut tx = app.begin(&caller).await?;
    let pickup = commands::create_pickup(&mut tx, request, hold).await?;
    let answer = Answer::created(format!("/api/v1/pickups/{}", pickup.id), &PickupOut::from(&*pickup))?;
    tx.answer(answer.version(pickup.version)).await
}

list_query!(PickupsQuery {
    #[param(inline)]
    status: Option<Status>,
    /// The local day of the window.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    #[param(value_type = Option<String>)]
    driver_id: Option<DriverId>,
    #[param(value_type = Option<String>)]
    order_id: Option<OrderId>,
    #[param(value_type = Option<String>)]
    return_id: Option<ReturnId>,
    /// `true`: only those whose window is over, and that were neither collected nor ended.
    overdue: Option<bool>,
});

/// List pickups, the newest first; a driver sees the own stops.
#[utoipa::path(get, path = "/api/v1/pickups", operation_id = "list_pickups", tag = "pickups",
    params(PickupsQuery), security(("bearer" = ["pickups:read"])),
    responses((status = 200, body = Page<PickupOut>)))]
pub(super) async fn list_pickups(
    State(app): State<App>,
    caller: Can<ReadPickups>,
    Query(query): Query<PickupsQuery>,
) -> Result<Json<Page<PickupOut>>> {
    let page = query.page();
    let PickupsQuery { status, date, driver_id, order_id, return_id, overdue, .. } = query;
    let overdue_at = overdue.filter(|overdue| *overdue).map(|_| app.clock().now());
    let filter = PickupFilter { status, date, driver_id, order_id, return_id, overdue_at };
    let rows = store::pickups::list(app.db(), reach(&caller)?, &filter, &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |pickup| pickup.id.uuid()).map(|pickup| PickupOut::from(&*pickup))))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// Shows the pickup as it was then, rebuilt from its facts.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
}

/// Read a pickup, as it is or as it was.
#[utoipa::path(get, path = "/api/v1/pickups/{id}", operation_id = "get_pickup", tag = "pickups",
    params(("id" = PickupId, Path), AsOf), security(("bearer" = ["pickups:read"])),
    responses((status = 200, body = PickupOut)))]
pub(super) async fn get_pickup(
    State(app): State<App>,
    caller: Can<ReadPickups>,
    Path(id): Path<PickupId>,
    Query(query): Query<AsOf>,
) -> Result<Answer> {
    let pickup = find(&app, reach(&caller)?, id).await?;
    let Some(as_of) = query.as_of else { return shown(&pickup) };
    let facts = journal::facts(app.db(), caller.scope()?, &id.to_string(), Some(as_of)).await?;
    let state = PickupState::fold(facts).ok_or(Error::NotFound("pickup at that time"))?;
    // Without a version: what was cannot be changed.
    Answer::ok(&PickupOut::from(&state))
}

async fn find(app: &App, reach: Reach, id: PickupId) -> Result<Pickup, Error> {
    store::pickups::find(app.db(), reach, id).await?.ok_or(Error::NotFound("pickup"))
}

/// Who hands over; what is absent stays. Another address is another pickup: cancel this one and book anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Luz Marín", "phone": "+573005550003"}))]
pub(super) struct UpdatePickupIn {
    name: Option<Text<120>>,
    /// `null` empties it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Phone>)]
    phone: Option<Option<Phone>>,
    /// `null` empties it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Email>)]
    email: Option<Option<Email>>,
}

/// Change who hands the parcels over, until the driver is on the way.
#[utoipa::path(patch, path = "/api/v1/pickups/{id}", operation_id = "update_pickup", tag = "pickups",
    params(("id" = PickupId, Path), ("If-Match" = Option<String>, Header)), request_body = UpdatePickupIn,
    security(("bearer" = ["pickups:update"])),
    responses((status = 200, body = PickupOut), (status = 409, description = "`PICKUP_CLOSED`: the driver has begun, or it has ended"),
        (status = 412, description = "`VERSION_MISMATCH`: someone changed it meanwhile")))]
pub(super) async fn update_pickup(
    State(app): State<App>,
    caller: Can<UpdatePickups>,
    Path(id): Path<PickupId>,
    seen: IfMatch,
    Json(input): Json<UpdatePickupIn>,
) -> Result<Answer> {
    let UpdatePickupIn { name, phone, email } = input;
    let mut tx = app.begin(&caller).await?;
    let change = ContactChange { name, phone, email };
    let pickup = commands::update_pickup(&mut tx, reach(&caller)?, id, seen, change).await?;
    tx.answer(shown(&pickup)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReschedulePickupIn {
    /// The local day; the first slot with room within seven days unless told.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    /// The slot's local start.
    slot: Option<LocalTime>,
}

/// Move a pickup to another slot: a merchant twice, a dispatcher as often as needed.
///
/// After a failed attempt for which no other slot was found it does not count. An express or on-demand pickup that its
/// merchant moves costs what a scheduled one does from then on, if that is less. For half an hour after the end of an express
/// guarantee a merchant cannot move what a driver has, who may still tell that it was collected in time.
#[utoipa::path(post, path = "/api/v1/pickups/{id}/reschedule", operation_id = "reschedule_pickup", tag = "pickups",
    params(("id" = PickupId, Path)), request_body = ReschedulePickupIn, security(("bearer" = ["pickups:reschedule"])),
    responses((status = 200, body = PickupOut),
        (status = 409, description = "`NO_CAPACITY`, `RESCHEDULE_LIMIT`, `NOT_JUDGED_YET`, `ILLEGAL_TRANSITION`")))]
pub(super) async fn reschedule_pickup(
    State(app): State<App>,
    caller: Can<ReschedulePickups>,
    Path(id): Path<PickupId>,
    Json(input): Json<ReschedulePickupIn>,
) -> Result<Answer> {
    let by = match caller.scope()? {
        Scope::Company(_) => RescheduledBy::Merchant,
        Scope::All => RescheduledBy::Dispatcher,
    };
    let wanted = wanted(PickupKind::Scheduled, input.date, input.slot)?;
    let mut tx = app.begin(&caller).await?;
    let pickup = commands::reschedule_pickup(&mut tx, reach(&caller)?, id, &wanted, by).await?;
    tx.answer(shown(&pickup)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelPickupIn {
    reason: Text<500>,
}

/// Cancel a pickup to which no driver has started.
#[utoipa::path(post, path = "/api/v1/pickups/{id}/cancel", operation_id = "cancel_pickup", tag = "pickups",
    params(("id" = PickupId, Path)), request_body = CancelPickupIn, security(("bearer" = ["pickups:cancel"])),
    responses((status = 200, body = PickupOut),
        (status = 409, description = "`ILLEGAL_TRANSITION`: the driver has begun, or it has ended")))]
pub(super) async fn cancel_pickup(
    State(app): State<App>,
    caller: Can<CancelPickups>,
    Path(id): Path<PickupId>,
    Json(input): Json<CancelPickupIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let pickup = commands::cancel_pickup(&mut tx, reach(&caller)?, id, input.reason.as_str()).await?;
    tx.answer(shown(&pickup)?).await
}

/// Follow a pickup: its present state as `snapshot`, then every published fact as it happens.
///
/// Server-sent events, until the token ends, or for an hour; `Last-Event-ID` resumes after an interruption.
#[utoipa::path(get, path = "/api/v1/pickups/{id}/live", operation_id = "follow_pickup", tag = "pickups",
    params(("id" = PickupId, Path)), security(("bearer" = ["pickups:read"])),
    responses((status = 200, body = StreamedEvent, content_type = "text/event-stream"),
        (status = 429, description = "`TOO_MANY_STREAMS`: close one, or try again after `Retry-After`")))]
pub(super) async fn follow_pickup(
    State(app): State<App>,
    caller: Can<ReadPickups>,
    Path(id): Path<PickupId>,
    resume: ResumeAfter,
) -> Result<Sse<impl futures_util::Stream<Item = Result<Event, Infallible>>>> {
    let reach = reach(&caller)?;
    let reader = app.clone();
    // A driver sees it as long as it is the own stop.
    let state = move || {
        let reader = reader.clone();
        async move { Ok(PickupOut::from(&*find(&reader, reach, id).await?)) }
    };
    live::snapshot_and_facts(app, caller, id, resume, state).await
}
