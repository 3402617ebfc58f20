use quenty_contracts::customer::Standing;
use quenty_kernel::id::CompanyId;
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use crate::{Error, store};

/// The task that cancels what a closed company leaves behind.
pub(crate) const CLOSED_TASK: &str = "cancel_orders_of_closed";

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Closed {
    pub(crate) company_id: CompanyId,
}

/// Keeps what Customer says a company may do, unless something newer is known.
pub(crate) async fn keep_standing(tx: &mut Tx, standing: &Standing) -> Result<(), Error> {
    let now = tx.now();
    store::standings::keep(tx.conn(), standing, now).await?;
    // Once, however often it is told: nobody opens it again.
    if standing.status == "closed" {
        let company_id = standing.company_id;
        tx.enqueue(CLOSED_TASK, company_id.to_string(), Some(company_id), &Closed { company_id })?;
    }
    Ok(())
}
