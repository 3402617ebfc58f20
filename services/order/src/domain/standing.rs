//! What a company may do, as Customer last told us.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use quenty_contracts::customer::Standing;

/// After this long, Customer is asked again.
const FRESH_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Why a company may not place an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StandingError {
    #[error("the company is {0}, not active")]
    NotActive(String),
    #[error("the company may not ship abroad yet")]
    KycRequired,
}

/// A standing and how far it can be trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownStanding {
    pub standing: Standing,
    /// When Customer last said so.
    pub heard_at: Timestamp,
    /// Customer should have been asked again, but could not be reached.
    pub stale: bool,
}

impl KnownStanding {
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.duration_since(self.heard_at) < FRESH_FOR
    }

    /// What day it is for the company: by its own days its goods expire.
    #[must_use]
    pub fn today(&self, now: Timestamp) -> Date {
        now.to_zoned(TimeZone::get(&self.standing.time_zone).unwrap_or(TimeZone::UTC)).date()
    }

    /// Whether the company may place an order, if need be one that leaves the country.
    pub fn check(&self, international: bool) -> Result<(), StandingError> {
        if !self.standing.may_order {
            return Err(StandingError::NotActive(self.standing.status.clone()));
        }
        if international && !self.standing.may_ship_internationally {
            return Err(StandingError::KycRequired);
        }
        Ok(())
    }
}
