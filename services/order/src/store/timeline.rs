//! Rows of what a person reads of an order's way.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Actor, Scope,
    id::{OrderId, new_uuid},
};
use quenty_platform::Error;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::timeline::Happening;

/// One line, as it was written.
#[derive(Debug, Clone)]
pub(crate) struct TimelineRow {
    pub(crate) at: Timestamp,
    pub(crate) source: String,
    pub(crate) code: String,
    pub(crate) text: String,
    pub(crate) place: Option<String>,
    pub(crate) actor: String,
}

pub(crate) async fn add(
    connection: &mut PgConnection,
    order: OrderId,
    actor: &Actor,
    happenings: &[Happening],
) -> Result<(), Error> {
    if happenings.is_empty() {
        return Ok(());
    }
    // Later ids sort later, so that what happened at one moment stays in order.
    let ids: Vec<Uuid> = happenings.iter().map(|_| new_uuid()).collect();
    let at: Vec<_> = happenings.iter().map(|happening| happening.at.to_sqlx()).collect();
    let sources: Vec<String> =
        happenings.iter().map(|happening| happening.source.as_str().to_owned()).collect();
    let codes: Vec<String> = happenings.iter().map(|happening| happening.code.to_owned()).collect();
    let texts: Vec<String> = happenings.iter().map(|happening| happening.text.clone()).collect();
    let places: Vec<Option<String>> = happenings.iter().map(|happening| happening.place.clone()).collect();
    sqlx::query!(
        "insert into timeline (id, order_id, at, source, code, text, place, actor)
         select h.id, $1, h.at, h.source, h.code, h.text, h.place, $2
         from unnest($3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[])
              as h(id, at, source, code, text, place)",
        order.uuid(),
        actor.to_string(),
        &ids,
        at as _,
        &sources,
        &codes,
        &texts,
        &places as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    order: OrderId,
) -> Result<Vec<TimelineRow>, Error> {
    let rows = sqlx::query!(
        "select t.at, t.source, t.code, t.text, t.place, t.actor from timeline t join orders o on o.id = t.order_id
         where t.order_id = $1 and ($2::uuid is null or o.company_id = $2) order by t.at, t.id",
        order.uuid(),
        scope.company_uuid()
    )
    .fetch_all(db)
    .await?;
    let read = rows.into_iter().map(|row| TimelineRow {
        at: row.at.to_jiff(),
        source: row.source,
        code: row.code,
        text: row.text,
        place: row.place,
        actor: row.actor,
    });
    Ok(read.collect())
}
