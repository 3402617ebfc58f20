use quenty_kernel::{
    Scope,
    contact::Text,
    id::{CompanyId, ProductId, TransferId},
};
use quenty_platform::Tx;

use super::{ensure_warehouses::ensure_warehouses, post::post};
use crate::{
    Error,
    domain::{
        stock::{Link, Movement, MovementKind, Note, sum_by_product},
        transfer::{Route, Transfer},
    },
    store,
};

/// Sends goods to another warehouse; until they are received there they are in none.
/// Locks stock: call it last in the transaction.
///
/// # Errors
/// [`crate::domain::stock::StockError`]: unknown product or warehouse, not that much available, a batch that the
/// destination knows with another expiry date.
pub(crate) async fn transfer_stock(
    tx: &mut Tx,
    company: CompanyId,
    route: Route,
    lines: &[(ProductId, u32)],
    reference: Option<Text<120>>,
) -> Result<(Transfer, Vec<Movement>), Error> {
    let id = TransferId::new();
    ensure_warehouses(tx, company, &[route.from(), route.to()].into()).await?;
    let wants = sum_by_product(lines.iter().copied())?;
    let products = wants.keys().copied().collect();
    let mut stock = store::stock::lock(tx.conn(), Scope::Company(company), &products).await?;
    let note = Note { reference: reference.clone(), ..Note::of(Link::Transfer(id)) };
    stock.send_out(&wants, route, &note)?;
    let (transfer, fact) = Transfer::dispatch(
        id,
        company,
        route,
        reference,
        stock.quantities(MovementKind::TransferOut),
        tx.now(),
    );
    store::transfers::insert(tx.conn(), &transfer).await?;
    post(tx, &mut stock).await?;
    tx.record(id, Some(company), &fact)?;
    Ok((transfer, stock.posted().to_vec()))
}
