//! A company calls a product back, order by order.

use quenty_kernel::id::{CompanyId, OrderId, ProductId, RecallId};
use quenty_platform::Tx;

use super::{
    RECALL_TASK, RecallOrders,
    check_return::Check,
    request_return::{NewReturn, WantedLine, request_return},
};
use crate::{
    Error,
    domain::{
        policy::ReturnPolicy,
        recall::{Recall, RecallCompleted, RecallFact, RecallRequested, RecallTerms},
        words::ReturnKind,
    },
    store,
};

/// Begins a recall; its returns are opened by a task.
pub(crate) async fn recall_product(
    tx: &mut Tx,
    company_id: CompanyId,
    product_id: ProductId,
    terms: RecallTerms,
    delivered_since: Option<jiff::Timestamp>,
) -> Result<Recall, Error> {
    let policy = store::policies::find(tx.conn(), company_id, None).await?;
    let policy = policy.unwrap_or_else(|| ReturnPolicy::initial(company_id));
    if !policy.terms.reasons.contains(&terms.reason) {
        return Err(Error::RecallReasonNotAccepted(terms.reason));
    }
    let now = tx.now();
    let recall = Recall {
        id: RecallId::new(),
        company_id,
        product_id,
        terms,
        delivered_since,
        is_done: false,
        last_order: None,
        opened: 0,
        passed_over: 0,
        requested_by: tx.actor().clone(),
        created_at: now,
        updated_at: now,
    };
    store::recalls::insert(tx.conn(), &recall).await?;
    let terms = recall.terms.clone();
    let requested = RecallRequested { recall_id: recall.id, company_id, product_id, terms, delivered_since };
    tx.record(recall.id, Some(company_id), &RecallFact::from(requested))?;
    let task = RecallOrders { recall_id: recall.id, from: 0 };
    tx.enqueue(RECALL_TASK, task.key(), Some(company_id), &task)?;
    Ok(recall)
}

/// Opens the return of the next order, or finds that there is none left. Whoever looks at an order counts it with what
/// becomes of it, in one transaction.
pub(crate) async fn recall_next_order(tx: &mut Tx, id: RecallId) -> Result<Recall, Error> {
    let mut recall = store::recalls::lock(tx.conn(), id).await?.ok_or(Error::NotFound("recall"))?;
    if recall.is_done {
        return Ok(recall);
    }
    match store::recalls::next_order(tx.conn(), &recall).await? {
        Some(order) => {
            recall.last_order = Some(order);
            if open_return(tx, &recall, order).await? {
                recall.opened += 1;
            } else {
                recall.passed_over += 1;
            }
        }
        None => {
            recall.is_done = true;
            let Recall { opened, passed_over, .. } = recall;
            let completed = RecallFact::from(RecallCompleted { recall_id: id, opened, passed_over });
            tx.record(id, Some(recall.company_id), &completed)?;
        }
    }
    let now = tx.now();
    store::recalls::save(tx.conn(), &recall, now).await?;
    Ok(recall)
}

/// Asks back all that the buyer still has of the product; nothing, if that is nothing or the rules refuse it.
async fn open_return(tx: &mut Tx, recall: &Recall, order_id: OrderId) -> Result<bool, Error> {
    let scope = quenty_kernel::Scope::Company(recall.company_id);
    let order = store::delivered::lock(tx.conn(), scope, order_id).await?.ok_or(Error::NotDelivered)?;
    let lines = order.lines.iter().filter(|line| line.product_id == recall.product_id);
    let lines: Vec<WantedLine> = lines
        .map(|line| WantedLine {
            line: line.line,
            quantity: line.quantity.saturating_sub(line.claimed),
            reason: recall.terms.reason,
        })
        .filter(|line| line.quantity > 0)
        .collect();
    // Nobody knows any more who has it.
    if lines.is_empty() || order.consignee.is_erased() {
        return Ok(false);
    }
    let new = NewReturn {
        kind: ReturnKind::Return,
        check: Check {
            order_id,
            lines,
            resolution: recall.terms.resolution,
            packaging_intact: true,
            accessories_complete: true,
        },
        exchange: Vec::new(),
        way_back: recall.terms.way_back,
        pickup_date: None,
        pickup_slot: None,
        buyer: None,
        language: None,
        notes: recall.terms.notes.clone(),
        recall: Some(recall.id),
    };
    let (of, _) = match request_return(tx, scope, new).await {
        // One order ends no recall of all others. Rules refuse before anything is written.
        Err(error) if error.is_refusal() => {
            tracing::warn!(recall_id = %recall.id, %order_id, %error, "a recall passed an order over");
            return Ok(false);
        }
        asked => asked?,
    };
    store::recalls::insert_return(tx.conn(), recall.id, of.id).await?;
    Ok(true)
}
