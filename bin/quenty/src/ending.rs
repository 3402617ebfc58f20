//! How a running command is asked to end: once for an end in order, twice for one at once.

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct Ending {
    /// By the first Ctrl-C, SIGTERM, or end of the terminal.
    pub asked: CancellationToken,
    at_once: CancellationToken,
}

impl Ending {
    /// Listens from now on; before this a signal ends the process as it is.
    pub fn listen() -> Result<Self> {
        let ending = Self { asked: CancellationToken::new(), at_once: CancellationToken::new() };
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
        let hung_up = async move {
            match hangup {
                Some(mut hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        let told = ending.clone();
        #[expect(clippy::disallowed_methods, reason = "it listens as long as the process lives")]
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                // Once: a shell repeats what the terminal has said already.
                _ = hung_up => {}
            }
            told.asked.cancel();
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            told.at_once.cancel();
        });
        Ok(ending)
    }

    /// Waits for work that ends by itself once it was asked to; who asks twice does not want to wait.
    pub async fn patiently<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.at_once.cancelled() => bail!("ended at once; what was under way is recovered at the next start"),
        }
    }

    /// Does work that would not end by itself, and breaks it off when asked to: then people are told what that means.
    pub async fn unless_asked<T>(
        &self,
        work: impl Future<Output = Result<T>>,
        broken_off: &str,
    ) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.asked.cancelled() => bail!("{broken_off}"),
        }
    }
}

/// Whether whoever started it wants it to outlive the terminal (`nohup`). Listening would undo that.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The first bit is the signal of the number 1.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
