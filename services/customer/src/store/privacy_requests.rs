//! Privacy requests: the state as a document, and beside it the columns by which it is found.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Page, PageQuery, Scope,
    id::{CustomerId, PrivacyRequestId},
};
use quenty_platform::{Result, row::document};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::privacy_request::PrivacyRequest;

pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    scope: Scope,
    id: PrivacyRequestId,
) -> Result<Option<PrivacyRequest>> {
    let state = sqlx::query_scalar!(
        "select state from privacy_requests where id = $1 and ($2::uuid is null or company_id = $2)",
        id.uuid(),
        scope.company_uuid()
    );
    state.fetch_optional(db).await?.map(document).transpose()
}

/// Only the answers of other services come here, so there is no scope.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    id: PrivacyRequestId,
) -> Result<Option<PrivacyRequest>> {
    let state = sqlx::query_scalar!("select state from privacy_requests where id = $1 for update", id.uuid());
    state.fetch_optional(connection).await?.map(document).transpose()
}

/// The request about this customer that is not completed.
pub(crate) async fn find_open(
    db: impl PgExecutor<'_>,
    customer: CustomerId,
) -> Result<Option<PrivacyRequestId>> {
    let id = sqlx::query_scalar!(
        "select id from privacy_requests where customer_id = $1 and status <> 'completed'",
        customer.uuid()
    );
    Ok(id.fetch_optional(db).await?.map(PrivacyRequestId::from_uuid))
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    customer: Option<CustomerId>,
    page: &PageQuery,
) -> Result<Page<PrivacyRequest>> {
    let states = sqlx::query_scalar!(
        "select state from privacy_requests
         where ($1::uuid is null or company_id = $1) and ($2::uuid is null or customer_id = $2) and ($3::uuid is null or id < $3)
         order by id desc limit $4",
        scope.company_uuid(),
        customer.map(CustomerId::uuid),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    let requests: Vec<PrivacyRequest> = states.into_iter().map(document).collect::<Result<_>>()?;
    Ok(Page::from_rows(requests, page, |request| request.id.uuid()))
}

/// False when another request about the customer is not completed.
pub(crate) async fn insert(connection: &mut PgConnection, request: &PrivacyRequest) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into privacy_requests (id, company_id, customer_id, status, state, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict do nothing",
        request.id.uuid(),
        request.company_id.uuid(),
        request.customer_id.uuid(),
        request.status.as_str(),
        serde_json::to_value(request)?,
        request.version,
        request.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(crate) async fn save(connection: &mut PgConnection, request: &PrivacyRequest) -> Result<()> {
    sqlx::query!(
        "update privacy_requests set status = $2, state = $3, version = $4, updated_at = $5 where id = $1",
        request.id.uuid(),
        request.status.as_str(),
        serde_json::to_value(request)?,
        request.version,
        request.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
