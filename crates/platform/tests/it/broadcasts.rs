//! Broadcasts reach every process that listens, and tell it from when on it misses nothing.

use std::time::Duration;

use quenty_platform::bus::Broadcast;
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::{
    on_both_buses,
    tally::{CONSUMERS, TALLY},
    world::World,
};

on_both_buses! {
    a_broadcast_reaches_every_process_that_listens,
}

async fn a_broadcast_reaches_every_process_that_listens(world: World) {
    let nodes = [world.start(&[TALLY]).await, world.start(&CONSUMERS).await];
    let mut receivers: Vec<Receiver<Broadcast>> = nodes.iter().map(|node| node.bus.listen()).collect();
    // A second listener of the same process is told, too, when it may begin.
    receivers.push(nodes[0].bus.listen());
    for receiver in &mut receivers {
        assert_eq!(next(receiver).await, Broadcast::listening());
    }
    let message = Broadcast { topic: "sessions".to_owned(), payload: json!({"revoked": 7}) };
    nodes[1].bus.broadcast(message.clone()).await.expect("a bus");
    for receiver in &mut receivers {
        assert_eq!(next_of(receiver, "sessions").await, message);
    }
    world.finish(nodes).await;
}

async fn next(receiver: &mut Receiver<Broadcast>) -> Broadcast {
    tokio::time::timeout(Duration::from_secs(30), receiver.recv())
        .await
        .expect("a broadcast in time")
        .expect("an open bus")
}

pub async fn next_of(receiver: &mut Receiver<Broadcast>, topic: &str) -> Broadcast {
    loop {
        let message = next(receiver).await;
        if message.topic == topic {
            return message;
        }
    }
}
