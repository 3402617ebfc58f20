//! The vocabulary that every part of Quenty shares: typed ids, money, addresses, facts and
//! their envelope, pages, failures, the business clock.
//!
//! Pure: nothing here reads a file, a socket or a database, and nothing knows a business rule.

pub mod actor;
pub mod address;
pub mod clock;
pub mod contact;
pub mod country;
pub mod currency;
pub mod day;
pub mod event;
pub mod failure;
pub mod geo;
mod hex;
pub mod id;
pub mod invalid;
pub mod measure;
pub mod money;
pub mod network;
pub mod page;
mod words;

pub use actor::{Actor, Scope};
pub use clock::Clock;
pub use event::{Envelope, Event, Fact};
pub use failure::{Failure, FieldError, Kind};
pub use hex::hex;
pub use invalid::Invalid;
pub use jiff::Timestamp;
pub use page::{Cursor, Page, PageQuery};
