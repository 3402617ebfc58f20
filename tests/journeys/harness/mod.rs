//! What journeys stand on: real processes of the real binary, on real servers, seen through the gateway only.

pub mod client;
pub mod cluster;
pub mod counter;
pub mod distributed;
pub mod fleet;
pub mod merchant;
pub mod people;
pub mod process;
pub mod servers;
pub mod stage;
pub mod up;

use std::time::{Duration, Instant};

pub use quenty_services::all as services;
use tokio::sync::{Mutex, MutexGuard};

pub use self::{
    client::Client, cluster::Cluster, distributed::Distributed, fleet::Fleet, merchant::Merchant,
    people::Person, process::Environment, stage::Stage, up::Up,
};

const POLL: Duration = Duration::from_millis(25);

/// Waits for its turn: stories that start servers of their own, or hundreds of orders, would measure each other.
/// In one process, as under `cargo test`, they come one after the other; nextest sees to it between processes.
pub async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// Waits until the probe gives a value.
pub async fn until<T>(limit: Duration, what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// The people and places of a story: who approves, who sells, who drives.
#[derive(Clone)]
pub struct Cast {
    pub support: Person,
    pub merchant: Merchant,
    pub fleet: Fleet,
    /// How many stories of this platform had a merchant of their own.
    merchants: u64,
}

impl Cast {
    pub async fn enter(stage: &Stage) -> Self {
        let admin = Person::administrator(stage).await;
        let support = admin.invite("support", "support@quenty.example").await.accept(stage).await;
        let fleet = Fleet::open(stage, &admin).await;
        let merchant = Merchant::open(stage, &support, merchant::FIRST, merchant::BOGOTA).await;
        Self { support, merchant, fleet, merchants: merchant::FIRST }
    }

    /// For the next story of a platform: another company, the same people.
    pub async fn after(stage: &Stage, before: Option<&Self>) -> Self {
        let Some(Self { support, fleet, merchants, .. }) = before.cloned() else {
            return Self::enter(stage).await;
        };
        let merchants = merchants + 1;
        let merchant = Merchant::another(stage, &support, merchants).await;
        Self { support, merchant, fleet, merchants }
    }
}
