use std::collections::BTreeSet;

use quenty_kernel::{
    Scope,
    id::{ProductId, ReservationId},
};
use quenty_platform::Tx;

use super::post::post;
use crate::{
    Error,
    domain::{
        reservation::{Reservation, ReservationError, ReservationStatus},
        stock::{Link, MovementKind, Note, Pick, Stock},
    },
    store,
};

/// Puts what is reserved up for sale again. Done already: nothing happens.
/// Locks stock: call it last in the transaction.
///
/// # Errors
/// [`ReservationError::Illegal`] when the goods have left.
pub(crate) async fn release_stock(tx: &mut Tx, id: ReservationId, why: &str) -> Result<(), Error> {
    let Some((mut reservation, mut stock, picks)) = load(tx, id, ReservationStatus::Released).await? else {
        return Ok(());
    };
    let note = Note { reason: Some(why.to_owned()), ..Note::of(Link::Reservation(id)) };
    stock.settle(MovementKind::Release, &picks, &note)?;
    let fact = reservation.release(stock.quantities(MovementKind::Release), tx.now())?;
    store::reservations::save(tx.conn(), &reservation).await?;
    post(tx, &mut stock).await?;
    tx.record(id, Some(reservation.company_id()), &fact)?;
    Ok(())
}

/// The reservation, the stock of its products and its pieces, all locked; nothing when it is as wanted already.
pub(super) async fn load(
    tx: &mut Tx,
    id: ReservationId,
    wanted: ReservationStatus,
) -> Result<Option<(Reservation, Stock, Vec<Pick>)>, Error> {
    let Some((reservation, products, picks)) = load_picks(tx, id, wanted).await? else { return Ok(None) };
    let stock = store::stock::lock(tx.conn(), Scope::Company(reservation.company_id()), &products).await?;
    Ok(Some((reservation, stock, picks)))
}

/// The reservation, locked, its products and its pieces; nothing when it is as wanted already.
pub(super) async fn load_picks(
    tx: &mut Tx,
    id: ReservationId,
    wanted: ReservationStatus,
) -> Result<Option<(Reservation, BTreeSet<ProductId>, Vec<Pick>)>, Error> {
    let reservation = store::reservations::lock(tx.conn(), id).await?.ok_or(ReservationError::NotFound)?;
    if !reservation.needs(wanted)? {
        return Ok(None);
    }
    let (products, picks) = store::movements::reserved(tx.conn(), id).await?.into_iter().unzip();
    Ok(Some((reservation, products, picks)))
}
