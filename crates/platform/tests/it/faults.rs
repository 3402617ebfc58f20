//! Faults that a test puts into a consumer's reactions. They live in memory: a rolled-back transaction must not
//! forget how often it has failed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Times(u32),
    UntilHealed,
    /// Until it is healed, it does not end.
    Hangs,
    Panic,
    /// So often, the database has no room on its disk.
    FullDisk(u32),
}

/// The faults of one service, shared by its replicas in this process.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<HashMap<(String, i64), Fault>>>);

impl Faults {
    /// The reaction to the `n`-th event of a stream fails from now on.
    pub fn put(&self, stream: impl ToString, n: i64, fault: Fault) {
        self.0.lock().unwrap().insert((stream.to_string(), n), fault);
    }

    pub fn heal(&self) {
        self.0.lock().unwrap().clear();
    }

    /// A fault as it is by now.
    pub fn get(&self, stream: impl ToString, n: i64) -> Option<Fault> {
        self.0.lock().unwrap().get(&(stream.to_string(), n)).copied()
    }

    /// What this try fails by, if it does; panics if that is its fault.
    pub fn strike(&self, stream: &str, n: i64) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap();
        let key = (stream.to_owned(), n);
        let fault = *faults.get(&key)?;
        match fault {
            Fault::Times(0) | Fault::FullDisk(0) => return None,
            Fault::UntilHealed | Fault::Hangs => {}
            Fault::Times(left) => {
                faults.insert(key, Fault::Times(left - 1));
            }
            Fault::FullDisk(left) => {
                faults.insert(key, Fault::FullDisk(left - 1));
            }
            Fault::Panic => {
                faults.remove(&key);
                drop(faults);
                panic!("a reaction with a bug");
            }
        }
        Some(fault)
    }
}
