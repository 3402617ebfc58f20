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
    Panic,
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

    /// Whether this try fails; panics if that is its fault.
    pub fn strike(&self, stream: &str, n: i64) -> bool {
        let mut faults = self.0.lock().unwrap();
        let key = (stream.to_owned(), n);
        match faults.get(&key).copied() {
            None | Some(Fault::Times(0)) => false,
            Some(Fault::UntilHealed) => true,
            Some(Fault::Times(left)) => {
                faults.insert(key, Fault::Times(left - 1));
                true
            }
            Some(Fault::Panic) => {
                faults.remove(&key);
                drop(faults);
                panic!("a reaction with a bug");
            }
        }
    }
}
