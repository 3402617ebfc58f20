//! The route table, the permissions, and whose pickups a caller reaches.

mod availability;
mod drivers;
mod pickup_out;
mod pickups;
mod place_query;
mod quotes;
mod service_areas;
mod standing;
mod stops;
mod vehicles;

use quenty_kernel::Scope;
use quenty_platform::{
    App,
    http::{Caller, Permission},
    routes,
    token::Realm,
};
use utoipa_axum::router::OpenApiRouter;

use crate::{Error, store::pickups::Reach};

quenty_platform::permissions! {
    ReadPickups = "pickups:read", personal;
    CreatePickups = "pickups:create";
    UpdatePickups = "pickups:update";
    QuotePickups = "pickups:quote";
    HoldPickups = "pickups:hold";
    AssignPickups = "pickups:assign";
    UnassignPickups = "pickups:unassign";
    StartPickups = "pickups:start";
    ArriveAtPickups = "pickups:arrive", personal;
    CompletePickups = "pickups:complete";
    FailPickups = "pickups:fail";
    ReschedulePickups = "pickups:reschedule";
    CancelPickups = "pickups:cancel";
    ReadServiceAreas = "service_areas:read";
    CreateServiceAreas = "service_areas:create";
    UpdateServiceAreas = "service_areas:update";
    ReadDrivers = "drivers:read", personal;
    CreateDrivers = "drivers:create";
    UpdateDrivers = "drivers:update";
    ReadVehicles = "vehicles:read";
    CreateVehicles = "vehicles:create";
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pickups::create_pickup, pickups::list_pickups))
        .routes(routes!(availability::list_availability))
        .routes(routes!(quotes::quote_pickup))
        .routes(routes!(quotes::hold_slot))
        .routes(routes!(quotes::get_hold))
        .routes(routes!(pickups::get_pickup, pickups::update_pickup))
        .routes(routes!(pickups::reschedule_pickup))
        .routes(routes!(pickups::cancel_pickup))
        .routes(routes!(pickups::follow_pickup))
        .routes(routes!(stops::assign_pickup))
        .routes(routes!(stops::unassign_pickup))
        .routes(routes!(stops::start_pickup))
        .routes(routes!(stops::arrive_at_pickup))
        .routes(routes!(stops::complete_pickup))
        .routes(routes!(stops::fail_pickup))
        .routes(routes!(service_areas::create_service_area, service_areas::list_service_areas))
        .routes(routes!(service_areas::locate_service_area))
        .routes(routes!(service_areas::get_service_area, service_areas::update_service_area))
        .routes(routes!(drivers::create_driver, drivers::list_drivers))
        .routes(routes!(drivers::get_driver, drivers::update_driver))
        .routes(routes!(vehicles::create_vehicle, vehicles::list_vehicles))
        .routes(routes!(vehicles::get_vehicle))
}

/// Whose pickups the caller reaches. Who may drive but not dispatch is a driver, and reaches the own stops.
fn reach(caller: &Caller) -> Result<Reach, Error> {
    let drives = caller.realm() == Some(Realm::Staff)
        && caller.may(StartPickups::NAME)
        && !caller.may(AssignPickups::NAME);
    let driver = if drives { Some(caller.user()?) } else { None };
    Ok(Reach { scope: caller.scope()?, driver })
}

/// Areas, drivers, vehicles and the driver's steps are the platform's own: no merchant's permission opens them.
fn staff_only(caller: &Caller) -> Result<(), Error> {
    match caller.scope()? {
        Scope::All => Ok(()),
        Scope::Company(_) => Err(Error::StaffOnly),
    }
}
