//! What Shipping hears, and where it reacts: the subscription table.

mod on_erasure_requested;
mod on_order_cancelled;
mod on_order_updated;
mod on_pickup_completed;
mod on_return_label_requested;
mod on_shipment_requested;
mod on_standing_changed;
mod on_way_back_cancel_requested;

use quenty_platform::Reaction;

pub fn reactions() -> Vec<Reaction> {
    let mut reactions = vec![
        Reaction::on(on_shipment_requested::on_shipment_requested),
        Reaction::on(on_order_updated::on_order_updated),
        Reaction::on(on_order_cancelled::on_order_cancelled),
        Reaction::on(on_pickup_completed::on_pickup_completed),
        Reaction::on(on_return_label_requested::on_return_label_requested),
        Reaction::on(on_way_back_cancel_requested::on_way_back_cancel_requested),
        Reaction::on(on_erasure_requested::on_erasure_requested),
    ];
    reactions.extend(on_standing_changed::reactions());
    reactions
}
