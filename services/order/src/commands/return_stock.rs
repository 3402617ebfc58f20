use quenty_kernel::id::ReservationId;
use quenty_platform::Tx;

use super::{post::post, release_stock::load};
use crate::{
    Error,
    domain::{
        reservation::ReservationStatus,
        stock::{Link, MovementKind, Note},
    },
    store,
};

/// What was issued comes back to where it was. Done already: nothing happens.
/// Locks stock: call it last in the transaction.
///
/// # Errors
/// [`crate::domain::reservation::ReservationError::Illegal`] when it has not left.
pub(crate) async fn return_stock(tx: &mut Tx, id: ReservationId, reason: &str) -> Result<(), Error> {
    let Some((mut reservation, mut stock, picks)) = load(tx, id, ReservationStatus::Returned).await? else {
        return Ok(());
    };
    let note = Note { reason: Some(reason.to_owned()), ..Note::of(Link::Reservation(id)) };
    stock.take_back(&picks, &note)?;
    let fact = reservation.take_back(stock.quantities(MovementKind::Return), reason, tx.now())?;
    store::reservations::save(tx.conn(), &reservation).await?;
    post(tx, &mut stock).await?;
    tx.record(id, Some(reservation.company_id()), &fact)?;
    Ok(())
}
