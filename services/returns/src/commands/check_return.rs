//! May this come back, and at what price? The same answer that a request would get, without asking for it.

use jiff::Timestamp;
use quenty_contracts::returns::{LineQuantity, RefundAmounts};
use quenty_kernel::{Scope, id::OrderId, money::Money};
use sqlx::PgConnection;

use super::request_return::WantedLine;
use crate::{
    Error,
    domain::{
        approval::{Review, ReviewedLine, Verdict},
        delivered::{ClaimError, DeliveredOrder},
        policy::{PolicyTerms, ReturnPolicy},
        processing::refund_terms,
        refund::{self, Terms, Units, share},
        words::Resolution,
    },
    store,
};

/// What is asked about, or asked for.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) order_id: OrderId,
    pub(crate) lines: Vec<WantedLine>,
    pub(crate) resolution: Resolution,
    pub(crate) packaging_intact: bool,
    pub(crate) accessories_complete: bool,
}

/// What the rules say, and what it comes to.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) verdict: Verdict,
    pub(crate) expected: RefundAmounts,
    pub(crate) policy: ReturnPolicy,
}

impl Checked {
    /// Whether the policy takes goods back for these reasons.
    pub(super) fn check_reasons(&self, lines: &[WantedLine]) -> Result<(), Error> {
        for (index, line) in lines.iter().enumerate() {
            if !self.policy.terms.reasons.contains(&line.reason) {
                return Err(Error::ReasonNotAccepted { index, reason: line.reason });
            }
        }
        Ok(())
    }
}

/// Looks without locking: what it says may be taken by another return a moment later.
pub(crate) async fn check_return(
    connection: &mut PgConnection,
    scope: Scope,
    check: &Check,
    now: Timestamp,
) -> Result<Checked, Error> {
    let order = store::delivered::find(&mut *connection, scope, check.order_id).await?;
    let mut order = order.ok_or(Error::NotDelivered)?;
    let checked = evaluate(connection, &order, check, false, now).await?;
    checked.check_reasons(&check.lines)?;
    order.claim(&quantities(&check.lines))?;
    Ok(checked)
}

pub(super) fn quantities(lines: &[WantedLine]) -> Vec<LineQuantity> {
    lines.iter().map(|line| LineQuantity { line: line.line, quantity: line.quantity }).collect()
}

/// Applies the policy to an order; whether it accepts the reasons is for [`Checked::check_reasons`], whether so many
/// units are left for [`DeliveredOrder::claim`].
pub(super) async fn evaluate(
    connection: &mut PgConnection,
    order: &DeliveredOrder,
    check: &Check,
    is_recall: bool,
    now: Timestamp,
) -> Result<Checked, Error> {
    let company = order.company_id;
    let policy = store::policies::find(&mut *connection, company, None).await?;
    let policy = policy.unwrap_or_else(|| ReturnPolicy::initial(company));
    let score = store::delivered::score(&mut *connection, company, order.customer_id).await?;
    let lines = check.lines.iter().map(|line| reviewed(order, line)).collect::<Result<_, _>>()?;
    let review = Review {
        lines,
        delivered_at: order.delivered_at,
        packaging_intact: check.packaging_intact,
        accessories_complete: check.accessories_complete,
        score,
    };
    let verdict = review.decide(&policy.terms, now)?;
    let expected = expected(order, check, is_recall, &policy.terms)?;
    Ok(Checked { verdict, expected, policy })
}

fn reviewed(order: &DeliveredOrder, wanted: &WantedLine) -> Result<ReviewedLine, Error> {
    let line = order.line(wanted.line).ok_or(ClaimError::NoSuchLine { line: wanted.line })?;
    Ok(ReviewedLine {
        name: line.name.clone(),
        reason: wanted.reason,
        category: line.category.clone(),
        value: share(line.value.goods, line.quantity, 0, wanted.quantity)?,
    })
}

/// What the buyer gets if all of it arrives as described. What the way back costs is not known yet.
fn expected(
    order: &DeliveredOrder,
    check: &Check,
    is_recall: bool,
    terms: &PolicyTerms,
) -> Result<RefundAmounts, Error> {
    let mut units = Vec::new();
    for wanted in &check.lines {
        let line = order.line(wanted.line).ok_or(ClaimError::NoSuchLine { line: wanted.line })?;
        units.push(Units {
            value: line.value,
            quantity: line.quantity,
            before: line.settled,
            count: wanted.quantity,
            terms: if is_recall {
                Terms::AT_FAULT
            } else {
                refund_terms(wanted.reason, check.resolution, terms)
            },
        });
    }
    let nothing = Money::zero(order.paid.currency());
    Ok(refund::amounts(&units, nothing, order.left_to_refund()?)?)
}
