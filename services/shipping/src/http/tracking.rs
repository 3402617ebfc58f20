//! Tracking for anyone who knows the number: where the parcel is, and nothing about people.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event as SseEvent, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use quenty_kernel::id::ShipmentId;
use quenty_platform::{
    App, Result,
    http::{Anyone, Json, Path},
    live::{Place, ResumeAfter, StreamedEvent, Whereabouts},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{tracking::UnifiedStatus, tracking_number::TrackingNumber},
    store::{self, tracking::PublicEvent},
};

/// How long a follower waits for the next look, twice as long after each in vain: parcels rest for hours.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrackingOut {
    tracking_number: TrackingNumber,
    status: UnifiedStatus,
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
#[utoipa::path(get, path = "/api/v1/tracking/{number}", operation_id = "track_shipment", tag = "tracking", security(()),
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
        status: shipment.status.unified(shipment.resumes_at),
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

/// Follow a shipment: everything so far, then each event as it comes, until it has ended.
///
/// Server-sent events for an hour, resumable by `Last-Event-ID`. 204 when nothing more will come: browsers then ask no more.
#[utoipa::path(get, path = "/api/v1/tracking/{number}/stream", operation_id = "follow_shipment", tag = "tracking", security(()),
    params(("number" = TrackingNumber, Path)),
    responses((status = 200, description = "Each event as `tracking`. None is ever missing, so that there is no `gap`: after an unknown `Last-Event-ID` all come again.",
            content_type = "text/event-stream", body = StreamedEvent),
        (status = 204),
        (status = 429, description = "`TOO_MANY_STREAMS`: try again after `Retry-After`")))]
pub(super) async fn follow_shipment(
    State(app): State<App>,
    _: Anyone,
    from: Whereabouts,
    resume: ResumeAfter,
    Path(number): Path<TrackingNumber>,
) -> Result<Response> {
    let shipment = store::tracking::find_public(app.db(), number).await?.id;
    let mut news = store::tracking::news(app.db(), shipment, 0).await?;
    // Events stay: what lies beyond the last was never told, and nobody can go on from there.
    let last = news.events.last().map_or(0, |event| event.position);
    let after = resume.0.filter(|after| *after <= last).unwrap_or(0);
    news.events.retain(|event| event.position > after);
    if news.is_all && news.events.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = Place::take(&app, from)?;
    let ready = news.events.into_iter();
    let follower = Follower { app, shipment, after, ready, wait: SHORTEST_WAIT, place };
    let lines = stream::unfold(follower, Follower::next).map(Ok::<_, Infallible>);
    Ok(Sse::new(lines).keep_alive(KeepAlive::default()).into_response())
}

struct Follower {
    app: App,
    shipment: ShipmentId,
    after: i64,
    ready: std::vec::IntoIter<PublicEvent>,
    wait: Duration,
    place: Place,
}

impl Follower {
    async fn next(mut self) -> Option<(SseEvent, Self)> {
        loop {
            if let Some(event) = self.ready.next() {
                self.after = event.position;
                let line = SseEvent::default().id(self.after.to_string()).event("tracking");
                return Some((line.json_data(TrackingEventOut::from(event)).unwrap_or_default(), self));
            }
            tokio::select! {
                () = self.app.stopping().cancelled() => return None,
                () = self.place.over() => return None,
                () = tokio::time::sleep(self.wait) => {}
            }
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
            match store::tracking::news(self.app.db(), self.shipment, self.after).await {
                Ok(news) if !news.events.is_empty() => {
                    (self.ready, self.wait) = (news.events.into_iter(), SHORTEST_WAIT);
                }
                Ok(news) if news.is_all => return None,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a tracking stream paused"),
            }
        }
    }
}
