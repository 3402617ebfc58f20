//! Order and Returns tell what they hold of a person who is to be erased; they, Pickup and Shipping, that they erased it.

use quenty_contracts::{
    order::{OrdersErased, OrdersFound},
    pickup::PickupsErased,
    returns::{ReturnsErased, ReturnsFound},
    shipping::ShipmentsErased,
};
use quenty_kernel::id::PrivacyRequestId;
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::follow_privacy_request,
    domain::privacy_request::{Erased, Held},
};

pub(super) async fn on_orders_found(tx: &mut Tx, event: Received<OrdersFound>) -> Result<(), Error> {
    let OrdersFound { request_id, order_ids: all, under_way, .. } = event.data;
    follow_privacy_request(tx, request_id, |of, now| of.hear_orders(Held { all, under_way }, now)).await
}

pub(super) async fn on_returns_found(tx: &mut Tx, event: Received<ReturnsFound>) -> Result<(), Error> {
    let ReturnsFound { request_id, return_ids: all, under_way, .. } = event.data;
    follow_privacy_request(tx, request_id, |of, now| of.hear_returns(Held { all, under_way }, now)).await
}

async fn erased(
    tx: &mut Tx,
    id: PrivacyRequestId,
    service: &str,
    round: u32,
    erased: Erased,
) -> Result<(), Error> {
    follow_privacy_request(tx, id, |of, now| of.hear_erased(service, round, erased, now)).await
}

pub(super) async fn on_orders_erased(tx: &mut Tx, event: Received<OrdersErased>) -> Result<(), Error> {
    let OrdersErased { request_id, round, records, facts, .. } = event.data;
    erased(tx, request_id, "order", round, Erased { records, facts }).await
}

pub(super) async fn on_pickups_erased(tx: &mut Tx, event: Received<PickupsErased>) -> Result<(), Error> {
    let PickupsErased { request_id, round, records, facts, .. } = event.data;
    erased(tx, request_id, "pickup", round, Erased { records, facts }).await
}

pub(super) async fn on_returns_erased(tx: &mut Tx, event: Received<ReturnsErased>) -> Result<(), Error> {
    let ReturnsErased { request_id, round, records, facts, .. } = event.data;
    erased(tx, request_id, "returns", round, Erased { records, facts }).await
}

pub(super) async fn on_shipments_erased(tx: &mut Tx, event: Received<ShipmentsErased>) -> Result<(), Error> {
    let ShipmentsErased { request_id, round, records, facts, .. } = event.data;
    erased(tx, request_id, "shipping", round, Erased { records, facts }).await
}
