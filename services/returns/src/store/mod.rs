//! The only SQL of the service. A function here reads or writes; it decides nothing.

pub(crate) mod analytics;
pub(crate) mod delivered;
pub(crate) mod dispositions;
pub(crate) mod environment;
pub(crate) mod erasures;
pub(crate) mod factors;
pub(crate) mod invariants;
pub(crate) mod neighbours;
pub(crate) mod photos;
pub(crate) mod policies;
pub(crate) mod recalls;
pub(crate) mod returns;
