//! The route table, and the permissions.

mod analytics;
mod decisions;
mod dispositions;
mod history;
mod photos;
mod policies;
mod public_tracking;
mod recalls;
mod return_out;
mod returns;
mod settlement;
mod warehouse;
mod way_back;

use quenty_platform::{App, routes};
use utoipa_axum::router::OpenApiRouter;

quenty_platform::permissions! {
    ReadReturns = "returns:read", personal;
    CreateReturns = "returns:create";
    CheckReturns = "returns:check";
    ApproveReturns = "returns:approve";
    RejectReturns = "returns:reject";
    DisputeReturns = "returns:dispute";
    CancelReturns = "returns:cancel";
    SchedulePickups = "returns:schedule_pickup";
    IssueLabels = "returns:issue_label";
    AddPhotos = "returns:add_photo";
    ReportLosses = "returns:report_lost", personal;
    ReceiveReturns = "returns:receive";
    InspectReturns = "returns:inspect";
    ProcessReturns = "returns:process";
    RefundReturns = "returns:refund";
    ExchangeReturns = "returns:exchange";
    RecallProducts = "returns:recall";
    ReadPolicies = "return_policies:read";
    UpdatePolicies = "return_policies:update";
    ReadDispositions = "dispositions:read";
    UpdateDispositions = "dispositions:update";
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(returns::create_return, returns::list_returns))
        .routes(routes!(returns::check_return))
        .routes(routes!(analytics::get_return_analytics))
        .routes(routes!(analytics::get_environmental_impact))
        .routes(routes!(public_tracking::track_return))
        .routes(routes!(returns::get_return))
        .routes(routes!(decisions::approve_return))
        .routes(routes!(decisions::reject_return))
        .routes(routes!(decisions::dispute_return))
        .routes(routes!(decisions::cancel_return))
        .routes(routes!(way_back::schedule_return_pickup))
        .routes(routes!(way_back::issue_return_label))
        .routes(routes!(way_back::report_return_lost))
        .routes(routes!(photos::add_return_photo, photos::list_return_photos))
        .routes(routes!(photos::get_return_photo))
        .routes(routes!(warehouse::receive_return))
        .routes(routes!(warehouse::inspect_return))
        .routes(routes!(warehouse::list_disposition_options))
        .routes(routes!(warehouse::process_return))
        .routes(routes!(settlement::refund_return))
        .routes(routes!(settlement::exchange_return))
        .routes(routes!(recalls::recall_product, recalls::list_recalls))
        .routes(routes!(recalls::get_recall))
        .routes(routes!(history::list_return_events))
        .routes(routes!(history::get_return_tracking))
        .routes(routes!(policies::get_return_policy, policies::update_return_policy))
        .routes(routes!(dispositions::list_dispositions))
        .routes(routes!(dispositions::get_disposition, dispositions::update_disposition))
}
