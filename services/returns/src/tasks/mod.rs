//! Durable work: deadlines of the sagas, replacements, payouts, and what the buyer is told.

mod notify_buyer;
mod pay_buyer;
mod place_exchange;
mod recall_orders;
mod return_deadline;

use quenty_platform::service::TaskKind;

use crate::commands::{DEADLINE_TASK, EXCHANGE_TASK, NOTICE_TASK, PAYOUT_TASK, RECALL_TASK};

pub(crate) fn kinds() -> Vec<TaskKind> {
    vec![
        TaskKind::new(DEADLINE_TASK, return_deadline::return_deadline),
        TaskKind::new(EXCHANGE_TASK, place_exchange::place_exchange),
        TaskKind::new(NOTICE_TASK, notify_buyer::notify_buyer),
        TaskKind::new(PAYOUT_TASK, pay_buyer::pay_buyer),
        TaskKind::new(RECALL_TASK, recall_orders::recall_orders),
    ]
}
