//! What can be done: load and lock, decide, save, record. Never commits.
