//! The order service on a real database, over real HTTP: one module per resource.

mod inventory;
mod merchant;
mod products;
mod strangers;
mod transfers;
mod warehouses;
