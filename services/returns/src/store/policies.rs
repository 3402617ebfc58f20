//! Policies, one row per version; a company without one has the initial one.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::CompanyId;
use quenty_platform::{
    Result,
    row::{document, narrow},
};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::policy::ReturnPolicy;

/// The newest version, or a given one.
pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    version: Option<u32>,
) -> Result<Option<ReturnPolicy>> {
    if version == Some(0) {
        return Ok(Some(ReturnPolicy::initial(company)));
    }
    let wanted = version.map(i32::try_from).transpose().unwrap_or(Some(-1));
    let row = sqlx::query!(
        "select version, terms from return_policies where company_id = $1 and ($2::integer is null or version = $2)
         order by version desc limit 1",
        company.uuid(),
        wanted
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(version.is_none().then(|| ReturnPolicy::initial(company))) };
    let version = narrow(row.version)?;
    Ok(Some(ReturnPolicy { company_id: company, version, terms: document(row.terms)? }))
}

/// Adds a version. That of two changes at once only one is the next is kept by the key.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    policy: &ReturnPolicy,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into return_policies (company_id, version, terms, created_at) values ($1, $2, $3, $4)",
        policy.company_id.uuid(),
        narrow::<i32, _>(policy.version)?,
        serde_json::to_value(&policy.terms)?,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
