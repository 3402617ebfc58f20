//! The only SQL of the service. A function here reads or writes; it decides nothing.

pub(crate) mod companies;
pub(crate) mod customers;
pub(crate) mod invariants;
pub(crate) mod members;
pub(crate) mod privacy_requests;
pub(crate) mod profiles;
pub(crate) mod staff;
pub(crate) mod user_invitations;

use quenty_platform::row::{parse, parse_some, unreadable};
