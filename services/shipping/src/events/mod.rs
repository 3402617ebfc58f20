//! What Shipping hears, and where it reacts: the subscription table.

mod on_erasure_requested;
mod on_order_cancelled;
mod on_order_updated;
mod on_pickup_completed;
mod on_return_label_requested;
mod on_shipment_requested;
mod on_standing_changed;
mod on_way_back_cancel_requested;

use quenty_contracts::customer::{
    CompanyApproved, CompanyClosed, CompanyReactivated, CompanyRegistered, CompanyRejected, CompanySubmitted,
    CompanySuspended, CompanyUpdated, KycRejected, KycSubmitted, KycVerified,
};
use quenty_platform::Reaction;

use on_standing_changed::on_standing_changed;

pub fn reactions() -> Vec<Reaction> {
    vec![
        Reaction::on(on_shipment_requested::on_shipment_requested),
        Reaction::on(on_order_updated::on_order_updated),
        Reaction::on(on_order_cancelled::on_order_cancelled),
        Reaction::on(on_pickup_completed::on_pickup_completed),
        Reaction::on(on_return_label_requested::on_return_label_requested),
        Reaction::on(on_way_back_cancel_requested::on_way_back_cancel_requested),
        Reaction::on(on_erasure_requested::on_erasure_requested),
        Reaction::on(on_standing_changed::<CompanyRegistered>),
        Reaction::on(on_standing_changed::<CompanyUpdated>),
        Reaction::on(on_standing_changed::<CompanySubmitted>),
        Reaction::on(on_standing_changed::<CompanyApproved>),
        Reaction::on(on_standing_changed::<CompanyRejected>),
        Reaction::on(on_standing_changed::<CompanySuspended>),
        Reaction::on(on_standing_changed::<CompanyReactivated>),
        Reaction::on(on_standing_changed::<CompanyClosed>),
        Reaction::on(on_standing_changed::<KycSubmitted>),
        Reaction::on(on_standing_changed::<KycVerified>),
        Reaction::on(on_standing_changed::<KycRejected>),
    ]
}
