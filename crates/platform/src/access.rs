//! Who of the platform's own people reads whose personal data: a fact in the journal of the service that is asked, written
//! before it answers (ADR 18). An operation takes part by its permission: `ReadOrders = "orders:read", personal;`.
//!
//! Must never hold what was read, nor a query, in which people write names.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::MatchedPath,
    http::{Method, request::Parts},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use moka::future::Cache;
use quenty_kernel::{
    Actor, Event, Failure, Kind,
    id::{ReaderId, UserId},
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    App, Error, Result, Tx,
    http::{Caller, client_address},
    journal::joined,
    token::Realm,
};

/// A screen that refreshes itself is one reading.
const ONCE_IN: Duration = Duration::from_secs(60);
/// What is forgotten for want of room is written down again.
const MOST_REMEMBERED: u64 = 100_000;
/// No path of ours is longer; one that is made up need not fill the journal.
const LONGEST_PATH: usize = 200;

/// Somebody who works for the platform asked for personal data. Never published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PersonalDataRead {
    /// Method and route, as in the OpenAPI document.
    operation: String,
    permission: String,
    /// The path that was asked for, with its ids and without its query.
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl Event for PersonalDataRead {
    const TYPE: &'static str = "quenty.access.read.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["address"];
}

quenty_kernel::facts! {
    enum AccessFact { Read(PersonalDataRead) }
}

/// What this process has written down within the last minute: reader, and method and path.
pub(crate) struct Recorded(Cache<(UserId, String), ()>);

impl Default for Recorded {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(ONCE_IN).build())
    }
}

/// What is written down of a request, if it is.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    reader: UserId,
    fact: PersonalDataRead,
}

impl Reading {
    /// None of a company's own people, nor of services, which read for somebody else.
    pub(crate) fn of(app: &App, caller: &Caller, parts: &Parts, permission: &'static str) -> Option<Self> {
        let (Some(Realm::Staff), Actor::User(reader)) = (caller.realm(), caller.actor()) else { return None };
        let route = parts.extensions.get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
        let fact = PersonalDataRead {
            operation: format!("{} {route}", parts.method),
            permission: permission.to_owned(),
            path: parts.uri.path().chars().take(LONGEST_PATH).collect(),
            address: client_address(parts, app).map(|address| address.to_string()),
        };
        Some(Self { reader, fact })
    }

    pub(crate) async fn record(self, tx: &mut Tx) -> Result<()> {
        let stream = ReaderId::from_uuid(self.reader.uuid());
        // There is no row of the reader's to lock, and two first entries of one chain would meet.
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 9))", stream.to_string())
            .execute(tx.conn())
            .await?;
        tx.record_about(stream, self.reader, None, &AccessFact::from(self.fact))
    }
}

/// Writes down that the caller is about to read, unless that was done a moment ago. Of many who ask at once one writes,
/// and the others wait for it.
///
/// # Errors
/// 503 when it cannot be written: then nothing is read.
pub(crate) async fn record(app: &App, caller: &Caller, method: &Method, reading: Reading) -> Result<()> {
    let key = (reading.reader, format!("{method} {}", reading.fact.path));
    let written = app.0.recorded.0.try_get_with(key, async {
        write(app, caller, reading).await.map_err(|error| {
            tracing::error!(%error, "a read of personal data cannot be recorded, and is refused");
            Failure::new(
                Kind::Unavailable,
                "READ_NOT_RECORDED",
                "who reads personal data is written down, and that cannot be done now; try again",
            )
            .retry_after(2)
        })
    });
    written.await.map_err(|failure: Arc<Failure>| Failure::clone(&failure).into())
}

async fn write(app: &App, caller: &Caller, reading: Reading) -> Result<()> {
    let mut tx = app.begin_as(caller.cause()).await?;
    reading.record(&mut tx).await?;
    tx.commit().await
}

/// Which readings are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub actor: Option<UserId>,
    /// An id, or another part of the path.
    pub about: Option<String>,
    pub from: Option<Timestamp>,
    /// Up to, but not including.
    pub to: Option<Timestamp>,
}

/// That somebody read.
#[derive(Debug, Clone, Serialize)]
pub struct Read {
    pub id: Uuid,
    /// By the wall clock.
    pub at: Timestamp,
    pub actor: Actor,
    pub operation: String,
    pub permission: String,
    pub path: String,
    pub address: Option<String>,
    pub request_id: Uuid,
    pub traceparent: Option<String>,
}

/// The newest readings that a service has written down, newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn reads(db: &PgPool, filter: &Filter, limit: i64) -> Result<Vec<Read>> {
    let rows = sqlx::query!(
        "select j.id, j.data, p.data as \"personal?\", j.actor, j.correlation_id, j.traceparent, j.recorded_at
         from quenty.journal j left join quenty.journal_personal p on p.event_id = j.id
         where j.type = 'quenty.access.read.v1' and ($1::text is null or j.actor = $1)
           and ($2::text is null or strpos(j.data->>'path', $2) > 0)
           and ($3::timestamptz is null or j.recorded_at >= $3) and ($4::timestamptz is null or j.recorded_at < $4)
         order by j.seq desc limit $5",
        filter.actor.map(|id| Actor::User(id).to_string()),
        filter.about,
        filter.from.map(|t| t.to_sqlx()) as _,
        filter.to.map(|t| t.to_sqlx()) as _,
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let fact: PersonalDataRead = serde_json::from_value(joined(row.data, row.personal))?;
            Ok(Read {
                id: row.id,
                at: row.recorded_at.to_jiff(),
                actor: row.actor.parse().map_err(Error::internal)?,
                operation: fact.operation,
                permission: fact.permission,
                path: fact.path,
                address: fact.address,
                request_id: row.correlation_id,
                traceparent: row.traceparent,
            })
        })
        .collect()
}
