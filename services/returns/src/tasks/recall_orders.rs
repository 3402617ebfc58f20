//! Works through the orders of a recall, one short transaction each. A worker that takes over after a crash goes on after
//! the last order that was counted.

use quenty_platform::{App, tasks::Claimed, tx::Cause};

use crate::{
    Error,
    commands::{self, RECALL_TASK, RecallOrders},
};

/// Orders of one task: the tries of a task run out only while nothing goes on.
const ORDERS: u32 = 100;

pub(super) async fn recall_orders(app: App, task: Claimed<RecallOrders>) -> Result<(), Error> {
    let RecallOrders { recall_id, from } = task.payload;
    loop {
        let cause = Cause { causation_id: Some(task.id), ..Cause::system() };
        let mut tx = app.begin_as(cause).await?;
        let recall = commands::recall_next_order(&mut tx, recall_id).await?;
        tx.commit().await?;
        let counted = recall.opened + recall.passed_over;
        if !recall.is_done && counted < from + ORDERS {
            continue;
        }
        let mut tx = task.begin(&app).await?;
        if !recall.is_done {
            let next = RecallOrders { recall_id, from: counted };
            tx.enqueue(RECALL_TASK, next.key(), Some(recall.company_id), &next)?;
        }
        return Ok(tx.commit().await?);
    }
}
