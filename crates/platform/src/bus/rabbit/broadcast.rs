//! Hearing broadcasts: an exclusive queue per process that lives as long as its connection.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::StreamExt;
use lapin::{
    Consumer,
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::{sync::broadcast, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    connection::{Link, RETRY},
    topology::BROADCASTS,
};
use crate::bus::{BROADCAST_BACKLOG, Broadcast, BusAway};

/// Gives what the broker broadcasts to the listeners of this process.
#[derive(Clone)]
pub(super) struct Listener {
    sender: broadcast::Sender<Broadcast>,
    /// Whether the queue of this process is bound now.
    hears: Arc<AtomicBool>,
}

impl Default for Listener {
    fn default() -> Self {
        Self { sender: broadcast::channel(BROADCAST_BACKLOG).0, hears: Arc::default() }
    }
}

impl Listener {
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Broadcast> {
        let receiver = self.sender.subscribe();
        // If the queue is bound only after this look at it, the new listener is told with the others.
        if self.hears.load(Ordering::SeqCst) {
            self.pass_on(Broadcast::listening());
        }
        receiver
    }

    pub(super) async fn run(self, link: Arc<Link>, stop: CancellationToken) {
        let listening = async {
            loop {
                let ended = self.session(&link).await;
                self.hears.store(false, Ordering::SeqCst);
                if let Err(error) = ended {
                    tracing::debug!(%error, "not hearing broadcasts");
                }
                sleep(RETRY).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = listening => {}
        }
    }

    async fn session(&self, link: &Link) -> Result<(), BusAway> {
        let channel = link.channel().await?;
        let mut consumer = subscribe(&channel).await.map_err(BusAway::because)?;
        self.hears.store(true, Ordering::SeqCst);
        self.pass_on(Broadcast::listening());
        while let Some(delivery) = consumer.next().await {
            let delivery = delivery.map_err(BusAway::because)?;
            match serde_json::from_slice(&delivery.data) {
                Ok(message) => self.pass_on(message),
                Err(error) => tracing::warn!(%error, "a broadcast cannot be read"),
            }
        }
        Err(BusAway("the broker cancelled the consumer".to_owned()))
    }

    fn pass_on(&self, message: Broadcast) {
        // An error only means that nobody listens any more.
        drop(self.sender.send(message));
    }
}

async fn subscribe(channel: &lapin::Channel) -> lapin::Result<Consumer> {
    let options =
        QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("".into(), options, FieldTable::default()).await?;
    let (name, nothing) = (queue.name().clone(), FieldTable::default());
    channel
        .queue_bind(name.clone(), BROADCASTS.into(), "".into(), QueueBindOptions::default(), nothing.clone())
        .await?;
    let options = BasicConsumeOptions { no_ack: true, exclusive: true, ..BasicConsumeOptions::default() };
    channel.basic_consume(name, "".into(), options, nothing).await
}
