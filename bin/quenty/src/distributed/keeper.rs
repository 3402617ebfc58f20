//! Keeps the parts of a platform alive: what ends without being asked to is started again, after a pause that grows, and
//! people are told.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::part::Part;
use crate::{embedded::write_private, output::tell};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Who has run for so long has recovered: its next pause is the first again.
const STEADY: Duration = Duration::from_secs(60);

/// A part that runs.
pub struct Kept {
    pub name: String,
    /// Where others reach it.
    pub address: String,
    pub part: Part,
}

/// Which process is which, in a file of the platform's folder.
#[derive(Clone)]
pub struct Board(Arc<Inner>);

struct Inner {
    path: PathBuf,
    processes: Mutex<BTreeMap<String, serde_json::Value>>,
    deaths: AtomicUsize,
}

impl Board {
    pub fn new(path: PathBuf) -> Self {
        Self(Arc::new(Inner { path, processes: Mutex::default(), deaths: AtomicUsize::new(0) }))
    }

    /// How often something ended without being asked to.
    pub fn deaths(&self) -> usize {
        self.0.deaths.load(Ordering::Relaxed)
    }

    fn put(&self, kept: &Kept) {
        let Some(process) = kept.part.process() else { return };
        let mut processes = self.0.processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.insert(kept.name.clone(), json!({"address": kept.address, "pid": process.pid()}));
        let written = write_private(&self.0.path, json!(*processes).to_string().as_bytes());
        if let Err(error) = written {
            tracing::warn!(%error, "nobody is told which process is which");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Who was refused the folder leaves the file of the one that holds it.
        if !self.processes.get_mut().unwrap_or_else(PoisonError::into_inner).is_empty() {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Parts that end together.
pub struct Stage {
    ending: CancellationToken,
    keeping: JoinSet<()>,
}

impl Stage {
    pub fn keep(parts: Vec<Kept>, board: &Board) -> Self {
        let ending = CancellationToken::new();
        let mut keeping = JoinSet::new();
        for kept in parts {
            board.put(&kept);
            keeping.spawn(keep(kept, board.clone(), ending.clone()));
        }
        Self { ending, keeping }
    }

    /// Asks all of them to end, and waits until they have.
    pub async fn end(mut self) {
        self.ending.cancel();
        while self.keeping.join_next().await.is_some() {}
    }
}

async fn keep(mut kept: Kept, board: Board, ending: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        let how = tokio::select! {
            biased;
            () = ending.cancelled() => break,
            how = until_ended(&kept.part) => how,
        };
        board.0.deaths.fetch_add(1, Ordering::Relaxed);
        tell!("{} {how}; it is started again", kept.name);
        if begun.elapsed() > STEADY {
            pause = FIRST_PAUSE;
        }
        if !start_again(&mut kept, &mut pause, &ending).await {
            break;
        }
        board.put(&kept);
    }
    if let Err(error) = kept.part.stop().await {
        tell!("{} did not end in order: {error:#}", kept.name);
    }
}

async fn until_ended(part: &Part) -> String {
    match part.process() {
        None => "is not there".to_owned(),
        Some(process) => match process.ended().await {
            Some(status) => format!("(process {}) ended: {status}", process.pid()),
            None => format!("(process {}) ended", process.pid()),
        },
    }
}

/// Tries until it runs; not, if it is asked to end meanwhile.
async fn start_again(kept: &mut Kept, pause: &mut Duration, ending: &CancellationToken) -> bool {
    loop {
        tokio::select! {
            biased;
            () = ending.cancelled() => return false,
            () = tokio::time::sleep(*pause) => {}
        }
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        let outcome: Result<()> = kept.part.launch(ending).await;
        match (outcome, kept.part.process()) {
            (Ok(()), Some(process)) => {
                tell!("{} runs again, as process {}", kept.name, process.pid());
                return true;
            }
            (Ok(()), None) => {}
            (Err(_), _) if ending.is_cancelled() => return false,
            (Err(error), _) => {
                tell!("{} cannot be started: {error:#}; the next try is in {pause:?}", kept.name);
            }
        }
    }
}
