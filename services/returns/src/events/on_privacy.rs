//! Customer tells whom somebody asked to erase.

use quenty_contracts::customer::{ErasureRequested, PrivacyRequested};
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::{erase_customer, look_for_customer},
};

pub(super) async fn on_requested(tx: &mut Tx, event: Received<PrivacyRequested>) -> Result<(), Error> {
    let PrivacyRequested { request_id, company_id, customer_id, .. } = event.data;
    look_for_customer(tx, request_id, company_id, customer_id).await
}

pub(super) async fn on_erasure_requested(
    tx: &mut Tx,
    event: Received<ErasureRequested>,
) -> Result<(), Error> {
    erase_customer(tx, &event.data).await
}
