//! How the demo's week passes: on a simulated clock, which is advanced, or in real time, which is not.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::clock::wall_now;
use serde_json::json;

use super::api::Session;

const CLOCK: &str = "/api/v1/simulation/clock";
/// The present moves on while the request is on its way; the clock stops at it by itself.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// The business time of the platform under the demo.
pub enum Time {
    /// An operator's session may advance it.
    Simulated(Box<Session>),
    Real,
}

impl Time {
    /// Finds out which of the two the platform has.
    pub async fn of(operator: &Session) -> Result<Self> {
        match operator.get(CLOCK).await {
            Ok(clock) if clock["stands_still"] == true => Ok(Self::Simulated(Box::new(operator.clone()))),
            _ => Ok(Self::Real),
        }
    }

    pub fn is_simulated(&self) -> bool {
        matches!(self, Self::Simulated(_))
    }

    pub async fn now(&self) -> Result<Timestamp> {
        match self {
            Self::Simulated(operator) => operator.get(CLOCK).await?["now"]
                .as_str()
                .context("the clock tells a time")?
                .parse()
                .map_err(Into::into),
            Self::Real => Ok(wall_now()),
        }
    }

    /// Catches up with the wall clock, which business time is from then on.
    pub async fn pass_to_the_present(&self) -> Result<()> {
        self.pass_until(wall_now() + AHEAD).await
    }

    /// Moves on to `to` and waits until the platform has come to rest there; in real time nothing is waited for.
    pub async fn pass_until(&self, to: Timestamp) -> Result<()> {
        if let Self::Simulated(operator) = self {
            operator.post(CLOCK, &json!({"to": to})).await?;
        }
        Ok(())
    }
}
