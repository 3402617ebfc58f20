//! What Pickup promises and how it keeps it: pure and synchronous.

pub(crate) mod booking;
pub(crate) mod driver;
pub(crate) mod fees;
pub(crate) mod hours;
pub(crate) mod pickup;
pub(crate) mod service_area;
pub(crate) mod signature;
pub(crate) mod timetable;
pub(crate) mod vehicle;
