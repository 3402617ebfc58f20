//! Pickup tells whether a driver comes for the goods.

use quenty_contracts::pickup::{
    PickupAbandoned, PickupCancelRefused, PickupCancelled, PickupCompleted, PickupFailed, PickupRejected,
    PickupRescheduled, PickupScheduled, PickupUnassigned,
};
use quenty_kernel::id::PickupId;
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::follow_return,
    domain::{
        goods_return::{Booked, News},
        words::WayBack,
    },
};

fn failed(pickup_id: PickupId, attempt: Option<u32>, code: &str, detail: String) -> News {
    let of = Booked::Pickup(pickup_id);
    News::Failed { way_back: WayBack::Pickup, attempt, of, code: code.to_owned(), detail }
}

pub(super) async fn on_scheduled(tx: &mut Tx, event: Received<PickupScheduled>) -> Result<(), Error> {
    let of = event.data;
    let news = News::PickupBooked {
        pickup_id: of.pickup_id,
        attempt: of.attempt,
        window: (of.window_start, of.window_end),
        cost: of.cost,
    };
    follow_return(tx, of.return_id, news).await
}

pub(super) async fn on_rejected(tx: &mut Tx, event: Received<PickupRejected>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, failed(of.pickup_id, Some(of.attempt), &of.code, of.detail)).await
}

pub(super) async fn on_rescheduled(tx: &mut Tx, event: Received<PickupRescheduled>) -> Result<(), Error> {
    let of = event.data;
    let window = (of.window_start, of.window_end);
    follow_return(tx, of.return_id, News::PickupRescheduled { pickup_id: of.pickup_id, window }).await
}

pub(super) async fn on_failed(tx: &mut Tx, event: Received<PickupFailed>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, News::CameInVain { pickup_id: of.pickup_id, code: of.code }).await
}

pub(super) async fn on_completed(tx: &mut Tx, event: Received<PickupCompleted>) -> Result<(), Error> {
    let of = event.data;
    let missing = of.parcels_booked.map_or(0, |booked| booked.saturating_sub(of.parcel_count));
    let news = News::PickedUp { of: Booked::Pickup(of.pickup_id), at: of.at, missing };
    follow_return(tx, of.return_id, news).await
}

pub(super) async fn on_unassigned(tx: &mut Tx, event: Received<PickupUnassigned>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, News::TurnedBack { pickup_id: of.pickup_id }).await
}

pub(super) async fn on_abandoned(tx: &mut Tx, event: Received<PickupAbandoned>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, failed(of.pickup_id, None, "PICKUP_ABANDONED", of.reason)).await
}

pub(super) async fn on_cancelled(tx: &mut Tx, event: Received<PickupCancelled>) -> Result<(), Error> {
    let of = event.data;
    follow_return(tx, of.return_id, failed(of.pickup_id, None, "PICKUP_CANCELLED", of.reason)).await
}

pub(super) async fn on_cancel_refused(
    tx: &mut Tx,
    event: Received<PickupCancelRefused>,
) -> Result<(), Error> {
    let of = event.data;
    let detail = format!("the pickup cannot be cancelled any more: it is {}", of.status);
    follow_return(tx, of.return_id, News::KeptGoing { pickup_id: of.pickup_id, detail }).await
}
