//! What Order does when it hears of the other services: one file per event, one line per file here.

use quenty_platform::Reaction;

pub(crate) fn reactions() -> Vec<Reaction> {
    vec![]
}
