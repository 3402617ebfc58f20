//! The rules of identities, sessions and keys: pure and synchronous, time and randomness are arguments.

pub mod access;
pub mod api_key;
pub mod custom_role;
pub mod facts;
pub mod link;
pub mod lockout;
pub mod mail;
pub mod mfa;
pub mod origin;
pub mod passkey;
pub mod password;
pub mod password_reset;
pub mod person;
pub mod rate_limit;
pub mod registration;
pub mod role;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod user;
