use quenty_kernel::id::{CompanyId, CustomerId};
use quenty_platform::Tx;

use crate::{Error, store};

/// Keeps that the company has this customer, and whether it sells to them no more, unless they are erased; who they
/// are, only Customer knows.
pub(crate) async fn keep_customer(
    tx: &mut Tx,
    company: CompanyId,
    id: CustomerId,
    blocked: bool,
) -> Result<(), Error> {
    if tx.is_erased(id).await? {
        return Ok(());
    }
    Ok(store::customers::keep(tx.conn(), company, id, blocked).await?)
}
