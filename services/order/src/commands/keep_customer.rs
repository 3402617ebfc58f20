use quenty_kernel::id::{CompanyId, CustomerId};
use quenty_platform::Tx;

use crate::{Error, store};

/// Keeps that the company has this customer; who they are, only Customer knows.
pub(crate) async fn keep_customer(tx: &mut Tx, company: CompanyId, id: CustomerId) -> Result<(), Error> {
    tx.keep_from_erasure(id).await?;
    Ok(store::customers::keep(tx.conn(), company, id).await?)
}
