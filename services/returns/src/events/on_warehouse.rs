//! Order tells where a warehouse stands now.

use quenty_contracts::order::WarehouseUpdated;
use quenty_platform::{Received, Tx};

use crate::{Error, store::neighbours::keep_warehouse};

pub(super) async fn on_updated(tx: &mut Tx, event: Received<WarehouseUpdated>) -> Result<(), Error> {
    let (company, of) = (event.company()?, event.data);
    Ok(keep_warehouse(tx.conn(), company, of.warehouse_id, &of.address, of.contact_phone.as_ref()).await?)
}
