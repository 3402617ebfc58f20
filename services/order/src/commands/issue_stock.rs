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

/// What was reserved leaves the warehouse. Done already: nothing happens.
/// Locks stock: call it last in the transaction.
///
/// # Errors
/// [`crate::domain::reservation::ReservationError::Illegal`] when it was released.
pub(crate) async fn issue_stock(tx: &mut Tx, id: ReservationId) -> Result<(), Error> {
    let Some((mut reservation, mut stock, picks)) = load(tx, id, ReservationStatus::Issued).await? else {
        return Ok(());
    };
    stock.settle(MovementKind::Issue, &picks, &Note::of(Link::Reservation(id)))?;
    let fact = reservation.issue(stock.quantities(MovementKind::Issue), tx.now())?;
    store::reservations::save(tx.conn(), &reservation).await?;
    post(tx, &mut stock).await?;
    tx.record(id, Some(reservation.company_id()), &fact)?;
    Ok(())
}
