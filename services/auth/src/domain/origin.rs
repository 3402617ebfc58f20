//! From where a request came, for limits and the audit trail.

// An address is a value; `std::net` would be the network itself.
use core::net::IpAddr;

use quenty_kernel::network;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The client's IP address.
    pub address: String,
    pub user_agent: String,
}

impl Origin {
    /// What limits and locks count by ([`network::of`]).
    #[must_use]
    pub fn network(&self) -> String {
        match self.address.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address @ IpAddr::V6(_)) => format!("{}/64", network::of(address)),
            Ok(address) => address.to_string(),
            Err(_) => self.address.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_counted_and_not_each_address_in_it() {
        let network =
            |address: &str| Origin { address: address.to_owned(), user_agent: String::new() }.network();
        assert_eq!(network("2001:db8:1:2::1"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::9"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:3::1"), network("2001:db8:1:2::1"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network("unknown"), "unknown");
    }
}
