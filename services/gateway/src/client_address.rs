//! Who is at the other end: the peer, or whom a proxy of ours names.

use std::net::IpAddr;

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use ipnet::IpNet;

pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// Whether nobody on the way could read along.
    pub(crate) by_tls: bool,
}

/// A network, or a single address, of proxies that are believed.
#[derive(Debug, Clone)]
pub(crate) struct Network(IpNet);

impl std::str::FromStr for Network {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let single = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| single()).map(Self).map_err(|e| e.to_string())
    }
}

/// The proxies that stand before the gateway.
#[derive(Debug)]
pub(crate) struct Proxies(pub(crate) Vec<Network>);

impl Proxies {
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.0.contains(&address))
    }

    /// Whom a request comes from. Each proxy appends whom it heard: from the right, the first that is none of ours.
    pub(crate) fn client(&self, peer: Client, headers: &HeaderMap) -> Client {
        let peer = Client { address: peer.address.to_canonical(), ..peer };
        if self.0.is_empty() || !self.trusts(peer.address) {
            return peer;
        }
        let mut address = peer.address;
        let told = headers.get_all(FORWARDED_FOR).iter().rev().filter_map(text);
        for one in told.flat_map(|line| line.rsplit(',')) {
            let Ok(told) = one.trim().parse::<IpAddr>() else { break };
            address = told.to_canonical();
            if !self.trusts(address) {
                break;
            }
        }
        let proto = headers.get_all(FORWARDED_PROTO).iter().next_back().and_then(text);
        Client { address, by_tls: proto.map_or(peer.by_tls, |proto| proto.eq_ignore_ascii_case("https")) }
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies = Proxies(proxies.iter().map(|network| network.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let peer = Client { address: peer.parse().unwrap(), by_tls: false };
        proxies.client(peer, &headers).address.to_string()
    }

    #[test]
    fn a_stranger_cannot_say_to_be_somebody_else() {
        assert_eq!(client(&[], "203.0.113.9", &["10.0.0.1"]), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "203.0.113.9", &["10.0.0.1"]), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.2", &["192.0.2.1, 203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn proxies_name_whom_they_heard() {
        let proxies = ["10.0.0.0/8", "::1"];
        assert_eq!(client(&proxies, "10.0.0.2", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(
            client(&proxies, "::ffff:10.0.0.2", &["198.51.100.1", "203.0.113.9, 10.0.0.3"]),
            "203.0.113.9"
        );
        assert_eq!(client(&proxies, "::1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(client(&proxies, "10.0.0.2", &[]), "10.0.0.2");
        assert_eq!(client(&proxies, "10.0.0.2", &["nonsense"]), "10.0.0.2");
    }
}
