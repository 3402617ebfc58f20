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

/// Happenings column by column, as `unnest` takes them.
pub(super) struct Columns {
    pub(super) ids: Vec<Uuid>,
    pub(super) at: Vec<jiff_sqlx::Timestamp>,
    pub(super) sources: Vec<String>,
    pub(super) codes: Vec<String>,
    pub(super) texts: Vec<String>,
    pub(super) places: Vec<Option<String>>,
}

impl Columns {
    pub(super) fn of(happenings: &[Happening]) -> Self {
        let texts =
            |of: &dyn Fn(&Happening) -> &str| happenings.iter().map(|one| of(one).to_owned()).collect();
        Self {
            // Later ids sort later, so that what happened at one moment stays in order.
            ids: happenings.iter().map(|_| new_uuid()).collect(),
            at: happenings.iter().map(|one| one.at.to_sqlx()).collect(),
            sources: texts(&|one| one.source.as_str()),
            codes: texts(&|one| one.code),
            texts: texts(&|one| &one.text),
            places: happenings.iter().map(|one| one.place.clone()).collect(),
        }
    }
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
    let told = Columns::of(happenings);
    sqlx::query!(
        "insert into timeline (id, order_id, at, source, code, text, place, actor)
         select h.id, $1, h.at, h.source, h.code, h.text, h.place, $2
         from unnest($3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[])
              as h(id, at, source, code, text, place)",
        order.uuid(),
        actor.to_string(),
        &told.ids,
        told.at as _,
        &told.sources,
        &told.codes,
        &told.texts,
        &told.places as _
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
