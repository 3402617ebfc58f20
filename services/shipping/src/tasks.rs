//! What needs the network: asking Customer whether a company may send abroad.

use quenty_contracts::customer::Standing;
use quenty_kernel::id::CompanyId;
use quenty_platform::{App, client::CallError, tasks::Claimed};

use crate::{
    Error,
    commands::{self, PendingBooking},
};

/// A booking that waits for Customer's word.
pub const DECIDE_BOOKING: &str = "decide_booking";

pub async fn decide_booking(app: App, task: Claimed<PendingBooking>) -> Result<(), Error> {
    let told = match ask_standing(&app, task.payload.company_id).await {
        Ok(standing) => Some(standing),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(quenty_platform::Error::from(error).into()),
    };
    let mut tx = task.begin(&app).await?;
    commands::decide_booking(&mut tx, task.payload.shipment_id, told.as_ref()).await?;
    Ok(tx.commit().await?)
}

/// What Customer says of a company now.
pub async fn ask_standing(app: &App, company: CompanyId) -> Result<Standing, CallError> {
    app.client().get("customer", &format!("/internal/companies/{company}/standing")).await
}
