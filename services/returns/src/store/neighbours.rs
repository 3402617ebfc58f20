//! What Order and Customer tell that a return needs.

use quenty_kernel::{
    address::Address,
    contact::{Email, LanguageTag, Phone},
    id::{CompanyId, CustomerId, ProductId, WarehouseId},
};
use quenty_platform::{
    Result,
    row::{document, parse_some},
};
use sqlx::{PgConnection, PgExecutor};

/// How a customer is written to.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownCustomer {
    pub(crate) email: Option<String>,
    pub(crate) language: Option<String>,
}

pub(crate) async fn keep_product(
    connection: &mut PgConnection,
    company: CompanyId,
    id: ProductId,
    category: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "insert into products (id, company_id, category) values ($1, $2, $3) on conflict (id) do update set category = excluded.category",
        id.uuid(),
        company.uuid(),
        category
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn keep_customer(
    connection: &mut PgConnection,
    company: CompanyId,
    id: CustomerId,
    email: Option<&Email>,
    language: Option<&LanguageTag>,
) -> Result<()> {
    sqlx::query!(
        "insert into customers (id, company_id, email, language) values ($1, $2, $3, $4)
         on conflict (id) do update set email = excluded.email, language = excluded.language",
        id.uuid(),
        company.uuid(),
        email.map(Email::as_str),
        language.map(LanguageTag::as_str)
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn keep_warehouse(
    connection: &mut PgConnection,
    company: CompanyId,
    id: WarehouseId,
    address: &Address,
    phone: Option<&Phone>,
) -> Result<()> {
    sqlx::query!(
        "insert into warehouses (id, company_id, address, contact_phone) values ($1, $2, $3, $4)
         on conflict (id) do update set address = excluded.address, contact_phone = excluded.contact_phone",
        id.uuid(),
        company.uuid(),
        serde_json::to_value(address)?,
        phone.map(Phone::as_str)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Where it stands and how it is reached; nothing, as long as nothing of it has changed.
pub(crate) async fn find_warehouse(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    id: WarehouseId,
) -> Result<Option<(Address, Option<Phone>)>> {
    let row = sqlx::query!(
        "select address, contact_phone from warehouses where id = $1 and company_id = $2",
        id.uuid(),
        company.uuid()
    );
    let row = row.fetch_optional(db).await?;
    row.map(|row| Ok((document(row.address)?, parse_some(row.contact_phone)?))).transpose()
}

pub(crate) async fn find_customer(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    id: CustomerId,
) -> Result<Option<KnownCustomer>> {
    let row = sqlx::query_as!(
        KnownCustomer,
        "select email, language from customers where id = $1 and company_id = $2",
        id.uuid(),
        company.uuid()
    );
    Ok(row.fetch_optional(db).await?)
}
