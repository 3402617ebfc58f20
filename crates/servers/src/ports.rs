//! Ports for servers that tests start, stop, and start again.

use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Mutex;

use rand::Rng;

/// Below the range that the kernel gives to outgoing connections: a client that retries while a server is down
/// could otherwise be given the server's own port, connect to itself, and keep the server from coming back.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A server binds its port seconds after it was found, and lets go of it when it is killed to be started again.
/// Until this process ends, no other may find the port: a name in the kernel says so, which leaves nothing behind.
static RESERVED: Mutex<Vec<UnixDatagram>> = Mutex::new(Vec::new());

/// `N` different ports that were free on 127.0.0.1 a moment ago, and are found by nobody else while this process lives.
pub fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    let ports = many_free_ports(N)?;
    ports.try_into().map_err(|_| anyhow::anyhow!("not as many ports as wanted"))
}

/// As [`free_ports`], where how many is known only at run time.
pub fn many_free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let mut found = Vec::with_capacity(count);
    for _ in 0..10_000 {
        if found.len() == count {
            return Ok(found);
        }
        let port = rand::rng().random_range(RANGE);
        if reserve(port) {
            found.push(port);
        }
    }
    anyhow::bail!("no free ports on 127.0.0.1 between 20000 and 32000")
}

fn reserve(port: u16) -> bool {
    let name = SocketAddr::from_abstract_name(format!("quenty-port-{port}"));
    let Ok(reservation) = name.and_then(|name| UnixDatagram::bind_addr(&name)) else { return false };
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
        return false;
    }
    RESERVED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(reservation);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_free() {
        let ports = free_ports::<8>().unwrap();
        let listeners: Vec<_> =
            ports.iter().map(|port| TcpListener::bind(("127.0.0.1", *port)).unwrap()).collect();
        assert_eq!(listeners.len(), 8);
    }

    #[test]
    fn a_port_is_found_once_though_nobody_listens() {
        let [port] = free_ports().unwrap();

        assert!(!reserve(port));
    }
}
