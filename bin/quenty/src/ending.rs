//! How a running command is asked to end: once for an end in order, twice for one at once.

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct Ending {
    /// By the first Ctrl-C or SIGTERM.
    pub asked: CancellationToken,
    at_once: CancellationToken,
}

impl Ending {
    /// Listens from now on; before this a signal ends the process as it is.
    pub fn listen() -> Result<Self> {
        let ending = Self { asked: CancellationToken::new(), at_once: CancellationToken::new() };
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let told = ending.clone();
        #[expect(clippy::disallowed_methods, reason = "it listens as long as the process lives")]
        tokio::spawn(async move {
            for token in [told.asked, told.at_once] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                token.cancel();
            }
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

    /// Does work that would not end by itself, and breaks it off when asked to.
    pub async fn unless_asked<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.asked.cancelled() => bail!("broken off before it was done"),
        }
    }
}
