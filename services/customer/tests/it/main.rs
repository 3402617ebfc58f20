//! The customer service on a real database, over real HTTP: one module per resource.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod api_keys;
mod bad_input;
mod companies;
mod customers;
mod document_types;
mod internal;
mod invariants;
mod invitations;
mod kyc;
mod members;
mod onboarding;
mod privacy;
mod strangers;
mod support;
mod users;
