//! A company closes: nobody of it is there any more to hand anything over, or to cancel.

use quenty_kernel::id::CompanyId;
use quenty_platform::Tx;

use super::cancel_pickup;
use crate::{
    Error,
    store::{self, pickups::Reach},
};

/// Cancels what it booked itself. Order and Returns decide about what they asked for.
pub(crate) async fn close_company(tx: &mut Tx, company: CompanyId) -> Result<(), Error> {
    for id in store::pickups::lock_own_of_company(tx.conn(), company).await? {
        cancel_pickup(tx, Reach::PLATFORM, id, "the company is closed").await?;
    }
    Ok(())
}
