//! What Auth hears of Customer: invitations, members, companies that stop or go on.

mod on_company_closed;
mod on_company_reactivated;
mod on_company_suspended;
mod on_member_added;
mod on_member_removed;
mod on_member_role_changed;
mod on_user_deactivated;
mod on_user_invited;

use quenty_platform::Reaction;

pub fn reactions() -> Vec<Reaction> {
    vec![
        Reaction::on(on_user_invited::on_user_invited),
        Reaction::on(on_user_deactivated::on_user_deactivated),
        Reaction::on(on_member_added::on_member_added),
        Reaction::on(on_member_role_changed::on_member_role_changed),
        Reaction::on(on_member_removed::on_member_removed),
        Reaction::on(on_company_suspended::on_company_suspended),
        Reaction::on(on_company_reactivated::on_company_reactivated),
        Reaction::on(on_company_closed::on_company_closed),
    ]
}
