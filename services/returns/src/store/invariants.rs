//! What is always true of this service's tables; `quenty doctor` proves it.

use quenty_platform::service::Invariant;

pub(crate) const INVARIANTS: &[Invariant] = &[];
