//! The states of a pickup and the moves between them (design/services/pickup.md, "Model").

quenty_kernel::words! {
    pub enum Status ("pickup status") {
        /// No area, or no room: nobody will come.
        Rejected = "rejected",
        Scheduled = "scheduled",
        Assigned = "assigned",
        /// The driver is on the way to this stop: too late to cancel.
        InProgress = "in_progress",
        Completed = "completed",
        /// An attempt failed, and the next one is for a person to decide: no slot had room, or the address is wrong.
        Failed = "failed",
        /// The third attempt failed.
        Abandoned = "abandoned",
        Cancelled = "cancelled",
    }
}

use Status::{Abandoned, Assigned, Cancelled, Completed, Failed, InProgress, Scheduled};

/// Every legal move. `Scheduled → Scheduled` is another window, `Assigned → Assigned` another driver. A driver who had no
/// network tells the hand-over before the start, or after the cancellation.
const MOVES: [(Status, Status); 15] = [
    (Scheduled, Scheduled),
    (Scheduled, Assigned),
    (Scheduled, Cancelled),
    (Assigned, Assigned),
    (Assigned, Scheduled),
    (Assigned, InProgress),
    (Assigned, Completed),
    (Assigned, Cancelled),
    (InProgress, Scheduled),
    (InProgress, Completed),
    (InProgress, Failed),
    (Failed, Scheduled),
    (Failed, Abandoned),
    (Failed, Cancelled),
    (Cancelled, Completed),
];

impl Status {
    pub(crate) fn may_become(self, next: Self) -> bool {
        MOVES.contains(&(self, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moves_are_exactly_those_of_the_design() {
        // Columns in the order of `ALL`: R S A I C F X(abandoned) L(cancelled).
        let expected = [
            (Status::Rejected, "........"),
            (Scheduled, ".SA....L"),
            (Assigned, ".SAIC..L"),
            (InProgress, ".S..CF.."),
            (Completed, "........"),
            (Failed, ".S....XL"),
            (Abandoned, "........"),
            (Cancelled, "....C..."),
        ];
        for (from, row) in expected {
            for (to, mark) in Status::ALL.iter().zip(row.chars()) {
                assert_eq!(from.may_become(*to), mark != '.', "{from:?} → {to:?}");
            }
        }
    }
}
