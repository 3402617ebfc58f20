//! Durable tasks: deadlines of the sagas, stock for those who wait, the end of what a closed company leaves behind, what goes on
//! once its company may, and files of orders to work through.

mod allocate_backorders;
mod cancel_orders_of_closed;
mod import_file;
mod import_orders;
mod order_deadline;
mod retry_orders_of_allowed;

use quenty_platform::service::TaskKind;

use crate::commands::{ALLOCATE_TASK, ALLOWED_TASK, CLOSED_TASK, DEADLINE_TASK};

pub(crate) use import_orders::ImportOrders;

pub(crate) const IMPORT_TASK: &str = "import_orders";

pub(crate) fn tasks() -> Vec<TaskKind> {
    vec![
        TaskKind::new(DEADLINE_TASK, order_deadline::order_deadline),
        TaskKind::new(IMPORT_TASK, import_orders::import_orders),
        TaskKind::new(ALLOCATE_TASK, allocate_backorders::allocate_backorders),
        TaskKind::new(CLOSED_TASK, cancel_orders_of_closed::cancel_orders_of_closed),
        TaskKind::new(ALLOWED_TASK, retry_orders_of_allowed::retry_orders_of_allowed),
    ]
}
