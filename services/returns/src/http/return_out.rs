//! A return as callers see it.

use jiff::{Timestamp, civil::Date};
use quenty_contracts::{
    party::Party,
    returns::{ExchangeLine, RefundAmounts, ReturnedLine},
};
use quenty_kernel::{
    Actor,
    id::{CompanyId, CustomerId, OrderId, ReturnId, WarehouseId},
    money::Money,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    approval::Finding,
    goods_return::{
        Approval, Attention, Booking, Dispute, Ending, Payout, ReceivedUnit, ReturnState, Settlement, Status,
    },
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReturnOut {
    id: ReturnId,
    company_id: CompanyId,
    order_id: OrderId,
    customer_id: Option<CustomerId>,
    #[schema(inline)]
    status: Status,
    /// `return`, `exchange` or `warranty`.
    kind: String,
    /// `refund`, `exchange` or `store_credit`.
    resolution: String,
    lines: Vec<ReturnedLine>,
    /// The replacement goods.
    exchange: Vec<ExchangeLine>,
    buyer: Party,
    /// Where the goods go.
    destination: Party,
    warehouse_id: WarehouseId,
    policy_version: u32,
    packaging_intact: bool,
    accessories_complete: bool,
    notes: Option<String>,
    /// In what the buyer is written to.
    #[schema(example = "es-CO")]
    language: String,
    #[schema(value_type = String)]
    requested_by: Actor,
    /// Why a person decides, or decided.
    findings: Vec<Finding>,
    approval: Option<Approval>,
    rejection: Option<String>,
    dispute: Option<Dispute>,
    /// How the goods are to come back: `pickup`, `label` or `drop_off`.
    way_back: String,
    pickup_date: Option<Date>,
    pickup_slot: Option<String>,
    booking: Booking,
    /// It ends as soon as the booking is given back.
    #[schema(inline)]
    ending: Option<Ending>,
    ending_reason: Option<String>,
    attention: Option<Attention>,
    units: Vec<ReceivedUnit>,
    picked_up_at: Option<Timestamp>,
    arrived_at: Option<Timestamp>,
    received_at: Option<Timestamp>,
    lost_at: Option<Timestamp>,
    /// What it comes to if all arrives as it was described.
    expected: RefundAmounts,
    /// What it came to.
    amounts: Option<RefundAmounts>,
    /// What the goods are expected to bring, less what that costs.
    recovery: Option<Money>,
    settlement: Option<Settlement>,
    /// What a replacement left of the buyer's credit, to be paid back.
    left_of_credit: Option<Money>,
    /// What the payment provider is to pay.
    payout: Option<Payout>,
    /// When the present step is to be over.
    deadline: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&ReturnState> for ReturnOut {
    fn from(state: &ReturnState) -> Self {
        let ReturnState { request, .. } = state.clone();
        Self {
            id: state.id,
            company_id: request.company_id,
            order_id: request.order_id,
            customer_id: request.customer_id,
            status: state.status,
            kind: request.kind,
            resolution: request.resolution,
            lines: request.lines,
            exchange: request.exchange,
            buyer: request.buyer,
            destination: request.destination,
            warehouse_id: request.warehouse_id,
            policy_version: request.policy_version,
            packaging_intact: request.packaging_intact,
            accessories_complete: request.accessories_complete,
            notes: request.notes,
            language: request.language,
            requested_by: request.requested_by,
            findings: state.findings.clone(),
            approval: state.approval.clone(),
            rejection: state.rejection.clone(),
            dispute: state.dispute.clone(),
            way_back: request.way_back,
            pickup_date: request.pickup_date,
            pickup_slot: request.pickup_slot,
            booking: state.booking.clone(),
            ending: state.ending,
            ending_reason: state.ending_reason.clone(),
            attention: state.attention.clone(),
            units: state.units.clone(),
            picked_up_at: state.picked_up_at,
            arrived_at: state.arrived_at,
            received_at: state.received_at,
            lost_at: state.lost_at,
            expected: request.expected,
            amounts: state.amounts,
            recovery: state.recovery,
            settlement: state.settlement.clone(),
            left_of_credit: state.left_of_credit,
            payout: state.payout.clone(),
            deadline: state.deadline.map(|deadline| deadline.at),
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}
