//! Auth as its clients meet it: a real service on a real database, over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod api_keys;
mod attacks;
mod bad_input;
mod companies;
mod invitations;
mod lockouts;
mod login;
mod logs;
mod mfa;
mod oauth;
mod passkeys;
mod password_reset;
mod passwords;
mod permissions;
mod refresh;
mod register;
mod revocations;
mod roles;
mod service_token;
mod sessions;
mod signing_keys;
mod support;
mod users;
