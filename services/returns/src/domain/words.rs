//! The words of a return.

quenty_kernel::words! {
    pub(crate) enum ReturnKind ("kind of return") {
        Return = "return",
        Exchange = "exchange",
        Warranty = "warranty",
    }
}

quenty_kernel::words! {
    /// Why the buyer sends it back.
    pub enum Reason ("reason") {
        Defective = "defective",
        WrongItem = "wrong_item",
        DamagedInShipping = "damaged_in_shipping",
        NotAsDescribed = "not_as_described",
        ChangedMind = "changed_mind",
        Size = "size",
        Other = "other",
    }
}

impl Reason {
    /// Whether we or the merchant are to blame, so that the buyer gets everything back.
    pub(crate) const fn is_at_fault(self) -> bool {
        matches!(self, Self::Defective | Self::WrongItem | Self::DamagedInShipping | Self::NotAsDescribed)
    }
}

quenty_kernel::words! {
    /// What the buyer wants for it.
    pub enum Resolution ("resolution") {
        Refund = "refund",
        Exchange = "exchange",
        StoreCredit = "store_credit",
    }
}

quenty_kernel::words! {
    /// How the goods come back.
    pub enum WayBack ("way back") {
        /// A driver collects them and brings them.
        Pickup = "pickup",
        /// The buyer hands the labelled parcel in.
        Label = "label",
        /// The buyer brings them.
        DropOff = "drop_off",
    }
}

quenty_kernel::words! {
    /// What the inspection makes of the buyer's reason.
    pub(crate) enum Claim ("claim") {
        Confirmed = "confirmed",
        /// Refunded as if they had changed their mind.
        NotConfirmed = "not_confirmed",
        /// No refund: not what was sent, or used up.
        Refused = "refused",
    }
}

quenty_kernel::words! {
    pub(crate) enum RefundMethod ("refund method") {
        /// The way it was paid.
        Original = "original",
        StoreCredit = "store_credit",
        Cash = "cash",
    }
}
