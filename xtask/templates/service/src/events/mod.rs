//! What {Name} listens to. One reaction per type.

use quenty_platform::Reaction;

pub(crate) fn reactions() -> Vec<Reaction> {
    vec![]
}
