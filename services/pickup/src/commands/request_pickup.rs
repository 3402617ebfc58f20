//! An order or a return asks for a pickup: it is booked or rejected, and both are answers.

use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use super::{create_pickup::book, placing, record, save};
use crate::{
    Error,
    domain::{
        booking::{Asker, BookingRequest},
        pickup::Pickup,
    },
    store::{self, pickups::Reach},
};

/// Answers a request; the same asker and attempt again is told its answer again, while that is true. A return whose buyer
/// is erased has ended, and waits for no answer.
pub(crate) async fn request_pickup(tx: &mut Tx, asker: Asker, request: BookingRequest) -> Result<(), Error> {
    if let Asker::Return(id) = asker
        && tx.is_erased(id).await?
    {
        return Ok(());
    }
    let id = PickupId::new();
    if !store::requests::claim(tx.conn(), asker, request.attempt, id).await? {
        return answer_again(tx, asker, request.attempt).await;
    }
    match placing::place(tx, &request, None).await {
        Ok(placement) => book(tx, id, request, &placement).await.map(drop),
        Err(Error::Unbookable(why)) => {
            let (pickup, facts) = Pickup::reject(id, request, why, tx.now());
            store::pickups::insert(tx.conn(), &pickup).await?;
            record(tx, &pickup, facts)
        }
        Err(error) => Err(error),
    }
}

/// Nothing of a request that was given up before it came: its answer was told then, and it has no pickup.
async fn answer_again(tx: &mut Tx, asker: Asker, attempt: u32) -> Result<(), Error> {
    let Some(id) = store::requests::find(tx.conn(), asker, attempt).await? else { return Ok(()) };
    let Some(mut pickup) = store::pickups::lock(tx.conn(), Reach::PLATFORM, id).await? else { return Ok(()) };
    let told = pickup.answer_again(tx.now());
    save(tx, &pickup, told).await
}
