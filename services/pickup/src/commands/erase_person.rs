//! A person is erased from the pickups at their door.

use quenty_contracts::{customer::ErasureRequested, party::Party, pickup::PickupsErased};
use quenty_kernel::id::{OrderId, PickupId, ReturnId};
use quenty_platform::{
    Tx,
    erasure::{Personal, Traces},
};
use uuid::Uuid;

use super::{lock, save};
use crate::{
    Error,
    domain::{
        pickup::{ErasureFact, Status},
        signature::Signature,
    },
    store::{self, pickups::Reach},
};

/// Erases the person from the pickups of their returns, which have ended. An order is collected at the merchant's.
///
/// # Errors
/// While a driver may still come, also once more after a failed attempt: that is waited for.
pub(crate) async fn erase_person(tx: &mut Tx, asked: &ErasureRequested) -> Result<(), Error> {
    let ErasureRequested { request_id, company_id, customer_id, round, .. } = *asked;
    let returns: Vec<Uuid> = asked.return_ids.iter().map(|id| id.uuid()).collect();
    tx.hold_for_erasure(&returns).await?;
    let ids = store::pickups::ids_of_returns(tx.conn(), company_id, &asked.return_ids).await?;
    let mut records = 0;
    for id in &ids {
        let mut pickup = lock(tx, Reach::PLATFORM, *id).await?;
        if matches!(pickup.status, Status::Scheduled | Status::Assigned | Status::InProgress | Status::Failed)
        {
            let why = "a pickup at a person who is to be erased is still under way";
            return Err(quenty_platform::Error::internal(why).into());
        }
        if let Some(erased) = pickup.erase(tx.now()) {
            save(tx, &pickup, [erased]).await?;
            records += 1;
        }
    }
    let mut about: Vec<String> = asked.order_ids.iter().map(OrderId::to_string).collect();
    about.extend(asked.return_ids.iter().map(ReturnId::to_string));
    let streams = ids.iter().map(PickupId::to_string).collect();
    let traces = Traces { streams, about, erased: returns };
    let facts = tx.erase_personal(request_id, company_id, &traces, leave).await?;
    let erased = PickupsErased { request_id, company_id, customer_id, round, records, facts };
    Ok(tx.record(request_id, Some(company_id), &ErasureFact::from(erased))?)
}

/// The place is that of the person's door.
fn leave(personal: &mut Personal) -> quenty_platform::Result<()> {
    personal.leave("contact", Party::erased)?;
    personal.put("signature_svg", Signature::BLANK);
    personal.clear("handed_over_by");
    personal.clear("position");
    // What a driver noted of a person or a door.
    personal.clear("detail");
    personal.clear("difference");
    Ok(())
}
