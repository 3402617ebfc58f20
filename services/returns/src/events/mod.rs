//! What Returns listens to. One reaction per type.

mod on_customer;
mod on_order;
mod on_pickup;
mod on_privacy;
mod on_product;
mod on_shipment;
mod on_warehouse;

use quenty_platform::Reaction;

pub(crate) fn reactions() -> Vec<Reaction> {
    vec![
        Reaction::on(on_order::on_delivered),
        Reaction::on(on_order::on_paid),
        Reaction::on(on_product::on_created),
        Reaction::on(on_product::on_updated),
        Reaction::on(on_warehouse::on_updated),
        Reaction::on(on_privacy::on_requested),
        Reaction::on(on_privacy::on_erasure_requested),
        Reaction::on(on_customer::on_created),
        Reaction::on(on_customer::on_updated),
        Reaction::on(on_pickup::on_scheduled),
        Reaction::on(on_pickup::on_rejected),
        Reaction::on(on_pickup::on_rescheduled),
        Reaction::on(on_pickup::on_failed),
        Reaction::on(on_pickup::on_completed),
        Reaction::on(on_pickup::on_unassigned),
        Reaction::on(on_pickup::on_abandoned),
        Reaction::on(on_pickup::on_cancelled),
        Reaction::on(on_pickup::on_cancel_refused),
        Reaction::on(on_shipment::on_booked),
        Reaction::on(on_shipment::on_rejected),
        Reaction::on(on_shipment::on_voided),
        Reaction::on(on_shipment::on_picked_up),
        Reaction::on(on_shipment::on_departed),
        Reaction::on(on_shipment::on_delivered),
        Reaction::on(on_shipment::on_returned),
        Reaction::on(on_shipment::on_lost),
    ]
}
