//! What can be done: load and lock, decide, save, record. Never commits.

mod approve_return;
mod cancel_return;
mod change_policy;
mod check_return;
mod dispute_return;
mod erase_customer;
mod exchange_return;
mod expire_return;
mod follow_return;
mod give_back;
mod inspect_return;
mod issue_label;
mod keep_delivered;
mod process_return;
mod realise_disposition;
mod recall_product;
mod receive_return;
mod refund_return;
mod reject_return;
mod report_lost;
mod request_return;
mod schedule_pickup;

pub(crate) use approve_return::approve_return;
pub(crate) use cancel_return::cancel_return;
pub(crate) use change_policy::change_policy;
pub(crate) use check_return::{Check, Checked, check_return};
pub(crate) use dispute_return::dispute_return;
pub(crate) use erase_customer::{erase_customer, look_for_customer};
pub(crate) use exchange_return::{exchange_return, fail_exchange, retry_exchange, wanted_exchange};
pub(crate) use expire_return::expire_return;
pub(crate) use follow_return::follow_return;
pub(crate) use give_back::give_back;
pub(crate) use inspect_return::inspect_return;
pub(crate) use issue_label::issue_label;
pub(crate) use keep_delivered::{keep_delivered, keep_payment};
pub(crate) use process_return::{Choice, UnitOptions, disposition_options, process_return};
pub(crate) use realise_disposition::{Realisation, realise_disposition};
pub(crate) use recall_product::{recall_next_order, recall_product};
pub(crate) use receive_return::receive_return;
pub(crate) use refund_return::{finish_payout, refund_return, refuse_payout};
pub(crate) use reject_return::reject_return;
pub(crate) use report_lost::report_lost;
pub(crate) use request_return::{NewReturn, WantedLine, request_return};
pub(crate) use schedule_pickup::schedule_pickup;

use erase_customer::tell_returns_of;
use jiff::Timestamp;
use quenty_contracts::party::Parcel;
use quenty_kernel::{
    Scope,
    contact::NewEmail,
    day,
    id::{RecallId, ReturnId},
    measure::Grams,
    money::Money,
};
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    domain::{
        delivered::DeliveredOrder,
        goods_return::{Load, Return, ReturnError, ReturnFact, Status, Wanted, step_of},
        policy::PolicyTerms,
        processing::count_units,
        refund::share,
        words::WayBack,
    },
    store,
};

/// The task that waits for a saga's deadline.
pub(crate) const DEADLINE_TASK: &str = "return_deadline";
/// The task that orders the replacement of an exchange.
pub(crate) const EXCHANGE_TASK: &str = "place_exchange";
/// The task that goes through the orders of a recall.
pub(crate) const RECALL_TASK: &str = "recall_orders";
/// The task that has the payment provider pay the buyer.
pub(crate) const PAYOUT_TASK: &str = "pay_buyer";
/// The task that tells the buyer.
pub(crate) const NOTICE_TASK: &str = "notify_buyer";

/// What one person can lift; heavier pieces travel alone.
const PARCEL_GRAMS: u32 = 30_000;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct DueReturn {
    pub(crate) return_id: ReturnId,
    pub(crate) number: u32,
}

impl DueReturn {
    fn key(self) -> String {
        format!("{}:{}", self.return_id, self.number)
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct PlaceExchange {
    pub(crate) return_id: ReturnId,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct PayBuyer {
    pub(crate) return_id: ReturnId,
    /// The payout's.
    pub(crate) number: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct RecallOrders {
    pub(crate) recall_id: RecallId,
    /// Orders that were counted when this task was made.
    pub(crate) from: u32,
}

impl RecallOrders {
    pub(crate) fn key(self) -> String {
        format!("{}:{}", self.recall_id, self.from)
    }
}

/// What the buyer is told: `step` is what [`step_of`] makes of a fact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BuyerNotice {
    pub(crate) return_id: ReturnId,
    pub(crate) step: String,
}

/// An order and one of its returns, both locked: the order first.
struct Locked {
    order: DeliveredOrder,
    of: Return,
    /// The number of the deadline that it waited for.
    waited_for: Option<u32>,
}

async fn lock(tx: &mut Tx, scope: Scope, id: ReturnId) -> Result<Locked, Error> {
    let order = store::returns::order_of(&mut *tx.conn(), scope, id).await?;
    let order = order.ok_or(Error::NotFound("return"))?;
    let order = store::delivered::lock(tx.conn(), scope, order).await?.ok_or(Error::NotFound("order"))?;
    let of = store::returns::lock(tx.conn(), scope, id).await?.ok_or(Error::NotFound("return"))?;
    let waited_for = of.deadline.map(|deadline| deadline.number);
    Ok(Locked { order, of, waited_for })
}

async fn terms(tx: &mut Tx, of: &Return) -> Result<PolicyTerms, Error> {
    let version = Some(of.request.policy_version);
    let policy = store::policies::find(tx.conn(), of.company_id(), version).await?;
    Ok(policy.ok_or(Error::NotFound("policy"))?.terms)
}

/// Saves a return and its order, records what happened, and waits for what has to happen next.
async fn save(tx: &mut Tx, locked: &mut Locked, facts: Vec<ReturnFact>) -> Result<(), Error> {
    if facts.is_empty() {
        return Ok(());
    }
    count_units(&mut locked.order, &locked.of, &facts)?;
    store::delivered::save(tx.conn(), &locked.order).await?;
    store::returns::save(tx.conn(), &locked.of).await?;
    wait(tx, &locked.of, locked.waited_for).await?;
    locked.waited_for = locked.of.deadline.map(|deadline| deadline.number);
    record(tx, &locked.of, facts)?;
    match locked.order.customer_id {
        Some(customer) if locked.of.status.is_over() || locked.of.status == Status::Rejected => {
            tell_returns_of(tx, locked.order.company_id, customer).await
        }
        _ => Ok(()),
    }
}

async fn wait(tx: &mut Tx, of: &Return, waited_for: Option<u32>) -> Result<(), Error> {
    let number = of.deadline.map(|deadline| deadline.number);
    if number == waited_for {
        return Ok(());
    }
    if let Some(number) = waited_for {
        tx.cancel_task(DEADLINE_TASK, &DueReturn { return_id: of.id, number }.key()).await?;
    }
    if let Some(deadline) = of.deadline {
        let due = DueReturn { return_id: of.id, number: deadline.number };
        tx.schedule(DEADLINE_TASK, due.key(), deadline.at, Some(of.company_id()), &due)?;
    }
    Ok(())
}

fn record(tx: &mut Tx, of: &Return, facts: Vec<ReturnFact>) -> Result<(), Error> {
    for fact in facts {
        count(&fact);
        tell_buyer(tx, of, &fact)?;
        // The person behind the personal data is the buyer: the merchant's customer, if we know which.
        match of.request.customer_id {
            Some(customer) => tx.record_about(of.id, customer, Some(of.company_id()), &fact)?,
            None => tx.record(of.id, Some(of.company_id()), &fact)?,
        }
    }
    Ok(())
}

fn tell_buyer(tx: &mut Tx, of: &Return, fact: &ReturnFact) -> Result<(), Error> {
    let (Some(step), Some(email)) = (step_of(fact), &of.request.buyer.email) else { return Ok(()) };
    // While it is open whether the return ends, the buyer hears nothing of a driver.
    if of.ending.is_some() {
        return Ok(());
    }
    // An order's address may be one that no mailer takes.
    if email.as_str().parse::<NewEmail>().is_err() {
        return Ok(());
    }
    let notice = BuyerNotice { return_id: of.id, step: step.to_owned() };
    let key = format!("return-{}-{}-{step}", of.id, of.version);
    Ok(tx.enqueue(NOTICE_TASK, key, Some(of.company_id()), &notice)?)
}

fn count(fact: &ReturnFact) {
    match fact {
        ReturnFact::Requested(fact) => {
            metrics::counter!("quenty_returns_requested_total", "kind" => fact.kind.clone()).increment(1);
        }
        ReturnFact::Completed(fact) => {
            metrics::counter!("quenty_returns_completed_total", "outcome" => fact.outcome.clone())
                .increment(1);
        }
        ReturnFact::AttentionRaised(fact) => {
            metrics::counter!("quenty_returns_attention_total", "code" => fact.attention.code.clone())
                .increment(1);
        }
        _ => {}
    }
}

/// Arranges the way back that was asked for, once it is approved.
fn arrange(of: &mut Return, order: &DeliveredOrder, now: Timestamp) -> Result<Vec<ReturnFact>, Error> {
    // Nobody comes on a day that is over: then any slot will do.
    let wanted = if of.request.pickup_date.is_some_and(|date| day::is_over(date, now)) {
        Wanted::default()
    } else {
        Wanted { date: of.request.pickup_date, slot: of.request.pickup_slot.clone() }
    };
    let way_back: WayBack = of.request.way_back.parse()?;
    Ok(match way_back {
        WayBack::Pickup => of.ask_for_pickup(wanted, load(of, order)?, now)?,
        WayBack::Label => of.ask_for_label(load(of, order)?, now)?,
        WayBack::DropOff => Vec::new(),
    })
}

/// What is on its way back: parcels that one person can lift, and what customs want to know.
fn load(of: &Return, order: &DeliveredOrder) -> Result<Load, Error> {
    let (mut items, mut units) = (Vec::new(), Vec::new());
    let mut declared_value = Money::zero(order.paid.currency());
    for outstanding in of.outstanding() {
        let Some(line) = order.line(outstanding.line) else { continue };
        let count = outstanding.quantity;
        units.extend((0..count).map(|_| line.item.unit_weight_grams.get()));
        items.push(quenty_contracts::party::Item { quantity: count, ..line.item.clone() });
        declared_value = declared_value.checked_add(share(line.value.goods, line.quantity, 0, count)?)?;
    }
    if units.is_empty() {
        return Err(ReturnError::Nothing.into());
    }
    Ok(Load { parcels: parcels(&units)?, items, declared_value })
}

fn parcels(units: &[u32]) -> Result<Vec<Parcel>, Error> {
    let mut weights: Vec<u32> = Vec::new();
    for unit in units {
        match weights.last_mut() {
            Some(weight) if weight.saturating_add(*unit) <= PARCEL_GRAMS => *weight += unit,
            _ => weights.push(*unit),
        }
    }
    let parcel = |weight| Ok(Parcel { weight_grams: Grams::new(weight)?, dimensions: None, fragile: false });
    weights.into_iter().map(parcel).collect()
}
