//! The published language: every event that one service tells another, and the few answers of internal
//! operations. One file per publishing service.
//!
//! Append-only: a published field is never removed, renamed or given another meaning; a breaking change is
//! a new version of the type beside the old one. Events carry primitives and kernel types, and words
//! (`status`, `kind`) as text, so that a consumer never breaks on a new one.

pub mod auth;
pub mod customer;
pub mod order;
pub mod party;
pub mod pickup;
pub mod returns;
pub mod shipping;

/// Declares published events: the type, its version, which top-level fields are personal data, its fields.
macro_rules! events {
    ($($(#[$meta:meta])* $kind:literal $name:ident $(personal[$($personal:literal),*])? { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type),* }

        impl quenty_kernel::Event for $name {
            const TYPE: &'static str = $kind;
            const PERSONAL: &'static [&'static str] = &[$($($personal),*)?];
        }
    )+};
}
pub(crate) use events;
