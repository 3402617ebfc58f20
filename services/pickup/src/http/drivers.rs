//! Drivers, as dispatchers keep them.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{
    Failure, Page,
    contact::{PersonName, Phone, Text},
    id::{DriverId, UserId, VehicleId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query, nullable},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreateDrivers, ReadDrivers, UpdateDrivers, staff_only};
use crate::{
    Error, commands,
    domain::driver::{Driver, DriverProfile, DriverStatus},
    store,
};

const MAX_SKILLS: usize = 20;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateDriverIn {
    /// Whose token reaches the stops of this driver.
    user_id: UserId,
    name: PersonName,
    phone: Phone,
    #[serde(default)]
    #[schema(max_items = 20)]
    skills: Vec<Text<40>>,
    vehicle_id: Option<VehicleId>,
}

/// What changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "inactive"}))]
pub(super) struct UpdateDriverIn {
    name: Option<PersonName>,
    phone: Option<Phone>,
    status: Option<DriverStatus>,
    #[schema(max_items = 20)]
    skills: Option<Vec<Text<40>>>,
    /// `null` takes the vehicle away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<VehicleId>)]
    vehicle_id: Option<Option<VehicleId>>,
}

impl UpdateDriverIn {
    fn change(self, was: DriverProfile) -> DriverProfile {
        DriverProfile {
            name: self.name.unwrap_or(was.name),
            phone: self.phone.unwrap_or(was.phone),
            status: self.status.unwrap_or(was.status),
            skills: self.skills.unwrap_or(was.skills),
            vehicle_id: self.vehicle_id.unwrap_or(was.vehicle_id),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DriverOut {
    id: DriverId,
    user_id: UserId,
    name: PersonName,
    phone: Phone,
    status: DriverStatus,
    skills: Vec<Text<40>>,
    vehicle_id: Option<VehicleId>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Driver> for DriverOut {
    fn from(driver: Driver) -> Self {
        let DriverProfile { name, phone, status, skills, vehicle_id } = driver.profile;
        Self {
            id: driver.id,
            user_id: driver.user_id,
            name,
            phone,
            status,
            skills,
            vehicle_id,
            version: driver.version,
            created_at: driver.created_at,
            updated_at: driver.updated_at,
        }
    }
}

fn check_skills(skills: &[Text<40>]) -> Result<(), Failure> {
    if skills.len() <= MAX_SKILLS {
        return Ok(());
    }
    Err(Failure::invalid("INVALID_FIELD", "/skills", format!("must hold at most {MAX_SKILLS} skills")))
}

/// Make a user a driver.
#[utoipa::path(post, path = "/api/v1/drivers", operation_id = "create_driver", tag = "drivers",
    request_body = CreateDriverIn, security(("bearer" = ["drivers:create"])),
    responses((status = 201, body = DriverOut), (status = 409, description = "`USER_DRIVES_ALREADY`")))]
pub(super) async fn create_driver(
    State(app): State<App>,
    caller: Can<CreateDrivers>,
    Json(input): Json<CreateDriverIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    check_skills(&input.skills)?;
    let CreateDriverIn { user_id, name, phone, skills, vehicle_id } = input;
    let profile = DriverProfile { name, phone, status: DriverStatus::Active, skills, vehicle_id };
    let mut tx = app.begin(&caller).await?;
    let driver = commands::create_driver(&mut tx, user_id, profile).await?;
    let (location, version) = (format!("/api/v1/drivers/{}", driver.id), driver.version);
    tx.answer(Answer::created(location, &DriverOut::from(driver))?.version(version)).await
}

list_query!(DriversQuery {
    #[param(inline)]
    status: Option<DriverStatus>,
});

/// List the drivers, the newest first.
#[utoipa::path(get, path = "/api/v1/drivers", operation_id = "list_drivers", tag = "drivers",
    params(DriversQuery), security(("bearer" = ["drivers:read"])),
    responses((status = 200, body = Page<DriverOut>)))]
pub(super) async fn list_drivers(
    State(app): State<App>,
    caller: Can<ReadDrivers>,
    Query(query): Query<DriversQuery>,
) -> Result<Json<Page<DriverOut>>> {
    staff_only(&caller)?;
    let page = query.page();
    let rows = store::drivers::list(app.db(), query.status, &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |driver| driver.id.uuid()).map(DriverOut::from)))
}

/// Read a driver.
#[utoipa::path(get, path = "/api/v1/drivers/{id}", operation_id = "get_driver", tag = "drivers",
    params(("id" = DriverId, Path)), security(("bearer" = ["drivers:read"])), responses((status = 200, body = DriverOut)))]
pub(super) async fn get_driver(
    State(app): State<App>,
    caller: Can<ReadDrivers>,
    Path(id): Path<DriverId>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let driver = store::drivers::find(app.db(), id).await?.ok_or(Error::NotFound("driver"))?;
    let version = driver.version;
    Ok(Answer::ok(&DriverOut::from(driver))?.version(version))
}

/// Change what is kept of a driver.
#[utoipa::path(patch, path = "/api/v1/drivers/{id}", operation_id = "update_driver", tag = "drivers",
    params(("id" = DriverId, Path), ("If-Match" = Option<String>, Header)), request_body = UpdateDriverIn,
    security(("bearer" = ["drivers:update"])),
    responses((status = 200, body = DriverOut), (status = 412, description = "`VERSION_MISMATCH`: someone changed it meanwhile")))]
pub(super) async fn update_driver(
    State(app): State<App>,
    caller: Can<UpdateDrivers>,
    Path(id): Path<DriverId>,
    seen: IfMatch,
    Json(input): Json<UpdateDriverIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    check_skills(input.skills.as_deref().unwrap_or_default())?;
    let mut tx = app.begin(&caller).await?;
    let driver = commands::update_driver(&mut tx, id, seen, |was| input.change(was)).await?;
    let version = driver.version;
    tx.answer(Answer::ok(&DriverOut::from(driver))?.version(version)).await
}
