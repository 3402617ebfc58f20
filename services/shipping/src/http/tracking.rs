//! Tracking for anyone who knows the number: where the parcel is, and nothing about people.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event as SseEvent, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use jiff::Timestamp;
use quenty_kernel::id::ShipmentId;
use quenty_platform::{
    App, Result,
    http::{Anyone, Json, Path},
    live::ResumeAfter,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::tracking_number::TrackingNumber,
    store::{self, tracking::PublicEvent},
};

/// A follower hears of a scan within this time.
const POLL: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrackingOut {
    tracking_number: TrackingNumber,
    /// The unified status of the newest event.
    #[schema(example = "in_transit")]
    status: String,
    carrier: String,
    service: String,
    #[schema(example = "CO")]
    origin: String,
    #[schema(example = "MX")]
    destination: String,
    parcels: i64,
    promised_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    /// In the order in which they happened.
    events: Vec<TrackingEventOut>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrackingEventOut {
    #[schema(example = "out_for_delivery")]
    status: String,
    at: Timestamp,
    place: Option<String>,
}

impl From<PublicEvent> for TrackingEventOut {
    fn from(event: PublicEvent) -> Self {
        Self { status: event.status, at: event.at, place: event.place }
    }
}

/// Track a shipment by its number.
#[utoipa::path(get, path = "/api/v1/tracking/{number}", operation_id = "track_shipment", tag = "tracking",
    params(("number" = TrackingNumber, Path)), responses((status = 200, body = TrackingOut)))]
pub(super) async fn track_shipment(
    State(app): State<App>,
    _: Anyone,
    Path(number): Path<TrackingNumber>,
) -> Result<Json<TrackingOut>> {
    let shipment = store::tracking::find_public(app.db(), number).await?;
    let mut events = store::tracking::list_public(app.db(), shipment.id, 0).await?;
    events.sort_by_key(|event| (event.at, event.position));
    Ok(Json(TrackingOut {
        tracking_number: number,
        status: events.last().map_or_else(|| "pending".to_owned(), |event| event.status.clone()),
        carrier: shipment.carrier,
        service: shipment.service,
        origin: shipment.origin,
        destination: shipment.destination,
        parcels: shipment.parcels,
        promised_at: shipment.promised_at,
        delivered_at: shipment.delivered_at,
        events: events.into_iter().map(Into::into).collect(),
    }))
}

/// Follow a shipment: everything so far, then each event as it comes (server-sent events, resumable by `Last-Event-ID`).
#[utoipa::path(get, path = "/api/v1/tracking/{number}/stream", operation_id = "follow_shipment", tag = "tracking",
    params(("number" = TrackingNumber, Path)), responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(super) async fn follow_shipment(
    State(app): State<App>,
    _: Anyone,
    resume: ResumeAfter,
    Path(number): Path<TrackingNumber>,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>> {
    let shipment = store::tracking::find_public(app.db(), number).await?;
    Ok(Sse::new(follow(app, shipment.id, resume.0.unwrap_or(0))).keep_alive(KeepAlive::default()))
}

fn follow(app: App, shipment: ShipmentId, after: i64) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    stream::unfold((app, after, Vec::new().into_iter()), move |(app, mut after, mut ready)| async move {
        loop {
            if let Some(event) = ready.next() {
                let event: PublicEvent = event;
                after = event.position;
                let line = SseEvent::default().id(after.to_string()).event("tracking");
                let line = line.json_data(TrackingEventOut::from(event)).unwrap_or_default();
                return Some((Ok(line), (app, after, ready)));
            }
            if app.stopping().is_cancelled() {
                return None;
            }
            match store::tracking::list_public(app.db(), shipment, after).await {
                Ok(events) if !events.is_empty() => {
                    ready = events.into_iter();
                    continue;
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a tracking stream paused"),
            }
            tokio::select! {
                () = app.stopping().cancelled() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    })
}
