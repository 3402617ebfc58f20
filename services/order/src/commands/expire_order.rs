use quenty_kernel::Scope;
use quenty_platform::Tx;

use super::save_order::{Deadline, change_order};
use crate::{
    Error,
    domain::order::{Order, OrderError},
};

/// A deadline of the saga has passed; one that was met meanwhile changes nothing.
pub(crate) async fn expire_order(tx: &mut Tx, deadline: Deadline) -> Result<Order, Error> {
    let expire = |order: &mut Order, now| {
        order.expire(deadline.number, now);
        Ok::<_, OrderError>(())
    };
    change_order(tx, Scope::All, deadline.order_id, expire).await
}
