//! Shipping tells how a labelled parcel gets on.

use quenty_contracts::shipping::{
    ShipmentBooked, ShipmentDelivered, ShipmentDeparted, ShipmentLost, ShipmentPickedUp, ShipmentRejected,
    ShipmentReturned, ShipmentVoided,
};
use quenty_kernel::id::ShipmentId;
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::{follow_return, give_back},
    domain::{
        goods_return::{Booked, News},
        words::WayBack,
    },
};

fn failed(shipment_id: ShipmentId, attempt: Option<u32>, code: &str, detail: String) -> News {
    let of = Booked::Shipment(shipment_id);
    News::Failed { way_back: WayBack::Label, attempt, of, code: code.to_owned(), detail }
}

pub(super) async fn on_booked(tx: &mut Tx, event: Received<ShipmentBooked>) -> Result<(), Error> {
    let of = event.data;
    let news = News::LabelBooked {
        shipment_id: of.shipment_id,
        attempt: of.attempt,
        tracking_number: of.tracking_number,
        cost: of.cost,
    };
    follow_return(tx, of.return_id, news).await
}

pub(super) async fn on_rejected(tx: &mut Tx, event: Received<ShipmentRejected>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, failed(of.shipment_id, Some(of.attempt), &of.code, of.detail)).await
}

pub(super) async fn on_voided(tx: &mut Tx, event: Received<ShipmentVoided>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, failed(of.shipment_id, None, "LABEL_VOIDED", of.reason)).await
}

pub(super) async fn on_picked_up(tx: &mut Tx, event: Received<ShipmentPickedUp>) -> Result<(), Error> {
    let of = event.data;
    let news = News::PickedUp { of: Booked::Shipment(of.shipment_id), at: of.at, missing: 0 };
    follow_return(tx, of.return_id, news).await
}

pub(super) async fn on_departed(tx: &mut Tx, event: Received<ShipmentDeparted>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, News::Departed { shipment_id: of.shipment_id, at: of.at }).await
}

pub(super) async fn on_delivered(tx: &mut Tx, event: Received<ShipmentDelivered>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, News::Arrived { shipment_id: of.shipment_id, at: of.at }).await
}

pub(super) async fn on_returned(tx: &mut Tx, event: Received<ShipmentReturned>) -> Result<(), Error> {
    let of = event.data;
    give_back(tx, of.return_id, of.shipment_id, of.at).await
}

pub(super) async fn on_lost(tx: &mut Tx, event: Received<ShipmentLost>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, News::Lost { shipment_id: of.shipment_id, at: of.at }).await
}
