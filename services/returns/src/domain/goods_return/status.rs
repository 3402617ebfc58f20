//! The states of a return and the moves between them (design/services/returns.md, "Model").

quenty_kernel::words! {
    pub enum Status ("return status") {
        /// Waits for a person's decision.
        Requested = "requested",
        Approved = "approved",
        Rejected = "rejected",
        /// The buyer objects to the rejection or to the inspection.
        Disputed = "disputed",
        PickupScheduled = "pickup_scheduled",
        LabelIssued = "label_issued",
        PickedUp = "picked_up",
        InTransit = "in_transit",
        /// Something arrived, perhaps not all.
        Received = "received",
        Inspected = "inspected",
        /// Every unit has its disposition; the money is open.
        Processed = "processed",
        Refunded = "refunded",
        Exchanged = "exchanged",
        /// No money was owed.
        Disposed = "disposed",
        Closed = "closed",
        Cancelled = "cancelled",
        Expired = "expired",
    }
}

use Status::{
    Approved, Cancelled, Closed, Disposed, Disputed, Exchanged, Expired, InTransit, Inspected, LabelIssued,
    PickedUp, PickupScheduled, Processed, Received, Refunded, Rejected, Requested,
};

impl Status {
    /// Where it may go from here.
    pub(crate) const fn next(self) -> &'static [Self] {
        match self {
            Requested => &[Approved, Rejected, Cancelled],
            Rejected => &[Disputed],
            Disputed => &[Approved, Rejected, Inspected],
            Approved => &[PickupScheduled, LabelIssued, PickedUp, Received, Cancelled, Expired],
            // Back to approved: the way back came to nothing, and another is looked for.
            PickupScheduled => &[Approved, PickedUp, Received, Cancelled, Expired],
            LabelIssued => &[Approved, PickedUp, Received, Cancelled, Expired],
            // Back to approved: the carrier gave the parcel back to the buyer.
            PickedUp => &[Approved, InTransit, Received, Processed],
            InTransit => &[Approved, Received, Processed],
            Received => &[Received, Inspected],
            Inspected => &[Disputed, Received, Processed],
            Processed => &[Refunded, Exchanged, Disposed],
            Refunded | Exchanged | Disposed => &[Closed],
            Closed | Cancelled | Expired => &[],
        }
    }

    pub(crate) fn may_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }

    /// The goods are with the buyer, and somebody may still come for them or send them.
    pub(crate) const fn is_before_pickup(self) -> bool {
        matches!(self, Requested | Approved | PickupScheduled | LabelIssued)
    }

    /// A driver or a carrier has the goods.
    pub(crate) const fn is_on_the_road(self) -> bool {
        matches!(self, PickedUp | InTransit)
    }

    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Closed | Cancelled | Expired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moves_are_exactly_those_of_the_design() {
        // Columns in the order of `ALL`: Q(requested) A R D(isputed) P(ickup scheduled) L U(picked up) T(ransit)
        // C(received: come in) I(nspected) O(processed) M(oney back) X(changed) N(o money: disposed) E(nd: closed)
        // K(cancelled) V(expired).
        let expected = [
            (Requested, ".AR............K."),
            (Approved, "....PLU.C......KV"),
            (Rejected, "...D............."),
            (Disputed, ".AR......I......."),
            (PickupScheduled, ".A....U.C......KV"),
            (LabelIssued, ".A....U.C......KV"),
            (PickedUp, ".A.....TC.O......"),
            (InTransit, ".A......C.O......"),
            (Received, "........CI......."),
            (Inspected, "...D....C.O......"),
            (Processed, "...........MXN..."),
            (Refunded, "..............E.."),
            (Exchanged, "..............E.."),
            (Disposed, "..............E.."),
            (Closed, "................."),
            (Cancelled, "................."),
            (Expired, "................."),
        ];
        assert_eq!(expected.map(|(from, _)| from), Status::ALL);
        for (from, row) in expected {
            for (to, mark) in Status::ALL.iter().zip(row.chars()) {
                assert_eq!(from.may_become(*to), mark != '.', "{from:?} → {to:?}");
            }
        }
    }
}
