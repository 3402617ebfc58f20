//! One file per verb: load and lock, ask the domain, save, record. A command never commits, and speaks
//! neither HTTP nor to the network.
//!
//! Commands that change stock come last in their transaction: they take the locks that many callers
//! share, in the order of the product ids. Who does two of them in one transaction calls
//! [`crate::store::stock::lock`] with all their products before, or two such callers may deadlock.

mod allocate_order;
mod archive_product;
mod cancel_order;
mod create_product;
mod create_warehouse;
mod draft_lines;
mod ensure_warehouses;
mod erase_customer;
mod expire_order;
mod follow_order;
mod go_on;
mod hold_order;
mod import_order;
mod issue_stock;
mod keep_customer;
mod keep_standing;
mod pay_order;
mod place_exchange;
mod place_order;
mod post;
mod receive_transfer;
mod record_movement;
mod refund_order;
mod release_order;
mod release_stock;
mod reserve_stock;
mod restock_item;
#[cfg(test)]
mod restock_tests;
mod retry_order;
mod return_stock;
mod save_order;
mod set_order_status;
#[cfg(test)]
mod stock_tests;
mod tell_expired;
mod today_of;
mod transfer_stock;
mod update_order;
mod update_product;
mod update_warehouse;

pub(crate) use allocate_order::{Allocated, allocate_order};
pub(crate) use archive_product::archive_product;
pub(crate) use cancel_order::cancel_order;
pub(crate) use create_product::create_product;
pub(crate) use create_warehouse::create_warehouse;
pub(crate) use draft_lines::{NewLine, ProductRef};
pub(crate) use erase_customer::{erase_customer, look_for_customer};
pub(crate) use expire_order::expire_order;
pub(crate) use follow_order::{OrderNews, follow_order};
pub(crate) use hold_order::hold_order;
pub(crate) use import_order::{Estimate, Importing, check_import, import_order, try_import_order};
pub(crate) use issue_stock::issue_stock;
pub(crate) use keep_customer::keep_customer;
pub(crate) use keep_standing::{ALLOWED_TASK, Allowed, CLOSED_TASK, Closed, keep_standing};
pub(crate) use pay_order::pay_order;
pub(crate) use place_exchange::place_exchange;
pub(crate) use place_order::{NewOrder, WhenShort, place_order, quote_order};
pub(crate) use post::{ALLOCATE_TASK, StockArrived};
pub(crate) use receive_transfer::receive_transfer;
pub(crate) use record_movement::record_movement;
pub(crate) use refund_order::refund_order;
pub(crate) use release_order::release_order;
pub(crate) use release_stock::release_stock;
#[cfg(test)]
pub(crate) use reserve_stock::reserve_stock;
pub(crate) use restock_item::{Resale, Restock, restock_item};
pub(crate) use retry_order::retry_order;
pub(crate) use return_stock::return_stock;
pub(crate) use save_order::{DEADLINE_TASK, Deadline};
pub(crate) use set_order_status::set_order_status;
pub(crate) use tell_expired::tell_expired;
pub(crate) use today_of::today_of;
pub(crate) use transfer_stock::transfer_stock;
pub(crate) use update_order::{OrderUpdate, update_order};
pub(crate) use update_product::update_product;
pub(crate) use update_warehouse::update_warehouse;
