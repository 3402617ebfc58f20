//! Load by `wrk`, and connections that only stay open.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use http::Method;
use quenty_platform::client::Transport;
use quenty_testkit::http::Call;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::cpu_seconds;

/// What one round of load told.
pub(super) struct Round {
    pub(super) requests: f64,
    pub(super) seconds: f64,
    /// Of the process that was loaded.
    pub(super) cpu_seconds: f64,
    pub(super) p99_ms: f64,
}

pub(super) struct Load {
    authorization: String,
    lasts: Duration,
}

impl Load {
    pub(super) fn new(token: &str, lasts: Duration) -> Self {
        Self { authorization: format!("Bearer {token}"), lasts }
    }

    pub(super) async fn is_answered(&self, url: &str) -> bool {
        let call = Call::new(Transport::default(), Method::GET, url.to_owned());
        let call = call.header("authorization", &self.authorization);
        call.try_send().await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Loads `url`, which the process `pid` answers.
    pub(super) fn run(&self, url: &str, connections: usize, pid: i32) -> Result<Round> {
        let before = cpu_seconds(pid)?;
        let output = Command::new("wrk")
            .args(["--threads", "1", "--connections", &connections.to_string(), "--latency"])
            .args(["--duration", &format!("{}s", self.lasts.as_secs())])
            .args(["--header", &format!("Authorization: {}", self.authorization), url])
            .output()
            .context("wrk cannot be started; scripts/ensure-packages bench installs it")?;
        let cpu_seconds = cpu_seconds(pid)? - before;
        let told = String::from_utf8_lossy(&output.stdout);
        let refused = told.contains("Non-2xx") || told.contains("Socket errors");
        ensure!(output.status.success() && !refused, "the load was not served: {told}");
        let (requests, seconds) = totals(&told).with_context(|| format!("wrk told nothing: {told}"))?;
        let p99_ms = p99(&told).with_context(|| format!("wrk told no latency: {told}"))?;
        Ok(Round { requests, seconds, cpu_seconds, p99_ms })
    }
}

/// `  123456 requests in 6.00s, 12.3MB read`
fn totals(told: &str) -> Option<(f64, f64)> {
    let (requests, rest) = told.lines().find_map(|line| line.trim().split_once(" requests in "))?;
    Some((requests.parse().ok()?, seconds(rest.split_once(',')?.0)?))
}

/// `     99%   12.34ms`, in milliseconds.
fn p99(told: &str) -> Option<f64> {
    let text = told.lines().find_map(|line| line.trim().strip_prefix("99%"))?;
    Some(seconds(text.trim())? * 1_000.0)
}

fn seconds(text: &str) -> Option<f64> {
    let units = [("us", 1e-6), ("ms", 1e-3), ("m", 60.0), ("s", 1.0)];
    units.iter().find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor))
}

/// So many connections, each of which was used once and stays open.
pub(super) async fn connect(url: &str, connections: usize) -> Result<Vec<TcpStream>> {
    let uri: http::Uri = url.parse()?;
    let authority = uri.authority().context("no host in the URL")?.as_str();
    let mut open = Vec::new();
    for _ in 0..connections {
        let mut stream = TcpStream::connect(authority).await?;
        stream
            .write_all(format!("GET /health/live HTTP/1.1\r\nHost: {authority}\r\n\r\n").as_bytes())
            .await?;
        let read = stream.read(&mut [0; 4096]).await?;
        ensure!(read > 0, "a connection was closed");
        open.push(stream);
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_tells_is_read() {
        let told = "  Latency Distribution\n     50%    1.02ms\n     99%  812.00us\n  \
                    60321 requests in 6.01s, 40.11MB read\nRequests/sec:  10036.77\n";
        assert_eq!(totals(told), Some((60_321.0, 6.01)));
        assert_eq!(p99(told), Some(0.812));
        assert_eq!(seconds("1.50m"), Some(90.0));
    }
}
