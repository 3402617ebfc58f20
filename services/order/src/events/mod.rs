//! What Order does when it hears of the other services: the table of all it listens to.

mod on_customer;
mod on_pickup;
mod on_privacy;
mod on_return;
mod on_shipment;
mod on_standing;

use quenty_platform::Reaction;

pub(crate) fn reactions() -> Vec<Reaction> {
    let mut reactions = on_standing::reactions();
    reactions.extend([
        Reaction::on(on_customer::on_created),
        Reaction::on(on_customer::on_updated),
        Reaction::on(on_privacy::on_requested),
        Reaction::on(on_privacy::on_erasure_requested),
        Reaction::on(on_shipment::on_booked),
        Reaction::on(on_shipment::on_rejected),
        Reaction::on(on_shipment::on_voided),
        Reaction::on(on_shipment::on_picked_up),
        Reaction::on(on_shipment::on_departed),
        Reaction::on(on_shipment::on_held_by_customs),
        Reaction::on(on_shipment::on_released_by_customs),
        Reaction::on(on_shipment::on_exception_raised),
        Reaction::on(on_shipment::on_exception_resolved),
        Reaction::on(on_shipment::on_out_for_delivery),
        Reaction::on(on_shipment::on_delivered),
        Reaction::on(on_shipment::on_undeliverable),
        Reaction::on(on_shipment::on_returned),
        Reaction::on(on_shipment::on_lost),
        Reaction::on(on_shipment::on_cash_collected),
        Reaction::on(on_pickup::on_scheduled),
        Reaction::on(on_pickup::on_rejected),
        Reaction::on(on_pickup::on_assigned),
        Reaction::on(on_pickup::on_unassigned),
        Reaction::on(on_pickup::on_started),
        Reaction::on(on_pickup::on_arrived),
        Reaction::on(on_pickup::on_completed),
        Reaction::on(on_pickup::on_failed),
        Reaction::on(on_pickup::on_rescheduled),
        Reaction::on(on_pickup::on_abandoned),
        Reaction::on(on_pickup::on_cancelled),
        Reaction::on(on_pickup::on_cancel_refused),
        Reaction::on(on_return::on_requested),
        Reaction::on(on_return::on_approved),
        Reaction::on(on_return::on_rejected),
        Reaction::on(on_return::on_disputed),
        Reaction::on(on_return::on_cancelled),
        Reaction::on(on_return::on_expired),
        Reaction::on(on_return::on_picked_up),
        Reaction::on(on_return::on_received),
        Reaction::on(on_return::on_refunded),
        Reaction::on(on_return::on_exchanged),
        Reaction::on(on_return::on_completed),
        Reaction::on(on_return::on_restocked),
    ]);
    reactions
}
