//! Ports for servers that tests start, stop, and start again.

use std::net::{Ipv4Addr, TcpListener};

use rand::Rng;

/// Below the range that the kernel gives to outgoing connections: a client that retries while a server is down
/// could otherwise be given the server's own port, connect to itself, and keep the server from coming back.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// `N` different ports that were free on 127.0.0.1 a moment ago.
pub fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    let ports = many_free_ports(N)?;
    ports.try_into().map_err(|_| anyhow::anyhow!("not as many ports as wanted"))
}

/// As [`free_ports`], where how many is known only at run time.
pub fn many_free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    // All are held until all are found, so that none is found twice.
    let mut held = Vec::with_capacity(count);
    for _ in 0..1_000 {
        if held.len() == count {
            return Ok(held.iter().map(|(port, _)| *port).collect());
        }
        let port = rand::rng().random_range(RANGE);
        held.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(|listener| (port, listener)));
    }
    anyhow::bail!("no free ports on 127.0.0.1 between 20000 and 32000")
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
}
