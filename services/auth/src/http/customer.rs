//! Asking Customer about a person whose company we have not heard of yet: one registered a moment ago.

use quenty_contracts::customer::Membership;
use quenty_kernel::id::UserId;
use quenty_platform::{App, client::CallError};

use crate::domain::role::{self, Sphere};

/// The person's memberships as Customer knows them now. Never inside a transaction.
pub(super) async fn memberships(app: &App, user: UserId) -> Result<Vec<Membership>, CallError> {
    let mut told: Vec<Membership> =
        app.client().get("customer", &format!("/internal/users/{user}/memberships")).await?;
    told.retain(|membership| {
        membership.user_id == user && role::find(Sphere::Company, &membership.role).is_some()
    });
    Ok(told)
}
