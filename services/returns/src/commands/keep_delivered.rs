//! Order tells what was delivered and paid: what may come back, and be paid back.

use quenty_contracts::order::OrderDelivered;
use quenty_kernel::{id::OrderId, money::Money};
use quenty_platform::Tx;

use crate::{Error, domain::delivered::DeliveredOrder, store};

pub(crate) async fn keep_delivered(tx: &mut Tx, delivered: OrderDelivered) -> Result<(), Error> {
    match DeliveredOrder::of(delivered)? {
        Some(mut order) => {
            if let Some(customer) = order.customer_id
                && tx.is_erased(customer).await?
            {
                order.consignee = order.consignee.erased();
            }
            Ok(store::delivered::insert(tx.conn(), &order).await?)
        }
        // Told by a version that did not yet say where the goods went: nobody knows where to fetch them.
        None => Ok(()),
    }
}

/// A payment before the delivery is counted in the delivery's fact; one after it, here.
pub(crate) async fn keep_payment(tx: &mut Tx, order: OrderId, amount: Money) -> Result<(), Error> {
    Ok(store::delivered::add_payment(tx.conn(), order, amount).await?)
}
