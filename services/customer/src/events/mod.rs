//! What Customer does when it hears of Auth, and of who holds what about a person.

mod on_privacy;
mod on_user_activated;
mod on_user_reactivated;
mod on_user_registered;
mod on_user_roles_changed;
mod on_user_suspended;

use quenty_platform::Reaction;

pub(crate) fn reactions() -> Vec<Reaction> {
    vec![
        Reaction::on(on_user_registered::on_user_registered),
        Reaction::on(on_user_activated::on_user_activated),
        Reaction::on(on_user_suspended::on_user_suspended),
        Reaction::on(on_user_reactivated::on_user_reactivated),
        Reaction::on(on_user_roles_changed::on_user_roles_changed),
        Reaction::on(on_privacy::on_orders_found),
        Reaction::on(on_privacy::on_returns_found),
        Reaction::on(on_privacy::on_orders_erased),
        Reaction::on(on_privacy::on_pickups_erased),
        Reaction::on(on_privacy::on_returns_erased),
        Reaction::on(on_privacy::on_shipments_erased),
    ]
}
