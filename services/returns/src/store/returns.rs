//! Returns: the state as a document, and beside it the columns by which it is found.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    PageQuery, Scope,
    id::{CustomerId, OrderId, RecallId, ReturnId},
};
use quenty_platform::{
    Result,
    row::{document, narrow},
};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::goods_return::{Return, ReturnState, Status};

/// What a list is narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReturnFilter {
    pub(crate) status: Option<Status>,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) recall_id: Option<RecallId>,
}

fn read(state: Value) -> Result<Return> {
    document::<ReturnState>(state).map(Return::restore)
}

pub(crate) async fn find(db: impl PgExecutor<'_>, scope: Scope, id: ReturnId) -> Result<Option<Return>> {
    let state = sqlx::query_scalar!(
        "select state from returns where id = $1 and ($2::uuid is null or company_id = $2)",
        id.uuid(),
        scope.company_uuid()
    )
    .fetch_optional(db)
    .await?;
    state.map(read).transpose()
}

/// The lock under which everything about a return is decided.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    scope: Scope,
    id: ReturnId,
) -> Result<Option<Return>> {
    let state = sqlx::query_scalar!(
        "select state from returns where id = $1 and ($2::uuid is null or company_id = $2) for update",
        id.uuid(),
        scope.company_uuid()
    )
    .fetch_optional(connection)
    .await?;
    state.map(read).transpose()
}

/// Which order a return belongs to: that order's lock comes before the return's.
pub(crate) async fn order_of(db: impl PgExecutor<'_>, scope: Scope, id: ReturnId) -> Result<Option<OrderId>> {
    let order = sqlx::query_scalar!(
        "select order_id from returns where id = $1 and ($2::uuid is null or company_id = $2)",
        id.uuid(),
        scope.company_uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(order.map(OrderId::from_uuid))
}

pub(crate) async fn find_by_token(db: impl PgExecutor<'_>, token: &str) -> Result<Option<Return>> {
    let state = sqlx::query_scalar!("select state from returns where tracking_token = $1", token)
        .fetch_optional(db)
        .await?;
    state.map(read).transpose()
}

pub(crate) async fn token_of(db: impl PgExecutor<'_>, scope: Scope, id: ReturnId) -> Result<Option<String>> {
    let token = sqlx::query_scalar!(
        "select tracking_token from returns where id = $1 and ($2::uuid is null or company_id = $2)",
        id.uuid(),
        scope.company_uuid()
    );
    Ok(token.fetch_optional(db).await?)
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    filter: &ReturnFilter,
    page: &PageQuery,
) -> Result<Vec<Return>> {
    let rows = sqlx::query_scalar!(
        "select state from returns
         where ($1::uuid is null or company_id = $1) and ($2::text is null or status = $2)
           and ($3::uuid is null or order_id = $3) and ($4::uuid is null or customer_id = $4)
           and ($7::uuid is null or id in (select return_id from recalled_returns where recall_id = $7))
           and ($5::uuid is null or id < $5) order by id desc limit $6",
        scope.company_uuid(),
        filter.status.map(Status::as_str),
        filter.order_id.map(OrderId::uuid),
        filter.customer_id.map(CustomerId::uuid),
        page.before(),
        page.fetch(),
        filter.recall_id.map(RecallId::uuid)
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Writes a new return, whose page is opened by `token`.
pub(crate) async fn insert(connection: &mut PgConnection, new: &Return, token: &str) -> Result<()> {
    let request = &new.request;
    sqlx::query!(
        "insert into returns (id, company_id, order_id, customer_id, status, attention, state, tracking_token, deadline, deadline_number,
                              version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        new.id.uuid(),
        request.company_id.uuid(),
        request.order_id.uuid(),
        request.customer_id.map(CustomerId::uuid),
        new.status.as_str(),
        new.attention.as_ref().map(|attention| attention.code.as_str()),
        serde_json::to_value(&**new)?,
        token,
        new.deadline.map(|deadline| deadline.at.to_sqlx()) as _,
        deadline_number(new)?,
        new.version,
        new.created_at.to_sqlx() as _,
        new.updated_at.to_sqlx() as _
    )
    .execute(&mut *connection)
    .await?;
    let lines: Vec<Value> = request
        .lines
        .iter()
        .map(|line| {
            json!({"line": line.line, "product_id": line.product_id.uuid(), "sku": line.sku, "name": line.name,
                   "reason": line.reason, "quantity": line.quantity})
        })
        .collect();
    sqlx::query!(
        "insert into return_lines (return_id, line, company_id, order_id, product_id, sku, name, reason, quantity, received)
         select $1, line, $2, $3, product_id, sku, name, reason, quantity, 0
         from jsonb_to_recordset($4) as r(line integer, product_id uuid, sku text, name text, reason text, quantity integer)",
        new.id.uuid(),
        request.company_id.uuid(),
        request.order_id.uuid(),
        Value::Array(lines)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what facts changed.
pub(crate) async fn save(connection: &mut PgConnection, of: &Return) -> Result<()> {
    let (mut lines, mut received) = (Vec::new(), Vec::new());
    for line in &of.request.lines {
        lines.push(narrow(line.line)?);
        received.push(narrow(of.received_of(line.line))?);
    }
    sqlx::query!(
        "with l as (
             update return_lines r set received = n.received from unnest($8::integer[], $9::integer[]) as n(line, received)
             where r.return_id = $1 and r.line = n.line and r.received <> n.received
         )
         update returns set status = $2, attention = $3, state = $4, deadline = $5, deadline_number = $6, version = $7, updated_at = $10
         where id = $1",
        of.id.uuid(),
        of.status.as_str(),
        of.attention.as_ref().map(|attention| attention.code.as_str()),
        serde_json::to_value(&**of)?,
        of.deadline.map(|deadline| deadline.at.to_sqlx()) as _,
        deadline_number(of)?,
        of.version,
        &lines,
        &received,
        of.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn deadline_number(of: &Return) -> Result<Option<i32>> {
    of.deadline.map(|deadline| narrow(deadline.number)).transpose()
}
