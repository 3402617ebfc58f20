//! From where a request came, for limits and the audit trail.

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The client's IP address.
    pub address: String,
    pub user_agent: String,
}
