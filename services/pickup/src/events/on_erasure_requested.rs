//! A person is to be erased, of whom nothing is under way.

use quenty_contracts::customer::ErasureRequested;
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

pub(super) async fn on_erasure_requested(
    tx: &mut Tx,
    event: Received<ErasureRequested>,
) -> Result<(), Error> {
    commands::erase_person(tx, &event.data).await
}
