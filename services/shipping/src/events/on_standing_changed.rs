//! Every event of a company carries its standing: one reaction keeps the newest.

use quenty_contracts::customer::{
    CompanyApproved, CompanyClosed, CompanyReactivated, CompanyRegistered, CompanyRejected, CompanySubmitted,
    CompanySuspended, CompanyUpdated, KycRejected, KycSubmitted, KycVerified, Standing,
};
use quenty_platform::{Received, Tx};

use crate::{Error, store};

/// An event that carries a company's standing.
pub trait TellsStanding {
    fn standing(&self) -> &Standing;
}

macro_rules! tells_standing {
    ($($event:ty),+ $(,)?) => {$(
        impl TellsStanding for $event {
            fn standing(&self) -> &Standing {
                &self.standing
            }
        }
    )+};
}

tells_standing!(
    CompanyRegistered,
    CompanyUpdated,
    CompanySubmitted,
    CompanyApproved,
    CompanyRejected,
    CompanySuspended,
    CompanyReactivated,
    CompanyClosed,
    KycSubmitted,
    KycVerified,
    KycRejected,
);

pub async fn on_standing_changed<E: TellsStanding>(tx: &mut Tx, event: Received<E>) -> Result<(), Error> {
    store::neighbours::keep_standing(tx.conn(), event.data.standing()).await
}
