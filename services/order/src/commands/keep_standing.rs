use quenty_contracts::customer::Standing;
use quenty_kernel::id::{CompanyId, OrderId};
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use crate::{Error, domain::order::HoldCode, store};

/// The task that cancels what a closed company leaves behind.
pub(crate) const CLOSED_TASK: &str = "cancel_orders_of_closed";

/// The task that takes up what was held while the company might not do it.
pub(crate) const ALLOWED_TASK: &str = "retry_orders_of_allowed";

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Closed {
    pub(crate) company_id: CompanyId,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Allowed {
    pub(crate) company_id: CompanyId,
    /// Of the standing that allows it.
    pub(crate) version: i64,
    pub(crate) may_ship_internationally: bool,
    /// The last order that a task before this one has seen to.
    pub(crate) after: Option<OrderId>,
}

impl Allowed {
    /// Why orders were held that may go on.
    pub(crate) fn codes(self) -> &'static [HoldCode] {
        if self.may_ship_internationally {
            &[HoldCode::CompanyNotActive, HoldCode::KycRequired]
        } else {
            &[HoldCode::CompanyNotActive]
        }
    }

    /// Takes up those that are left, if any are.
    pub(crate) async fn enqueue(self, tx: &mut Tx) -> Result<(), Error> {
        let Self { company_id, version, after, .. } = self;
        let next = store::orders::next_held(&mut *tx.conn(), company_id, self.codes(), after).await?;
        if next.is_some() {
            let after = after.map_or_else(String::new, |id| format!(":{id}"));
            tx.enqueue(ALLOWED_TASK, format!("{company_id}:{version}{after}"), Some(company_id), &self)?;
        }
        Ok(())
    }
}

/// Keeps what Customer says a company may do, unless something newer is known.
pub(crate) async fn keep_standing(tx: &mut Tx, standing: &Standing) -> Result<(), Error> {
    let now = tx.now();
    if !store::standings::keep(tx.conn(), standing, now).await? {
        return Ok(());
    }
    let Standing { company_id, version, may_ship_internationally, .. } = *standing;
    // Once, however often it is told: nobody opens it again.
    if standing.status == "closed" {
        tx.enqueue(CLOSED_TASK, company_id.to_string(), Some(company_id), &Closed { company_id })?;
    }
    if standing.may_order {
        Allowed { company_id, version, may_ship_internationally, after: None }.enqueue(tx).await?;
    }
    Ok(())
}
