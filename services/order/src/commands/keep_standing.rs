use quenty_contracts::customer::Standing;
use quenty_platform::Tx;

use crate::{Error, store};

/// Keeps what Customer says a company may do, unless something newer is known.
pub(crate) async fn keep_standing(tx: &mut Tx, standing: &Standing) -> Result<(), Error> {
    let now = tx.now();
    Ok(store::standings::keep(tx.conn(), standing, now).await?)
}
