use quenty_kernel::{Scope, id::TransferId};
use quenty_platform::Tx;

use super::post::post;
use crate::{
    Error,
    domain::{
        stock::{Link, Movement, MovementKind, Note, Place},
        transfer::{Transfer, TransferError},
    },
    store,
};

/// What was sent arrives, in the same batches. Locks stock: call it last in the transaction.
///
/// # Errors
/// [`TransferError`]
pub(crate) async fn receive_transfer(
    tx: &mut Tx,
    scope: Scope,
    id: TransferId,
) -> Result<(Transfer, Vec<Movement>), Error> {
    let mut transfer = store::transfers::lock(tx.conn(), scope, id).await?.ok_or(TransferError::NotFound)?;
    transfer.ensure_in_transit()?;
    let sent = store::movements::sent_out(tx.conn(), id).await?;
    let products = sent.iter().map(|(place, _)| place.product_id).collect();
    let mut stock = store::stock::lock(tx.conn(), scope, &products).await?;
    for (from, quantity) in sent {
        let place = Place { warehouse_id: transfer.route().to(), ..from };
        stock.arrive(MovementKind::TransferIn, &place, quantity, &Note::of(Link::Transfer(id)))?;
    }
    let fact = transfer.receive(stock.quantities(MovementKind::TransferIn), tx.now())?;
    store::transfers::save(tx.conn(), &transfer).await?;
    post(tx, &mut stock).await?;
    tx.record(id, Some(transfer.company_id()), &fact)?;
    Ok((transfer, stock.posted().to_vec()))
}
