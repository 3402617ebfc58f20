//! Vehicles, as dispatchers keep them.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{Failure, Page, id::VehicleId};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path, Query},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreateVehicles, ReadVehicles, staff_only};
use crate::{
    Error, commands,
    domain::vehicle::{Vehicle, VehicleCreated, VehicleKind},
    store,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "van", "capacity_grams": 800_000, "capacity_cm3": 4_000_000}))]
pub(super) struct CreateVehicleIn {
    kind: VehicleKind,
    #[schema(minimum = 1)]
    capacity_grams: u32,
    #[schema(minimum = 1)]
    capacity_cm3: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VehicleOut {
    id: VehicleId,
    kind: VehicleKind,
    capacity_grams: u32,
    capacity_cm3: u32,
    created_at: Timestamp,
}

impl From<Vehicle> for VehicleOut {
    fn from(vehicle: Vehicle) -> Self {
        let Vehicle { id, kind, capacity_grams, capacity_cm3, created_at } = vehicle;
        Self { id, kind, capacity_grams, capacity_cm3, created_at }
    }
}

/// Add a vehicle.
#[utoipa::path(post, path = "/api/v1/vehicles", operation_id = "create_vehicle", tag = "vehicles",
    request_body = CreateVehicleIn, security(("bearer" = ["vehicles:create"])),
    responses((status = 201, body = VehicleOut)))]
pub(super) async fn create_vehicle(
    State(app): State<App>,
    caller: Can<CreateVehicles>,
    Json(input): Json<CreateVehicleIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let CreateVehicleIn { kind, capacity_grams, capacity_cm3 } = input;
    if capacity_grams == 0 || capacity_cm3 == 0 {
        return Err(Failure::invalid(
            "INVALID_FIELD",
            "/capacity_grams",
            "a vehicle carries more than nothing",
        )
        .into());
    }
    let mut tx = app.begin(&caller).await?;
    let vehicle =
        commands::create_vehicle(&mut tx, VehicleCreated { kind, capacity_grams, capacity_cm3 }).await?;
    tx.answer(Answer::created(format!("/api/v1/vehicles/{}", vehicle.id), &VehicleOut::from(vehicle))?).await
}

list_query!(VehiclesQuery {});

/// List the vehicles, the newest first.
#[utoipa::path(get, path = "/api/v1/vehicles", operation_id = "list_vehicles", tag = "vehicles",
    params(VehiclesQuery), security(("bearer" = ["vehicles:read"])),
    responses((status = 200, body = Page<VehicleOut>)))]
pub(super) async fn list_vehicles(
    State(app): State<App>,
    caller: Can<ReadVehicles>,
    Query(query): Query<VehiclesQuery>,
) -> Result<Json<Page<VehicleOut>>> {
    staff_only(&caller)?;
    let page = query.page();
    let rows = store::vehicles::list(app.db(), &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |vehicle| vehicle.id.uuid()).map(VehicleOut::from)))
}

/// Read a vehicle.
#[utoipa::path(get, path = "/api/v1/vehicles/{id}", operation_id = "get_vehicle", tag = "vehicles",
    params(("id" = VehicleId, Path)), security(("bearer" = ["vehicles:read"])), responses((status = 200, body = VehicleOut)))]
pub(super) async fn get_vehicle(
    State(app): State<App>,
    caller: Can<ReadVehicles>,
    Path(id): Path<VehicleId>,
) -> Result<Json<VehicleOut>> {
    staff_only(&caller)?;
    let vehicle = store::vehicles::find(app.db(), id).await?;
    Ok(Json(vehicle.ok_or(Error::NotFound("vehicle"))?.into()))
}
