//! Has the payment provider pay a buyer what a return came to.

use quenty_kernel::Scope;
use quenty_platform::{App, tasks::Claimed};

use crate::{
    Error,
    commands::{self, PayBuyer},
    parts::{Answer, Payment, Payouts},
    store,
};

pub(super) async fn pay_buyer(app: App, task: Claimed<PayBuyer>) -> Result<(), Error> {
    let PayBuyer { return_id, number } = task.payload;
    let of = store::returns::find(app.db(), Scope::All, return_id).await?.ok_or(Error::NotFound("return"))?;
    // Recorded by hand meanwhile, or a person finds out what became of it.
    let Some(payout) = of.payout_under_way(number) else { return Ok(()) };
    let payment = Payment {
        return_id,
        order_id: of.order_id(),
        company_id: of.company_id(),
        amount: payout.amount,
        buyer: of.request.buyer.name.as_str(),
    };
    let answer = app.part::<Payouts>()?.pay(number, &payment).await?;
    let mut tx = task.begin(&app).await?;
    match answer {
        Answer::Paid { reference } => commands::finish_payout(&mut tx, &task.payload, reference).await?,
        Answer::Refused { why } => commands::refuse_payout(&mut tx, &task.payload, &why).await?,
    }
    Ok(tx.commit().await?)
}
