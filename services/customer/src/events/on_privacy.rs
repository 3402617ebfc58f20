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
    (records, facts): (u32, u32),
) -> Result<(), Error> {
    follow_privacy_request(tx, id, |of, now| of.hear_erased(service, Erased { records, facts }, now)).await
}

pub(super) async fn on_orders_erased(tx: &mut Tx, event: Received<OrdersErased>) -> Result<(), Error> {
    let of = event.data;
    erased(tx, of.request_id, "order", (of.records, of.facts)).await
}

pub(super) async fn on_pickups_erased(tx: &mut Tx, event: Received<PickupsErased>) -> Result<(), Error> {
    let of = event.data;
    erased(tx, of.request_id, "pickup", (of.records, of.facts)).await
}

pub(super) async fn on_returns_erased(tx: &mut Tx, event: Received<ReturnsErased>) -> Result<(), Error> {
    let of = event.data;
    erased(tx, of.request_id, "returns", (of.records, of.facts)).await
}

pub(super) async fn on_shipments_erased(tx: &mut Tx, event: Received<ShipmentsErased>) -> Result<(), Error> {
    let of = event.data;
    erased(tx, of.request_id, "shipping", (of.records, of.facts)).await
}
