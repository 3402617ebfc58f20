//! Recalls, and the returns that they opened.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Page, PageQuery, Scope,
    id::{CompanyId, OrderId, ProductId, RecallId, ReturnId},
};
use quenty_platform::{
    Result,
    row::{document, narrow, parse},
};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::recall::Recall;

struct Row {
    id: Uuid,
    company_id: Uuid,
    product_id: Uuid,
    terms: Value,
    delivered_since: Option<jiff_sqlx::Timestamp>,
    status: String,
    last_order: Option<Uuid>,
    opened: i32,
    passed_over: i32,
    requested_by: String,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn recall(self) -> Result<Recall> {
        Ok(Recall {
            id: RecallId::from_uuid(self.id),
            company_id: CompanyId::from_uuid(self.company_id),
            product_id: ProductId::from_uuid(self.product_id),
            terms: document(self.terms)?,
            delivered_since: self.delivered_since.map(|at| at.to_jiff()),
            is_done: self.status == "done",
            last_order: self.last_order.map(OrderId::from_uuid),
            opened: narrow(self.opened)?,
            passed_over: narrow(self.passed_over)?,
            requested_by: parse(&self.requested_by)?,
            created_at: self.created_at.to_jiff(),
            updated_at: self.updated_at.to_jiff(),
        })
    }
}

/// The one list of columns; `$rest` says which rows.
macro_rules! select_recalls {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            "select id, company_id, product_id, terms, delivered_since, status, last_order, opened, passed_over, requested_by, created_at,
                    updated_at
             from recalls " + $rest,
            $($argument),+
        )
    };
}

pub(crate) async fn insert(connection: &mut PgConnection, new: &Recall) -> Result<()> {
    sqlx::query!(
        "insert into recalls (id, company_id, product_id, terms, delivered_since, status, opened, passed_over, requested_by,
                              created_at, updated_at)
         values ($1, $2, $3, $4, $5, 'running', 0, 0, $6, $7, $7)",
        new.id.uuid(),
        new.company_id.uuid(),
        new.product_id.uuid(),
        serde_json::to_value(&new.terms)?,
        new.delivered_since.map(ToSqlx::to_sqlx) as _,
        new.requested_by.to_string(),
        new.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn find(db: impl PgExecutor<'_>, scope: Scope, id: RecallId) -> Result<Option<Recall>> {
    let row = select_recalls!(
        "where id = $1 and ($2::uuid is null or company_id = $2)",
        id.uuid(),
        scope.company_uuid()
    );
    row.fetch_optional(db).await?.map(Row::recall).transpose()
}

/// One order at a time is looked at.
pub(crate) async fn lock(connection: &mut PgConnection, id: RecallId) -> Result<Option<Recall>> {
    let row = select_recalls!("where id = $1 for update", id.uuid());
    row.fetch_optional(connection).await?.map(Row::recall).transpose()
}

pub(crate) async fn list(db: impl PgExecutor<'_>, scope: Scope, page: &PageQuery) -> Result<Page<Recall>> {
    let rows = select_recalls!(
        "where ($1::uuid is null or company_id = $1) and ($2::uuid is null or id < $2) order by id desc limit $3",
        scope.company_uuid(),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    let recalls = rows.into_iter().map(Row::recall).collect::<Result<_>>()?;
    Ok(Page::from_rows(recalls, page, |recall: &Recall| recall.id.uuid()))
}

/// The order after the last one that was looked at.
pub(crate) async fn next_order(db: impl PgExecutor<'_>, of: &Recall) -> Result<Option<OrderId>> {
    let order = sqlx::query_scalar!(
        "select o.id from delivered_lines l join delivered_orders o on o.id = l.order_id
         where l.product_id = $1 and o.company_id = $2 and ($3::uuid is null or o.id > $3)
           and ($4::timestamptz is null or o.delivered_at >= $4)
         order by o.id limit 1",
        of.product_id.uuid(),
        of.company_id.uuid(),
        of.last_order.map(OrderId::uuid),
        of.delivered_since.map(ToSqlx::to_sqlx) as _
    );
    Ok(order.fetch_optional(db).await?.map(OrderId::from_uuid))
}

/// Counts an order with what became of it.
pub(crate) async fn save(connection: &mut PgConnection, of: &Recall, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update recalls set status = $2, last_order = $3, opened = $4, passed_over = $5, updated_at = $6 where id = $1",
        of.id.uuid(),
        if of.is_done { "done" } else { "running" },
        of.last_order.map(OrderId::uuid),
        narrow::<i32, _>(of.opened)?,
        narrow::<i32, _>(of.passed_over)?,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn insert_return(
    connection: &mut PgConnection,
    recall: RecallId,
    id: ReturnId,
) -> Result<()> {
    sqlx::query!(
        "insert into recalled_returns (recall_id, return_id) values ($1, $2)",
        recall.uuid(),
        id.uuid()
    )
    .execute(connection)
    .await?;
    Ok(())
}
