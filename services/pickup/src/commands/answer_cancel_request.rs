//! An order or a return no longer wants its pickup: under the row's lock it is decided who was first, it or the driver.

use quenty_contracts::pickup::PickupCancelled;
use quenty_kernel::id::{CompanyId, PickupId};
use quenty_platform::Tx;

use super::{release_lost, save};
use crate::{
    Error,
    domain::{booking::CancelWish, pickup::PickupFact},
    store::{self, pickups::Reach},
};

/// Every wish gets exactly one answer, `cancelled` or `cancel_refused`, because the asker waits for it.
///
/// A request that is not known was never made: an asker's events arrive in their order, each after the one
/// before it succeeded, so that no earlier request can still be on its way. (It may have been discarded by an
/// operator, or be older than this database.) Then nobody will come, which is what `cancelled` says; and the
/// request is marked as answered, so that it books nothing should an operator replay it after all.
pub(crate) async fn answer_cancel_request(
    tx: &mut Tx,
    company: Option<CompanyId>,
    wish: CancelWish,
) -> Result<(), Error> {
    let known = match store::requests::find(tx.conn(), wish.asker, wish.attempt).await? {
        Some(id) => store::pickups::lock(tx.conn(), Reach::PLATFORM, id).await?,
        None => None,
    };
    let Some(mut pickup) = known else { return answer_unknown(tx, company, wish).await };
    let held = pickup.slot_start;
    let fact = pickup.answer_cancel_request(&wish.reason, tx.now());
    save(tx, &pickup, [fact]).await?;
    release_lost(tx, &pickup, held).await
}

async fn answer_unknown(tx: &mut Tx, company: Option<CompanyId>, wish: CancelWish) -> Result<(), Error> {
    let pickup_id = wish.pickup_id.unwrap_or_else(PickupId::new);
    store::requests::claim(tx.conn(), wish.asker, wish.attempt, pickup_id).await?;
    let (order_id, return_id) = (wish.asker.order_id(), wish.asker.return_id());
    let fact = PickupCancelled { pickup_id, order_id, return_id, reason: wish.reason };
    tx.record(pickup_id, company, &PickupFact::from(fact))?;
    Ok(())
}
