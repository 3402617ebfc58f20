//! A recall: a company calls a product back from everybody who has it.

use jiff::Timestamp;
use quenty_kernel::{
    Actor, Event,
    contact::Text,
    id::{CompanyId, OrderId, ProductId, RecallId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::{Reason, Resolution, WayBack};

/// The rule by which a recall's returns are approved.
pub(crate) const RULE: &str = "RECALL";

/// How each of its returns is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RecallTerms {
    #[schema(inline)]
    pub(crate) reason: Reason,
    /// `refund` or `store_credit`.
    pub(crate) resolution: Resolution,
    #[schema(inline)]
    pub(crate) way_back: WayBack,
    pub(crate) notes: Option<Text<1000>>,
}

/// How far a recall has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recall {
    pub(crate) id: RecallId,
    pub(crate) company_id: CompanyId,
    pub(crate) product_id: ProductId,
    pub(crate) terms: RecallTerms,
    pub(crate) delivered_since: Option<Timestamp>,
    pub(crate) is_done: bool,
    pub(crate) last_order: Option<OrderId>,
    pub(crate) opened: u32,
    /// Orders of which nothing could be asked back: nothing is left with the buyer, or the rules refuse it.
    pub(crate) passed_over: u32,
    pub(crate) requested_by: Actor,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecallRequested {
    pub(crate) recall_id: RecallId,
    pub(crate) company_id: CompanyId,
    pub(crate) product_id: ProductId,
    pub(crate) terms: RecallTerms,
    pub(crate) delivered_since: Option<Timestamp>,
}

impl Event for RecallRequested {
    const TYPE: &'static str = "quenty.returns.recall.requested.v1";
    const PUBLISHED: bool = false;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecallCompleted {
    pub(crate) recall_id: RecallId,
    pub(crate) opened: u32,
    pub(crate) passed_over: u32,
}

impl Event for RecallCompleted {
    const TYPE: &'static str = "quenty.returns.recall.completed.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum RecallFact {
        Requested(RecallRequested),
        Completed(RecallCompleted),
    }
}
