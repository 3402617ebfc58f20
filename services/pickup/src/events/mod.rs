//! What Pickup listens to. One reaction per type.

mod on_erasure_requested;
mod on_order_cancel_requested;
mod on_pickup_requested;
mod on_return_pickup_requested;
mod on_standing_changed;
mod on_way_back_cancel_requested;

use quenty_platform::Reaction;

pub(crate) fn reactions() -> Vec<Reaction> {
    let mut reactions = vec![
        Reaction::on(on_erasure_requested::on_erasure_requested),
        Reaction::on(on_pickup_requested::on_pickup_requested),
        Reaction::on(on_order_cancel_requested::on_order_cancel_requested),
        Reaction::on(on_return_pickup_requested::on_return_pickup_requested),
        Reaction::on(on_way_back_cancel_requested::on_way_back_cancel_requested),
    ];
    reactions.extend(on_standing_changed::reactions());
    reactions
}
