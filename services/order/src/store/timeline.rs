//! Rows of what a person reads of an order's way.

use jiff::Timestamp;
use quenty_kernel::{
    Actor, Cursor, PageQuery, Scope,
    id::{OrderId, new_uuid},
};
use quenty_platform::Error;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::timeline::Happening;

/// One line, as it was written.
#[derive(Debug, Clone)]
pub(crate) struct TimelineRow {
    pub(crate) id: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) source: String,
    pub(crate) code: String,
    pub(crate) text: String,
    pub(crate) place: Option<String>,
    pub(crate) actor: String,
}

/// The rows of happenings, as `jsonb_to_recordset` takes them.
pub(super) fn rows(order: OrderId, actor: &Actor, happenings: &[Happening]) -> Value {
    let row = |happening: &Happening| {
        json!({
            // Later ids sort later, so that what happened at one moment stays in order.
            "id": new_uuid(), "order_id": order.uuid(), "at": happening.at, "source": happening.source.as_str(),
            "code": happening.code, "text": happening.text, "place": happening.place, "actor": actor.to_string(),
        })
    };
    happenings.iter().map(row).collect()
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
    sqlx::query!(
        "insert into timeline (id, order_id, at, source, code, text, place, actor)
         select id, order_id, at, source, code, text, place, actor
         from jsonb_to_recordset($1) as h(id uuid, order_id uuid, at timestamptz, source text, code text, text text, place text, actor text)",
        rows(order, actor, happenings)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Leaves of these lines what happened, and of all of them no place.
pub(crate) async fn erase(
    connection: &mut PgConnection,
    order: OrderId,
    written: &[&str],
) -> Result<(), Error> {
    let written: Vec<String> = written.iter().map(|code| (*code).to_owned()).collect();
    sqlx::query!(
        "update timeline set text = case when code = any($2) then code else text end, place = null
         where order_id = $1 and (place is not null or (code = any($2) and text <> code))",
        order.uuid(),
        &written
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The earliest first.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    order: OrderId,
    page: &PageQuery,
) -> Result<Vec<TimelineRow>, Error> {
    let rows = sqlx::query!(
        "select t.id, t.at, t.source, t.code, t.text, t.place, t.actor from timeline t join orders o on o.id = t.order_id
         where t.order_id = $1 and ($2::uuid is null or o.company_id = $2)
           and ($3::uuid is null or (t.at, t.id) > (select l.at, l.id from timeline l where l.id = $3 and l.order_id = $1))
         order by t.at, t.id limit $4",
        order.uuid(),
        scope.company_uuid(),
        page.cursor.map(Cursor::uuid),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    let read = rows.into_iter().map(|row| TimelineRow {
        id: row.id,
        at: row.at.to_jiff(),
        source: row.source,
        code: row.code,
        text: row.text,
        place: row.place,
        actor: row.actor,
    });
    Ok(read.collect())
}
