//! Whether each company may order, as Customer last told.

use quenty_contracts::customer::Standing;
use quenty_kernel::id::CompanyId;
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

/// Nothing for a company of which nobody has told yet.
pub(crate) async fn may_order(db: impl PgExecutor<'_>, company: CompanyId) -> Result<Option<bool>> {
    let found = sqlx::query_scalar!("select may_order from standings where company_id = $1", company.uuid());
    Ok(found.fetch_optional(db).await?)
}

/// The same, kept from changing until this transaction ends.
pub(crate) async fn lock_shared(connection: &mut PgConnection, company: CompanyId) -> Result<Option<bool>> {
    let found = sqlx::query_scalar!(
        "select may_order from standings where company_id = $1 for share",
        company.uuid()
    );
    Ok(found.fetch_optional(connection).await?)
}

/// Keeps a standing, unless a newer one is known.
pub(crate) async fn keep(connection: &mut PgConnection, told: &Standing) -> Result<()> {
    sqlx::query!(
        "insert into standings (company_id, version, may_order) values ($1, $2, $3)
         on conflict (company_id) do update set version = excluded.version, may_order = excluded.may_order
         where standings.version < excluded.version",
        told.company_id.uuid(),
        told.version,
        told.may_order
    )
    .execute(connection)
    .await?;
    Ok(())
}
