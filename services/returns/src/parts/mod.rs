//! What the service is made with, beside its database.

mod payouts;

pub(crate) use payouts::{Answer, Payment, Payouts, SETTINGS};
