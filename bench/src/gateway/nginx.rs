//! nginx with one worker and a configuration of ours.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use quenty_testkit::ports::free_ports;

use super::Server;

/// What Order might answer with: 512 bytes of JSON.
const ANSWER: usize = 512;
/// More than a run ever sends: neither side closes a connection for its age.
const REQUESTS: u32 = 1_000_000_000;

/// Debian keeps it where only administrators look.
const SYSTEM: &str = "/usr/sbin/nginx";

/// Starts it with the `http` block that `configure` writes around a port.
pub(super) async fn start(folder: &Path, name: &str, http: &str) -> Result<Server> {
    let [port] = free_ports()?;
    let folder = folder.join(name);
    std::fs::create_dir(&folder)?;
    let file = folder.join("nginx.conf");
    std::fs::write(&file, whole(&http.replace("PORT", &port.to_string())))?;
    let mut command = Command::new(if Path::new(SYSTEM).exists() { SYSTEM } else { "nginx" });
    command.arg("-p").arg(&folder).arg("-c").arg(&file).arg("-e").arg(folder.join("error.log"));
    Server::start(name, command, port)
        .await
        .context("nginx cannot be started; scripts/ensure-packages bench installs it")
}

fn whole(http: &str) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {kind};\n"))
        .concat();
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{ worker_connections 4096; }}\n\
         http {{\n    access_log off;\n    keepalive_requests {REQUESTS};\n{temporary}{http}\n}}\n"
    )
}

/// Describes itself as Order does, and answers everything else with the same.
pub(super) fn upstream(descriptions: &Path) -> Result<String> {
    let descriptions = descriptions.canonicalize().context("run it in the repository's folder")?;
    let answer = format!("{{\"items\":[],\"pad\":\"{}\"}}", "x".repeat(ANSWER - 21));
    Ok(format!(
        "    server {{\n        listen 127.0.0.1:PORT;\n        default_type application/json;\n\
         \x20       location = /openapi.json {{ alias {}/order.json; }}\n\
         \x20       location / {{ return 200 '{answer}'; }}\n    }}",
        descriptions.display()
    ))
}

pub(super) fn plain(upstream: u16) -> String {
    format!(
        "{}    server {{\n        listen 127.0.0.1:PORT;\n        location / {{ {FORWARD} }}\n    }}",
        service(upstream)
    )
}

/// Asks the upstream whether each request may pass, and counts each caller.
pub(super) fn guarded(upstream: u16) -> String {
    format!(
        "    limit_req_zone $http_authorization zone=callers:10m rate=1000000r/s;\n{}\
         \x20   server {{\n        listen 127.0.0.1:PORT;\n\
         \x20       location / {{ auth_request /allowed; limit_req zone=callers burst=1000000 nodelay; {FORWARD} }}\n\
         \x20       location = /allowed {{ internal; proxy_pass_request_body off; \
         proxy_set_header Content-Length ''; {FORWARD} }}\n    }}",
        service(upstream)
    )
}

const FORWARD: &str = "proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection '';";

fn service(port: u16) -> String {
    format!(
        "    upstream service {{ server 127.0.0.1:{port}; keepalive 256; keepalive_requests {REQUESTS}; }}\n"
    )
}
