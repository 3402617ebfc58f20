//! The kinds of goods that rules tell apart.

quenty_kernel::words! {
    /// A policy says which categories are which; all others are general.
    pub(crate) enum GoodsClass ("class of goods") {
        General = "general",
        Electronics = "electronics",
        /// Worn on the skin or used on the body: nobody else gets it.
        Hygiene = "hygiene",
    }
}
