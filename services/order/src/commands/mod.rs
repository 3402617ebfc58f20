//! One file per verb: load and lock, ask the domain, save, record. A command never commits, and speaks
//! neither HTTP nor to the network.
//!
//! Commands that change stock come last in their transaction: they take the locks that many callers
//! share, in the order of the product ids. Who does two of them in one transaction calls
//! [`crate::store::stock::lock`] with all their products before, or two such callers may deadlock.

mod archive_product;
mod create_product;
mod create_warehouse;
mod issue_stock;
mod post;
mod receive_stock;
mod receive_transfer;
mod record_movement;
mod release_stock;
mod reserve_stock;
mod return_stock;
mod transfer_stock;
mod update_product;
mod update_warehouse;

pub(crate) use archive_product::archive_product;
pub(crate) use create_product::create_product;
pub(crate) use create_warehouse::create_warehouse;
pub(crate) use issue_stock::issue_stock;
pub(crate) use receive_stock::{Receipt, receive_stock};
pub(crate) use receive_transfer::receive_transfer;
pub(crate) use record_movement::record_movement;
pub(crate) use release_stock::release_stock;
pub(crate) use reserve_stock::{Reserved, reserve_stock};
pub(crate) use return_stock::return_stock;
pub(crate) use transfer_stock::transfer_stock;
pub(crate) use update_product::update_product;
pub(crate) use update_warehouse::update_warehouse;
