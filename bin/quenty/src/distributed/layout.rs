//! Which processes of Quenty there are, and where they listen.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result, bail};
use quenty_servers::ports::many_free_ports;

use crate::{
    embedded::{Folder, running_at},
    services,
};

pub const GATEWAY: &str = "gateway";
/// What stands before the gateways.
pub const FRONT: &str = "nginx";
const GATEWAY_PORTS: [u16; 2] = [8010, 8011];
/// Where second processes of services listen.
const SECOND: [(&str, u16); 1] = [("order", 8012)];

/// One process of `quenty serve`.
#[derive(Debug, Clone)]
pub struct Member {
    /// `order-2`, or `auth` where there is one only.
    pub name: String,
    /// What it serves: a service's name, or `gateway`.
    pub serves: &'static str,
    pub port: u16,
}

#[derive(Debug, Clone)]
pub struct Layout {
    pub front: u16,
    /// Services first, then gateways.
    pub members: Vec<Member>,
}

impl Layout {
    /// The ports of the mission, or free ones.
    ///
    /// # Errors
    /// When one of the mission's is taken; it says by whom where that is known.
    pub fn choose(free: bool, folder: &Folder) -> Result<Self> {
        let mut layout = Self::of_the_mission();
        if free {
            let ports = many_free_ports(layout.members.len() + 1)?;
            layout.front = ports[0];
            for (member, port) in layout.members.iter_mut().zip(&ports[1..]) {
                member.port = *port;
            }
            return Ok(layout);
        }
        let all = layout.members.iter().map(|member| (member.name.as_str(), member.port));
        for (name, port) in all.chain([(FRONT, layout.front)]) {
            if let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                if let Ok(Some(url)) = running_at(folder.path()) {
                    bail!("the platform of {} runs already, at {url}", folder.path().display());
                }
                return Err(error).context(format!(
                    "{name} cannot listen on 127.0.0.1:{port}: stop what uses the port, or start with --ports free"
                ));
            }
        }
        Ok(layout)
    }

    fn of_the_mission() -> Self {
        let mut members = Vec::new();
        for service in services::all() {
            let second = SECOND.iter().filter(|(name, _)| *name == service.name).map(|(_, port)| *port);
            let ports: Vec<u16> = [service.port].into_iter().chain(second).collect();
            members.extend(several(service.name, &ports));
        }
        members.extend(several(GATEWAY, &GATEWAY_PORTS));
        Self { front: quenty_gateway::PORT, members }
    }

    /// Where people find the platform.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.front)
    }

    pub fn serving(&self, what: &str) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.serves == what)
    }
}

impl Member {
    /// Services speak TLS, and with each other only; nginx speaks to the gateways in the clear.
    pub fn url(&self) -> String {
        let scheme = if self.serves == GATEWAY { "http" } else { "https" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }
}

fn several(serves: &'static str, ports: &[u16]) -> Vec<Member> {
    let name = |number: usize| match ports.len() {
        1 => serves.to_owned(),
        _ => format!("{serves}-{number}"),
    };
    ports.iter().zip(1..).map(|(port, number)| Member { name: name(number), serves, port: *port }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_runs_and_gateways_and_order_twice_each_on_a_port_of_its_own() {
        let layout = Layout::of_the_mission();
        let count = |what| layout.serving(what).count();
        assert_eq!((count(GATEWAY), count("order"), count("auth")), (2, 2, 1));
        assert_eq!(layout.members.len(), services::all().len() + 3);
        let mut ports: Vec<u16> = layout.members.iter().map(|member| member.port).collect();
        ports.push(layout.front);
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), layout.members.len() + 1);
    }
}
