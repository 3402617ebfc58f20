//! What a unit really brought.

use quenty_kernel::{Event, Scope, contact::Text, id::DispositionId, money::Money};
use quenty_platform::{Tx, http::IfMatch};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    store::{self, dispositions::Disposition},
};

/// What is known of a unit's end by now; what is absent stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Realisation {
    pub(crate) realised: Option<Money>,
    pub(crate) partner: Option<Text<120>>,
}

/// Kept beside the published facts of the unit: what it brought is the company's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DispositionRealised {
    pub(crate) realised: Option<Money>,
    pub(crate) partner: Option<String>,
}

impl Event for DispositionRealised {
    const TYPE: &'static str = "quenty.returns.disposition.realised.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum DispositionFact { Realised(DispositionRealised) }
}

pub(crate) async fn realise_disposition(
    tx: &mut Tx,
    scope: Scope,
    id: DispositionId,
    seen: IfMatch,
    told: Realisation,
) -> Result<Disposition, Error> {
    let now = tx.now();
    let found = store::dispositions::lock(tx.conn(), scope, id).await?;
    let mut disposition = found.ok_or(Error::NotFound("disposition"))?;
    seen.check(disposition.version)?;
    if let Some(realised) = told.realised {
        if realised.currency() != disposition.estimated.currency() {
            return Err(Error::OtherCurrency);
        }
        disposition.realised = Some(realised);
    }
    if let Some(partner) = told.partner {
        disposition.partner = Some(partner.into());
    }
    disposition.version += 1;
    disposition.updated_at = now;
    store::dispositions::save(tx.conn(), &disposition).await?;
    let fact = DispositionRealised { realised: disposition.realised, partner: disposition.partner.clone() };
    tx.record(id, Some(disposition.company_id), &DispositionFact::from(fact))?;
    Ok(disposition)
}
