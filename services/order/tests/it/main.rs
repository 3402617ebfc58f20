//! The order service on a real database, over real HTTP: one module per resource.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod backorders;
mod bad_input;
mod cancel;
mod customers;
mod exchanges;
mod expiry;
mod idempotency;
mod import_file;
mod imports;
mod imports_resumed;
mod inventory;
mod merchant;
mod orders;
mod privacy;
mod products;
mod refunds;
mod restock;
mod returned;
mod saga;
mod shop;
mod standing;
mod strangers;
mod stream;
mod timeline;
mod transfers;
mod update;
mod voided;
mod warehouses;
