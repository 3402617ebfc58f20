//! A request to erase a person: it waits until nothing of the person is under way, has every service erase what it holds,
//! and is completed when all have (ADR 12).

use std::collections::{BTreeMap, BTreeSet};

use quenty_contracts::customer::{ErasureRequested, PrivacyCompleted, PrivacyRequested};
use quenty_kernel::{
    Actor, Event, Timestamp,
    id::{CompanyId, CustomerId, OrderId, PrivacyRequestId, ReturnId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The services that hold something about a company's customers, beside this one.
const HOLDERS: [&str; 4] = ["order", "pickup", "returns", "shipping"];

quenty_kernel::words! {
    /// What is asked for; nobody can undo `erase`.
    pub(crate) enum PrivacyKind ("kind of privacy request") { Erase = "erase" }
}

quenty_kernel::words! {
    pub(crate) enum PrivacyStatus ("status of a privacy request") {
        /// Orders or returns of the person are under way, or nobody has answered yet whether there are any.
        Waiting = "waiting",
        Erasing = "erasing",
        Completed = "completed",
    }
}

/// What one service erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Erased {
    /// Rows that spoke of the person.
    pub(crate) records: u32,
    /// Facts of its journal that were stripped.
    pub(crate) facts: u32,
}

/// What a service holds of the person, and what of that has not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Held<T> {
    pub(crate) all: Vec<T>,
    pub(crate) under_way: Vec<T>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OrdersHeld {
    pub(crate) orders: Held<OrderId>,
}

impl Event for OrdersHeld {
    const TYPE: &'static str = "quenty.customer.privacy.orders_held.v1";
    const PUBLISHED: bool = false;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReturnsHeld {
    pub(crate) returns: Held<ReturnId>,
}

impl Event for ReturnsHeld {
    const TYPE: &'static str = "quenty.customer.privacy.returns_held.v1";
    const PUBLISHED: bool = false;
}

/// One service has erased what it held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceErased {
    pub(crate) service: String,
    #[serde(default)]
    pub(crate) round: u32,
    pub(crate) erased: Erased,
}

impl Event for ServiceErased {
    const TYPE: &'static str = "quenty.customer.privacy.service_erased.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum PrivacyFact {
        Requested(PrivacyRequested),
        OrdersHeld(OrdersHeld),
        ReturnsHeld(ReturnsHeld),
        ErasureRequested(ErasureRequested),
        ServiceErased(ServiceErased),
        Completed(PrivacyCompleted),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrivacyError {
    #[error("there is no such privacy request")]
    NotFound,
    #[error("somebody asked for it already")]
    UnderWay(Option<PrivacyRequestId>),
}

/// A request and all that the row keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PrivacyRequest {
    pub(crate) id: PrivacyRequestId,
    pub(crate) company_id: CompanyId,
    pub(crate) customer_id: CustomerId,
    pub(crate) kind: PrivacyKind,
    pub(crate) status: PrivacyStatus,
    /// Absent until the service has answered.
    pub(crate) orders: Option<Held<OrderId>>,
    pub(crate) returns: Option<Held<ReturnId>>,
    /// How often everybody was asked to erase.
    #[serde(default)]
    pub(crate) round: u32,
    /// Who has not erased yet in this round.
    pub(crate) open: BTreeSet<String>,
    pub(crate) erased: BTreeMap<String, Erased>,
    pub(crate) requested_by: Actor,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) completed_at: Option<Timestamp>,
}

impl PrivacyRequest {
    pub(crate) fn erase(
        company_id: CompanyId,
        customer_id: CustomerId,
        requested_by: Actor,
        now: Timestamp,
    ) -> (Self, PrivacyFact) {
        let request = Self {
            id: PrivacyRequestId::new(),
            company_id,
            customer_id,
            kind: PrivacyKind::Erase,
            status: PrivacyStatus::Waiting,
            orders: None,
            returns: None,
            round: 0,
            open: BTreeSet::new(),
            erased: BTreeMap::new(),
            requested_by,
            version: 1,
            created_at: now,
            updated_at: now,
            completed_at: None,
        };
        let kind = request.kind.to_string();
        let requested = PrivacyRequested { request_id: request.id, company_id, customer_id, kind };
        (request, requested.into())
    }

    /// Order says what it holds.
    pub(crate) fn hear_orders(&mut self, orders: Held<OrderId>, now: Timestamp) -> Vec<PrivacyFact> {
        self.hear(OrdersHeld { orders }, now)
    }

    /// Returns says what it holds.
    pub(crate) fn hear_returns(&mut self, returns: Held<ReturnId>, now: Timestamp) -> Vec<PrivacyFact> {
        self.hear(ReturnsHeld { returns }, now)
    }

    /// Once nothing is under way, everybody erases. Something that began meanwhile makes the request wait once more; what
    /// also ended meanwhile is told to everybody at once, since only Order and Returns know customers.
    fn hear(&mut self, told: impl Into<PrivacyFact>, now: Timestamp) -> Vec<PrivacyFact> {
        if self.status == PrivacyStatus::Completed {
            return Vec::new();
        }
        let mut facts = vec![self.happen(told, now)];
        if let (PrivacyStatus::Waiting, Some(orders), Some(returns)) =
            (self.status, &self.orders, &self.returns)
            && orders.under_way.is_empty()
            && returns.under_way.is_empty()
        {
            let requested = ErasureRequested {
                request_id: self.id,
                company_id: self.company_id,
                customer_id: self.customer_id,
                round: self.round + 1,
                order_ids: orders.all.clone(),
                return_ids: returns.all.clone(),
            };
            facts.push(self.happen(requested, now));
        }
        facts
    }

    /// A service has erased what it held. What it says of an earlier round counts, and ends nothing.
    pub(crate) fn hear_erased(
        &mut self,
        service: &str,
        round: u32,
        erased: Erased,
        now: Timestamp,
    ) -> Vec<PrivacyFact> {
        if self.status == PrivacyStatus::Completed {
            return Vec::new();
        }
        let mut facts = vec![self.happen(ServiceErased { service: service.to_owned(), round, erased }, now)];
        if self.status == PrivacyStatus::Erasing && self.open.is_empty() {
            let PrivacyRequest { id: request_id, company_id, customer_id, .. } = *self;
            facts.push(self.happen(PrivacyCompleted { request_id, company_id, customer_id }, now));
        }
        facts
    }

    fn happen(&mut self, fact: impl Into<PrivacyFact>, now: Timestamp) -> PrivacyFact {
        let fact = fact.into();
        self.apply(&fact, now);
        fact
    }

    fn apply(&mut self, fact: &PrivacyFact, now: Timestamp) {
        match fact {
            // Only the first fact creates.
            PrivacyFact::Requested(_) => return,
            PrivacyFact::OrdersHeld(told) => {
                self.status = after(self.status, self.orders.as_ref(), &told.orders);
                self.orders = Some(told.orders.clone());
            }
            PrivacyFact::ReturnsHeld(told) => {
                self.status = after(self.status, self.returns.as_ref(), &told.returns);
                self.returns = Some(told.returns.clone());
            }
            PrivacyFact::ErasureRequested(asked) => {
                self.round = asked.round;
                self.status = PrivacyStatus::Erasing;
                self.open = HOLDERS.map(str::to_owned).into();
            }
            PrivacyFact::ServiceErased(told) => {
                // 0: a version that did not count has answered. A later one: such a version has kept the request.
                if told.round == 0 || told.round >= self.round {
                    self.open.remove(&told.service);
                }
                let sum = self.erased.entry(told.service.clone()).or_default();
                sum.records = sum.records.saturating_add(told.erased.records);
                sum.facts = sum.facts.saturating_add(told.erased.facts);
            }
            PrivacyFact::Completed(_) => {
                self.status = PrivacyStatus::Completed;
                self.completed_at = Some(now);
            }
        }
        self.version += 1;
        self.updated_at = now;
    }
}

/// The status once a service has told what it holds, which may be more than it told before.
fn after<T: PartialEq>(status: PrivacyStatus, before: Option<&Held<T>>, told: &Held<T>) -> PrivacyStatus {
    let is_more = before.is_some_and(|before| told.all.iter().any(|id| !before.all.contains(id)));
    if !told.under_way.is_empty() || is_more { PrivacyStatus::Waiting } else { status }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn request() -> PrivacyRequest {
        PrivacyRequest::erase(CompanyId::new(), CustomerId::new(), Actor::System, NOW).0
    }

    fn held<T: Clone>(all: &[T], under_way: &[T]) -> Held<T> {
        Held { all: all.to_vec(), under_way: under_way.to_vec() }
    }

    fn asks(facts: &[PrivacyFact]) -> bool {
        facts.iter().any(|fact| matches!(fact, PrivacyFact::ErasureRequested(_)))
    }

    #[test]
    fn nothing_is_erased_while_an_order_or_a_return_is_under_way() {
        let (mut request, order, returned) = (request(), OrderId::new(), ReturnId::new());
        assert!(!asks(&request.hear_orders(held(&[order], &[]), NOW)), "Returns has not answered");
        assert!(!asks(&request.hear_returns(held(&[returned], &[returned]), NOW)));
        assert!(!asks(&request.hear_orders(held(&[order], &[order]), NOW)), "an exchange was sent");
        assert!(!asks(&request.hear_returns(held(&[returned], &[]), NOW)));
        let facts = request.hear_orders(held(&[order], &[]), NOW);
        let Some(PrivacyFact::ErasureRequested(asked)) = facts.last() else { panic!("{facts:?}") };
        assert_eq!((&asked.order_ids, &asked.return_ids), (&vec![order], &vec![returned]));
    }

    #[test]
    fn it_is_completed_when_every_service_has_erased() {
        let mut request = request();
        request.hear_orders(held(&[], &[]), NOW);
        assert!(asks(&request.hear_returns(held(&[], &[]), NOW)));
        let erased = Erased { records: 1, facts: 2 };
        for service in ["order", "pickup", "shipping"] {
            assert_eq!(request.hear_erased(service, 1, erased, NOW).len(), 1);
        }
        assert_eq!(request.hear_erased("order", 1, Erased::default(), NOW).len(), 1, "told twice");
        assert_eq!(request.hear_erased("returns", 1, erased, NOW).len(), 2);
        assert_eq!((request.status, request.erased["order"]), (PrivacyStatus::Completed, erased));
        assert!(request.hear_erased("order", 1, erased, NOW).is_empty(), "it is over");
        assert!(request.hear_orders(held(&[OrderId::new()], &[]), NOW).is_empty());
    }

    #[test]
    fn what_began_and_ended_while_everybody_erases_is_erased_too() {
        let (mut request, first, second) = (request(), OrderId::new(), OrderId::new());
        request.hear_orders(held(&[first], &[]), NOW);
        assert!(asks(&request.hear_returns(held(&[], &[]), NOW)));
        let facts = request.hear_orders(held(&[first, second], &[]), NOW);
        let Some(PrivacyFact::ErasureRequested(asked)) = facts.last() else { panic!("{facts:?}") };
        assert_eq!(asked.order_ids, [first, second]);
        assert!(!asks(&request.hear_orders(held(&[first, second], &[]), NOW)), "that is known");
    }

    #[test]
    fn what_began_meanwhile_is_waited_for_and_everybody_erases_once_more() {
        let (mut request, order) = (request(), OrderId::new());
        request.hear_orders(held(&[], &[]), NOW);
        request.hear_returns(held(&[], &[]), NOW);
        for service in ["pickup", "shipping"] {
            request.hear_erased(service, 1, Erased::default(), NOW);
        }
        request.hear_orders(held(&[order], &[order]), NOW);
        assert_eq!(request.status, PrivacyStatus::Waiting);
        assert!(asks(&request.hear_orders(held(&[order], &[]), NOW)));
        for service in ["order", "pickup", "shipping"] {
            request.hear_erased(service, 2, Erased::default(), NOW);
        }
        request.hear_erased("returns", 1, Erased::default(), NOW);
        assert_eq!(request.status, PrivacyStatus::Erasing, "Returns has erased what it held before");
        request.hear_erased("returns", 2, Erased::default(), NOW);
        assert_eq!(request.status, PrivacyStatus::Completed);
    }

    #[test]
    fn a_version_that_does_not_count_rounds_completes_them_too() {
        let mut request = request();
        request.hear_orders(held(&[], &[]), NOW);
        request.hear_returns(held(&[], &[]), NOW);
        for service in ["pickup", "shipping", "returns"] {
            request.hear_erased(service, 0, Erased::default(), NOW);
        }
        request.round = 0;
        request.hear_erased("order", 1, Erased::default(), NOW);
        assert_eq!(request.status, PrivacyStatus::Completed);
    }
}
