//! The only SQL of this service.

pub mod api_keys;
pub mod custom_roles;
pub mod devices;
pub mod links;
pub mod lockouts;
pub mod memberships;
pub mod mfa;
pub mod passkeys;
pub mod password_resets;
pub mod passwords;
pub mod rate_limits;
pub mod registrations;
pub mod revocations;
pub mod sessions;
pub mod signing_keys;
pub mod users;
