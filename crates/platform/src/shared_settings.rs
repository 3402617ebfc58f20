//! Settings that the processes of a platform share, in Consul's key-value store: read when a process starts, and followed
//! while it runs. What says `reloadable` is taken over at once; the rest counts from the next start on.
//!
//! Consul is never needed for starting or serving: without an answer a process works with what it has.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    client::Transport,
    consul::{Consul, RETRY},
    settings::{Settings, SettingsError},
};

/// How long a start waits for an agent that is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// The settings of one process, and where they are kept up to date.
pub struct SharedSettings {
    consul: Option<Consul>,
    process: String,
    /// As the process has them without Consul.
    own: Settings,
}

impl SharedSettings {
    /// Of the process (`order`, or `gateway`) that has these settings.
    #[must_use]
    pub fn of(process: &str, own: Settings, transport: &Transport) -> Self {
        Self { consul: Consul::from_settings(&own, transport), process: process.to_owned(), own }
    }

    /// What is true at the start.
    pub async fn read(&self) -> Settings {
        let Some(consul) = &self.consul else { return self.own.clone() };
        let started = Instant::now();
        loop {
            match consul.config(&self.process, 0).await {
                Ok((shared, _)) => return self.own.with_shared(&shared),
                Err(error) if started.elapsed() > PATIENCE => {
                    tracing::warn!(%error, "Consul does not tell what settings it has; the process starts without");
                    return self.own.clone();
                }
                Err(_) => sleep(RETRY).await,
            }
        }
    }

    /// Has the process take over what changes from `current` on, until `stop`. What cannot be taken over is told, and what was
    /// true stays.
    pub async fn follow(
        self,
        mut current: Settings,
        take_over: impl Fn(&Settings) -> Result<(), SettingsError>,
        stop: CancellationToken,
    ) {
        let Some(consul) = &self.consul else { return };
        let following = async {
            let mut index = 0;
            loop {
                match consul.config(&self.process, index).await {
                    // The question was open for so long, and nothing changed.
                    Ok((_, next)) if next == index => {}
                    Ok((shared, next)) => {
                        // One that goes back means that the store is another one.
                        index = if next < index { 0 } else { next };
                        let now = self.own.with_shared(&shared);
                        tell(&current, &now);
                        match take_over(&now) {
                            Ok(()) => current = now,
                            Err(error) => {
                                tracing::error!(%error, "it cannot be taken over; what was set before stays")
                            }
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "Consul does not tell its settings; what was set before stays");
                        index = 0;
                        sleep(RETRY).await;
                    }
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = following => {}
        }
    }
}

fn tell(before: &Settings, now: &Settings) {
    let (taken_over, later) = before.changes(now);
    if !taken_over.is_empty() {
        tracing::info!(settings = ?taken_over, "settings in Consul changed");
    }
    if !later.is_empty() {
        tracing::warn!(settings = ?later, "these settings in Consul count from the next start on");
    }
}
