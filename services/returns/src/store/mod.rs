//! The only SQL of the service. A function here reads or writes; it decides nothing.

pub(crate) mod invariants;
