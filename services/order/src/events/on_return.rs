//! Returns tells what becomes of goods that the consignee sends back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use quenty_contracts::returns::{
    ItemRestocked, ReturnApproved, ReturnCancelled, ReturnCompleted, ReturnDisputed, ReturnExchanged,
    ReturnExpired, ReturnPickedUp, ReturnReceived, ReturnRefunded, ReturnRejected, ReturnRequested,
};
use quenty_kernel::{Event, id::OrderId};
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::{OrderNews, Resale, Restock, follow_order, restock_item},
    domain::{
        order::ReturnNews,
        stock::Note,
        timeline::{Happening, Source},
    },
};

async fn tell<E: Event>(
    tx: &mut Tx,
    event: &Received<E>,
    order: OrderId,
    news: ReturnNews,
    (code, text, at): (&'static str, String, Timestamp),
) -> Result<(), Error> {
    let happening = Happening::new(Source::Returns, code, text, at);
    follow_order(tx, event.company()?, order, OrderNews::Return(news), happening).await
}

fn pieces(quantities: impl Iterator<Item = u32>) -> String {
    match quantities.map(u64::from).sum() {
        1_u64 => "1 piece".to_owned(),
        number => format!("{number} pieces"),
    }
}

pub(super) async fn on_requested(tx: &mut Tx, event: Received<ReturnRequested>) -> Result<(), Error> {
    let data = &event.data;
    let reasons: BTreeSet<String> = data.lines.iter().map(|line| line.reason.replace('_', " ")).collect();
    let reasons: Vec<String> = reasons.into_iter().collect();
    let pieces = pieces(data.lines.iter().map(|line| line.quantity));
    let text = format!("Return of {pieces} asked for: {}", reasons.join(", "));
    tell(tx, &event, data.order_id, ReturnNews::Noted, ("return_requested", text, event.time)).await
}

pub(super) async fn on_approved(tx: &mut Tx, event: Received<ReturnApproved>) -> Result<(), Error> {
    let data = &event.data;
    let text = format!("Return approved: {}", data.detail);
    tell(tx, &event, data.order_id, ReturnNews::Noted, ("return_approved", text, event.time)).await
}

pub(super) async fn on_rejected(tx: &mut Tx, event: Received<ReturnRejected>) -> Result<(), Error> {
    let data = &event.data;
    let text = format!("Return refused: {}", data.reason);
    tell(tx, &event, data.order_id, ReturnNews::Noted, ("return_rejected", text, event.time)).await
}

pub(super) async fn on_disputed(tx: &mut Tx, event: Received<ReturnDisputed>) -> Result<(), Error> {
    let data = &event.data;
    let text = format!("The buyer objects: {}", data.reason);
    tell(tx, &event, data.order_id, ReturnNews::Noted, ("return_disputed", text, event.time)).await
}

pub(super) async fn on_cancelled(tx: &mut Tx, event: Received<ReturnCancelled>) -> Result<(), Error> {
    let data = &event.data;
    let text = format!("Return cancelled: {}", data.reason);
    tell(tx, &event, data.order_id, ReturnNews::Noted, ("return_cancelled", text, event.time)).await
}

pub(super) async fn on_expired(tx: &mut Tx, event: Received<ReturnExpired>) -> Result<(), Error> {
    let text = "Return expired: the goods did not come in time".to_owned();
    tell(tx, &event, event.data.order_id, ReturnNews::Noted, ("return_expired", text, event.time)).await
}

pub(super) async fn on_picked_up(tx: &mut Tx, event: Received<ReturnPickedUp>) -> Result<(), Error> {
    let data = &event.data;
    let text = "The goods are on their way back".to_owned();
    tell(tx, &event, data.order_id, ReturnNews::Noted, ("return_picked_up", text, data.at)).await
}

pub(super) async fn on_received(tx: &mut Tx, event: Received<ReturnReceived>) -> Result<(), Error> {
    let data = &event.data;
    let arrived = pieces(data.arrived.iter().map(|line| line.quantity));
    let rest = if data.complete { "" } else { ", the rest is not there yet" };
    let text = format!("Back in the warehouse: {arrived}{rest}");
    tell(tx, &event, data.order_id, ReturnNews::Noted, ("return_received", text, event.time)).await
}

pub(super) async fn on_refunded(tx: &mut Tx, event: Received<ReturnRefunded>) -> Result<(), Error> {
    let data = &event.data;
    let how = match data.method.as_str() {
        "store_credit" => "as store credit",
        "cash" => "in cash",
        _ => "to the means of payment",
    };
    let text = format!("{} paid back {how}", data.amount);
    tell(tx, &event, data.order_id, ReturnNews::Noted, ("return_refunded", text, event.time)).await
}

pub(super) async fn on_exchanged(tx: &mut Tx, event: Received<ReturnExchanged>) -> Result<(), Error> {
    let data = &event.data;
    let text = format!("Exchanged: order {} replaces the goods", data.exchange_order_id);
    tell(tx, &event, data.order_id, ReturnNews::Noted, ("return_exchanged", text, event.time)).await
}

pub(super) async fn on_completed(tx: &mut Tx, event: Received<ReturnCompleted>) -> Result<(), Error> {
    let data = &event.data;
    let news = ReturnNews::Completed {
        return_id: data.return_id,
        came_back: data.returned.iter().any(|line| line.quantity > 0),
        whole: data.order_returned_whole,
        refund: data.refund,
        by_exchange: data.outcome == "exchanged",
        at: event.time,
    };
    let text = format!("Return closed: {}", data.outcome);
    tell(tx, &event, data.order_id, news, ("return_completed", text, event.time)).await
}

pub(super) async fn on_restocked(tx: &mut Tx, event: Received<ItemRestocked>) -> Result<(), Error> {
    let data = &event.data;
    let number = data.batch.as_deref().map(str::parse).transpose();
    let restock = Restock {
        company_id: event.company()?,
        order_id: data.order_id,
        product_id: data.product_id,
        warehouse_id: data.warehouse_id,
        batch: number.map_err(quenty_platform::Error::internal)?,
        quantity: data.quantity,
        // A word that this version does not know is not sold as new.
        resale: match data.disposition.as_str() {
            "resell_as_new" => Resale::AsNew,
            _ => Resale::OpenBox { price: data.value },
        },
        note: Note {
            reference: data.return_id.to_string().parse().ok(),
            reason: Some(format!("{}, {}", data.disposition, data.condition)),
            ..Note::default()
        },
    };
    restock_item(tx, &restock).await
}
