//! A buyer wants to give goods back.

use jiff::civil::Date;
use quenty_contracts::{
    party::Party,
    returns::{ExchangeLine, ReturnRequested, ReturnedLine},
};
use quenty_kernel::{
    Scope,
    contact::{Email, LanguageTag, Text},
    hex,
    id::{RecallId, ReturnId},
};
use quenty_platform::Tx;
use rand::Rng;

use super::{
    arrange,
    check_return::{Check, Checked, evaluate, quantities},
    record, wait,
};
use crate::{
    Error,
    domain::{
        approval::{Finding, Verdict},
        delivered::{ClaimError, DeliveredOrder},
        goods_return::Return,
        recall::RULE,
        words::{Reason, ReturnKind, WayBack},
    },
    store::{self, neighbours::KnownCustomer},
};

/// Long enough that nobody guesses one: 160 bits.
const TOKEN_BYTES: usize = 20;

#[derive(Debug, Clone, Copy)]
pub(crate) struct WantedLine {
    /// The line's place in its order, from 1.
    pub(crate) line: u32,
    pub(crate) quantity: u32,
    pub(crate) reason: Reason,
}

/// A return as it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewReturn {
    pub(crate) kind: ReturnKind,
    pub(crate) check: Check,
    pub(crate) exchange: Vec<ExchangeLine>,
    pub(crate) way_back: WayBack,
    pub(crate) pickup_date: Option<Date>,
    pub(crate) pickup_slot: Option<String>,
    /// Who hands the goods over, where it is not whom they were sent to.
    pub(crate) buyer: Option<Party>,
    pub(crate) language: Option<LanguageTag>,
    pub(crate) notes: Option<Text<1000>>,
    /// The recall that opens it, which nobody has to approve.
    pub(crate) recall: Option<RecallId>,
}

/// Sets the units aside under the order's lock, and decides by rule what can be. Beside the return comes the token of
/// its buyer's page.
pub(crate) async fn request_return(
    tx: &mut Tx,
    scope: Scope,
    new: NewReturn,
) -> Result<(Return, String), Error> {
    let (now, token) = (tx.now(), token());
    let order = store::delivered::lock(tx.conn(), scope, new.check.order_id).await?;
    let mut order = order.ok_or(Error::NotDelivered)?;
    // A replacement goes to whom the order went to, and nobody knows any more who that was.
    if order.consignee.is_erased() && (new.buyer.is_none() || new.kind == ReturnKind::Exchange) {
        return Err(Error::BuyerErased);
    }
    let checked = evaluate(tx.conn(), &order, &new.check, new.recall.is_some(), now).await?;
    // A recall's reason was accepted when it began: it goes on, whatever the policy has become since.
    if new.recall.is_none() {
        checked.check_reasons(&new.check.lines)?;
    }
    order.claim(&quantities(&new.check.lines))?;
    let customer = match order.customer_id {
        Some(id) => store::neighbours::find_customer(tx.conn(), order.company_id, id).await?,
        None => None,
    };
    let days = checked.policy.terms.expires_after_days;
    let verdict = match new.recall {
        Some(id) => Verdict::Approved(Finding { rule: RULE.to_owned(), detail: id.to_string() }),
        None => checked.verdict.clone(),
    };
    let mut request = requested(tx, new, &order, &checked, customer.unwrap_or_default())?;
    // The goods were sent from there; the warehouse may have moved.
    let moved = store::neighbours::find_warehouse(tx.conn(), order.company_id, order.warehouse_id).await?;
    if let Some((address, phone)) = moved {
        request.destination = Party { address, phone, ..request.destination };
    }
    let (mut of, mut facts) = Return::request(request, verdict, days, now);
    if of.approval.is_some() {
        facts.extend(arrange(&mut of, &order, now)?);
    }
    store::delivered::save(tx.conn(), &order).await?;
    store::returns::insert(tx.conn(), &of, &token).await?;
    wait(tx, &of, None).await?;
    record(tx, &of, facts)?;
    Ok((of, token))
}

fn requested(
    tx: &Tx,
    new: NewReturn,
    order: &DeliveredOrder,
    checked: &Checked,
    customer: KnownCustomer,
) -> Result<ReturnRequested, Error> {
    let check = new.check;
    let lines = check.lines.iter().map(|wanted| line(order, wanted)).collect::<Result<_, _>>()?;
    let mut buyer = new.buyer.unwrap_or_else(|| order.consignee.clone());
    if buyer.email.is_none() {
        buyer.email = customer.email.and_then(|email| email.parse::<Email>().ok());
    }
    let language = new.language.map(|language| language.as_str().to_owned()).or(customer.language);
    Ok(ReturnRequested {
        return_id: ReturnId::new(),
        company_id: order.company_id,
        order_id: order.id,
        customer_id: order.customer_id,
        kind: new.kind.as_str().to_owned(),
        resolution: check.resolution.as_str().to_owned(),
        way_back: new.way_back.as_str().to_owned(),
        lines,
        exchange: new.exchange,
        buyer,
        destination: order.sender.clone(),
        warehouse_id: order.warehouse_id,
        policy_version: checked.policy.version,
        expected: checked.expected,
        // Most buyers of our merchants read Spanish.
        language: language.unwrap_or_else(|| "es".to_owned()),
        packaging_intact: check.packaging_intact,
        accessories_complete: check.accessories_complete,
        pickup_date: new.pickup_date,
        pickup_slot: new.pickup_slot,
        notes: new.notes.map(String::from),
        requested_by: tx.actor().clone(),
    })
}

fn line(order: &DeliveredOrder, wanted: &WantedLine) -> Result<ReturnedLine, ClaimError> {
    let line = order.line(wanted.line).ok_or(ClaimError::NoSuchLine { line: wanted.line })?;
    Ok(ReturnedLine {
        line: line.line,
        product_id: line.product_id,
        sku: line.sku.clone(),
        name: line.name.clone(),
        quantity: wanted.quantity,
        reason: wanted.reason.as_str().to_owned(),
    })
}

/// Opens the page of a return's buyer.
pub(super) fn token() -> String {
    let mut bytes = [0_u8; TOKEN_BYTES];
    rand::rng().fill(&mut bytes);
    hex(bytes)
}
