//! What addresses are counted by.

// An address is a value; `std::net` would be the network itself.
use core::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or the /64 of an IPv6 one: a household or a host has that, and may take another address of it for
/// each request.
#[must_use]
pub fn of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(whole) => Ipv6Addr::from_bits(whole.to_bits() >> 64 << 64).into(),
    }
}
