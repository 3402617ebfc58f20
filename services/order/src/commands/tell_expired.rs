use quenty_kernel::{
    Scope,
    id::{CompanyId, ProductId},
};
use quenty_platform::Tx;

use super::post::tell_alarms;
use crate::{Error, store};

/// Tells that a product fell low because of what has expired of it: nothing was posted that would tell it.
pub(crate) async fn tell_expired(tx: &mut Tx, company: CompanyId, product: ProductId) -> Result<(), Error> {
    let mut stock = store::stock::lock(tx.conn(), Scope::Company(company), &[product].into()).await?;
    tell_alarms(tx, &mut stock).await
}
