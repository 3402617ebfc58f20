//! The services in a process of their own, so that a test can kill it at any moment.

use std::{collections::BTreeMap, process::Command, time::Duration};

use nix::sys::signal::Signal;
use quenty_platform::bound_process::BoundProcess;

use crate::{tally::ALL, world::Plan};

const PLAN: &str = "QUENTY_TEST_REPLICA_PLAN";

/// What [`Replica::start`] runs: this test binary again, with a plan. Without one there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Some(plan) = std::env::var_os(PLAN) else { return };
    let plan: Plan = serde_json::from_slice(plan.as_encoded_bytes()).expect("a plan");
    let _node = plan.start(&ALL, &BTreeMap::new()).await;
    std::future::pending::<()>().await;
}

/// All services in a child process. It dies with this one.
pub struct Replica(BoundProcess);

impl Replica {
    pub fn start(plan: &Plan) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this test binary"));
        command.args(["--exact", "replica::process", "--nocapture", "--test-threads=1"]);
        command.env(PLAN, serde_json::to_string(plan).expect("a plan is JSON"));
        Self(BoundProcess::spawn("replica", command, Signal::SIGKILL).expect("a child process"))
    }

    /// No warning, no time to finish anything.
    pub fn kill(self) {
        assert!(self.0.exit_status().is_none(), "the replica ended by itself");
        self.0.signal(Signal::SIGKILL).expect("a child process");
        self.0.wait(Duration::from_secs(10)).expect("a killed process ends");
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        drop(self.0.signal(Signal::SIGKILL));
    }
}
