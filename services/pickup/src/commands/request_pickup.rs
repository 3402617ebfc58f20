//! An order or a return asks for a pickup: it is booked or rejected, and both are answers.

use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use super::{create_pickup::book, placing, record};
use crate::{
    Error,
    domain::{
        booking::{Asker, BookingRequest},
        pickup::Pickup,
    },
    store,
};

/// Answers a request once; the same asker and attempt again changes nothing. A return whose buyer is erased has ended, and
/// waits for no answer.
pub(crate) async fn request_pickup(tx: &mut Tx, asker: Asker, request: BookingRequest) -> Result<(), Error> {
    if let Asker::Return(id) = asker
        && tx.is_erased(id).await?
    {
        return Ok(());
    }
    let id = PickupId::new();
    if !store::requests::claim(tx.conn(), asker, request.attempt, id).await? {
        return Ok(());
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
