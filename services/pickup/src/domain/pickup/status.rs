//! The states of a pickup and the moves between them (design/services/pickup.md, "Model").

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No area, or no room: nobody will come.
    Rejected,
    Scheduled,
    Assigned,
    /// The driver is on the way to this stop: too late to cancel.
    InProgress,
    Completed,
    /// An attempt failed and no slot had room for the next one.
    Failed,
    /// The third attempt failed.
    Abandoned,
    Cancelled,
}

use Status::{Abandoned, Assigned, Cancelled, Completed, Failed, InProgress, Rejected, Scheduled};

/// Every legal move. `Scheduled → Scheduled` is another window, `Assigned → Assigned` another driver.
const MOVES: [(Status, Status); 12] = [
    (Scheduled, Scheduled),
    (Scheduled, Assigned),
    (Scheduled, Cancelled),
    (Assigned, Assigned),
    (Assigned, Scheduled),
    (Assigned, InProgress),
    (Assigned, Cancelled),
    (InProgress, Completed),
    (InProgress, Failed),
    (Failed, Scheduled),
    (Failed, Abandoned),
    (Failed, Cancelled),
];

impl Status {
    pub(crate) const ALL: [Self; 8] =
        [Rejected, Scheduled, Assigned, InProgress, Completed, Failed, Abandoned, Cancelled];

    pub(crate) fn may_become(self, next: Self) -> bool {
        MOVES.contains(&(self, next))
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Rejected => "rejected",
            Scheduled => "scheduled",
            Assigned => "assigned",
            InProgress => "in_progress",
            Completed => "completed",
            Failed => "failed",
            Abandoned => "abandoned",
            Cancelled => "cancelled",
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moves_are_exactly_those_of_the_design() {
        // Columns in the order of `ALL`: R S A I C F X(abandoned) L(cancelled).
        let expected = [
            (Rejected, "........"),
            (Scheduled, ".SA....L"),
            (Assigned, ".SAI...L"),
            (InProgress, "....CF.."),
            (Completed, "........"),
            (Failed, ".S....XL"),
            (Abandoned, "........"),
            (Cancelled, "........"),
        ];
        for (from, row) in expected {
            for (to, mark) in Status::ALL.into_iter().zip(row.chars()) {
                assert_eq!(from.may_become(to), mark != '.', "{from:?} → {to:?}");
            }
        }
    }

    #[test]
    fn every_state_reads_back() {
        for status in Status::ALL {
            assert_eq!(Status::read(status.as_str()), Some(status));
        }
    }
}
