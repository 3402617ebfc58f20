//! Rows of `tracking_events`, and what the public may see of a shipment.

use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use quenty_kernel::id::ShipmentId;
use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::{
    Error,
    domain::{
        shipment::{Reported, Status},
        tracking::{ScanKind, TrackingEvent},
        tracking_number::TrackingNumber,
    },
};

/// What anyone who knows the number may see: no names, no streets, no free text but the hub or the city of a scan.
#[derive(Debug, Clone)]
pub struct PublicShipment {
    pub id: ShipmentId,
    pub status: Status,
    pub resumes_at: Option<Status>,
    pub carrier: String,
    pub service: String,
    pub origin: String,
    pub destination: String,
    pub parcels: i64,
    pub promised_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
}

/// One public line of tracking, with the position that a live stream resumes from.
#[derive(Debug, Clone)]
pub struct PublicEvent {
    pub position: i64,
    pub status: String,
    pub at: Timestamp,
    pub place: Option<String>,
}

/// A line as the shipment's own company and the carrier see it.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    pub kind: String,
    pub status: String,
    pub at: Timestamp,
    pub place: Option<String>,
    pub detail: Option<String>,
    pub recorded_at: Timestamp,
}

/// Whether a report was taken in before.
pub async fn is_known(
    db: impl PgExecutor<'_>,
    shipment: ShipmentId,
    event: uuid::Uuid,
) -> Result<bool, Error> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from tracking_events where shipment_id = $1 and event_id = $2) as "known!""#,
        shipment.uuid(),
        event
    );
    Ok(known.fetch_one(db).await?)
}

/// What was reported so far. A statement of its own, under the shipment's lock: one that waited for that lock would not
/// see what was reported meanwhile.
pub async fn reported(db: impl PgExecutor<'_>, shipment: ShipmentId) -> Result<Reported, Error> {
    let moves = ScanKind::MOVES.map(|kind| kind.as_str().to_owned());
    let newest = sqlx::query!(
        "select max(occurred_at) filter (where kind = 'customs_hold') as held_at,
                max(occurred_at) filter (where kind = any($2)) as moved_at
         from tracking_events where shipment_id = $1",
        shipment.uuid(),
        &moves[..]
    );
    let newest = newest.fetch_one(db).await?;
    Ok(Reported {
        held_at: newest.held_at.map(SqlTimestamp::to_jiff),
        moved_at: newest.moved_at.map(SqlTimestamp::to_jiff),
    })
}

/// Adds a line; the caller holds the shipment's lock, which keeps positions in the order of commits.
pub async fn insert(
    connection: &mut PgConnection,
    shipment: ShipmentId,
    event: &TrackingEvent,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into tracking_events (shipment_id, event_id, kind, status, occurred_at, place, detail, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (shipment_id, event_id) do nothing",
        shipment.uuid(),
        event.event_id,
        event.kind,
        event.status.as_str(),
        event.occurred_at.to_sqlx() as _,
        event.place,
        event.detail,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn list(db: impl PgExecutor<'_>, shipment: ShipmentId) -> Result<Vec<StoredEvent>, Error> {
    let rows = sqlx::query!(
        "select kind, status, occurred_at, place, detail, recorded_at from tracking_events where shipment_id = $1 order by occurred_at, position",
        shipment.uuid()
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    Ok(rows
        .map(|row| StoredEvent {
            kind: row.kind,
            status: row.status,
            at: row.occurred_at.to_jiff(),
            place: row.place,
            detail: row.detail,
            recorded_at: row.recorded_at.to_jiff(),
        })
        .collect())
}

pub async fn find_public(db: impl PgExecutor<'_>, number: TrackingNumber) -> Result<PublicShipment, Error> {
    let row = sqlx::query!(
        r#"select id, status, resumes_at, carrier, service, sender #>> '{address,country}' as "origin!", consignee #>> '{address,country}' as "destination!",
                  jsonb_array_length(parcels)::bigint as "parcels!", promised_at, delivered_at
           from shipments where tracking_number = $1"#,
        number.to_string()
    );
    let row = row.fetch_optional(db).await?.ok_or(Error::NotFound("shipment"))?;
    Ok(PublicShipment {
        id: ShipmentId::from_uuid(row.id),
        status: row.status.parse()?,
        resumes_at: row.resumes_at.map(|status| status.parse()).transpose()?,
        carrier: row.carrier,
        service: row.service,
        origin: row.origin,
        destination: row.destination,
        parcels: row.parcels,
        promised_at: row.promised_at.map(SqlTimestamp::to_jiff),
        delivered_at: row.delivered_at.map(SqlTimestamp::to_jiff),
    })
}

/// What is new to a follower.
#[derive(Debug, Clone)]
pub struct News {
    pub events: Vec<PublicEvent>,
    /// Nothing comes after these: the shipment has ended.
    pub is_all: bool,
}

pub async fn news(db: &PgPool, shipment: ShipmentId, after: i64) -> Result<News, Error> {
    // The status first: what is written after it is read is no news of an end.
    let status = sqlx::query_scalar!("select status from shipments where id = $1", shipment.uuid());
    let status: Status = status.fetch_one(db).await?.parse()?;
    let events = list_public(db, shipment, after).await?;
    Ok(News { events, is_all: status.next().is_empty() })
}

/// The public lines behind a position, as they were written.
pub async fn list_public(
    db: impl PgExecutor<'_>,
    shipment: ShipmentId,
    after: i64,
) -> Result<Vec<PublicEvent>, Error> {
    let rows = sqlx::query!(
        "select position, status, occurred_at, place from tracking_events where shipment_id = $1 and position > $2 order by position",
        shipment.uuid(),
        after
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    Ok(rows
        .map(|row| PublicEvent {
            position: row.position,
            status: row.status,
            at: row.occurred_at.to_jiff(),
            place: row.place,
        })
        .collect())
}
