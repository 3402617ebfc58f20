//! Customer tells what a company may do: every event about it carries the whole standing.

use quenty_contracts::customer::{
    CompanyApproved, CompanyClosed, CompanyReactivated, CompanyRegistered, CompanyRejected, CompanySubmitted,
    CompanySuspended, CompanyUpdated, KycRejected, KycSubmitted, KycVerified,
};
use quenty_platform::{Received, Tx};

use crate::{Error, commands::keep_standing};

macro_rules! keeps_standing {
    ($($reaction:ident($event:ty);)+) => {$(
        pub(super) async fn $reaction(tx: &mut Tx, event: Received<$event>) -> Result<(), Error> {
            keep_standing(tx, &event.data.standing).await
        }
    )+};
}

keeps_standing! {
    on_registered(CompanyRegistered);
    on_updated(CompanyUpdated);
    on_submitted(CompanySubmitted);
    on_approved(CompanyApproved);
    on_rejected(CompanyRejected);
    on_suspended(CompanySuspended);
    on_reactivated(CompanyReactivated);
    on_closed(CompanyClosed);
    on_kyc_submitted(KycSubmitted);
    on_kyc_verified(KycVerified);
    on_kyc_rejected(KycRejected);
}
