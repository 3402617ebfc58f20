//! Goods that come back: which of the week's orders, by what way, and what becomes of them.

pub mod plan;
pub mod standing;
pub mod story;
pub mod summary;

pub use self::{
    plan::PlannedReturn,
    story::{Back, ReturnStep},
};
