//! Customers: one row each, addresses inside.

use jiff_sqlx::ToSqlx;
use quenty_contracts::customer::CustomerAddress;
use quenty_kernel::{
    PageQuery, Scope,
    contact::{Email, LanguageTag, Phone},
    id::{CompanyId, CustomerId},
};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor, types::Json};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::{parse, parse_some};
use crate::domain::{
    customer::{Customer, CustomerState},
    identification::Identification,
};

struct Row {
    id: Uuid,
    company_id: Uuid,
    kind: String,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    document_country: Option<String>,
    document_type: Option<String>,
    document_number: Option<String>,
    addresses: Json<Vec<CustomerAddress>>,
    language: Option<String>,
    blocked: bool,
    external_key: Option<String>,
    erased_at: Option<jiff_sqlx::Timestamp>,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

/// `select … from customers` and the rest of the statement.
macro_rules! select {
    ($rest:literal $(, $value:expr)*) => {
        sqlx::query_as!(
            Row,
            "select id, company_id, kind, name, email, phone, document_country, document_type, document_number,
                    addresses as \"addresses: Json<Vec<CustomerAddress>>\", language, blocked, external_key, erased_at, version, created_at, updated_at
             from customers " + $rest
            $(, $value)*
        )
    };
}

impl TryFrom<Row> for Customer {
    type Error = quenty_platform::Error;

    fn try_from(row: Row) -> Result<Self> {
        let country = parse_some(row.document_country.as_deref())?;
        let document = row.document_type.zip(row.document_number);
        let Json(addresses) = row.addresses;
        Ok(Self::from_state(CustomerState {
            id: CustomerId::from_uuid(row.id),
            company_id: CompanyId::from_uuid(row.company_id),
            kind: parse(&row.kind)?,
            name: parse(&row.name)?,
            email: parse_some(row.email.as_deref())?,
            phone: parse_some(row.phone.as_deref())?,
            identification: country
                .zip(document)
                .map(|(country, (code, number))| Identification::known(country, code, number)),
            addresses,
            language: parse_some(row.language.as_deref())?,
            blocked: row.blocked,
            external_key: row.external_key,
            erased_at: row.erased_at.map(jiff_sqlx::Timestamp::to_jiff),
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }))
    }
}

pub(crate) async fn find(db: impl PgExecutor<'_>, scope: Scope, id: CustomerId) -> Result<Option<Customer>> {
    let row =
        select!("where id = $2 and ($1::uuid is null or company_id = $1)", scope.company_uuid(), id.uuid())
            .fetch_optional(db)
            .await?;
    row.map(Customer::try_from).transpose()
}

pub(crate) async fn lock(
    connection: &mut PgConnection,
    scope: Scope,
    id: CustomerId,
) -> Result<Option<Customer>> {
    let row = select!(
        "where id = $2 and ($1::uuid is null or company_id = $1) for update",
        scope.company_uuid(),
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Customer::try_from).transpose()
}

/// The form that a name is looked up by. Some systems write letter and accent apart.
fn name_key(name: &str) -> String {
    name.to_lowercase().nfc().collect()
}

/// What a list may be narrowed to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter<'a> {
    /// How the name or the e-mail address begins, in any case.
    pub(crate) q: Option<&'a str>,
    pub(crate) blocked: Option<bool>,
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    filter: Filter<'_>,
    page: &PageQuery,
) -> Result<Vec<Customer>> {
    let rows = select!(
        "where ($1::uuid is null or company_id = $1) and ($2::text is null or name_key ^@ $2 or email_key ^@ $3)
           and ($4::bool is null or blocked = $4) and ($5::uuid is null or id < $5)
         order by id desc limit $6",
        scope.company_uuid(),
        filter.q.map(name_key),
        filter.q.map(str::to_lowercase),
        filter.blocked,
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Customer::try_from).collect()
}

pub(crate) async fn find_by_email(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    email: &Email,
) -> Result<Option<CustomerId>> {
    let id = sqlx::query_scalar!(
        "select id from customers where company_id = $1 and email_key = $2",
        company.uuid(),
        email.canonical()
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(CustomerId::from_uuid))
}

pub(crate) async fn find_by_external_key(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    key: &str,
) -> Result<Option<CustomerId>> {
    let id = sqlx::query_scalar!(
        "select id from customers where company_id = $1 and external_key = $2",
        company.uuid(),
        key
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(CustomerId::from_uuid))
}

/// Unless the company has a customer with the same e-mail address or external key: then nothing, and false.
pub(crate) async fn insert(connection: &mut PgConnection, customer: &Customer) -> Result<bool> {
    let state = customer.state();
    let inserted = sqlx::query!(
        "insert into customers (id, company_id, kind, name, name_key, email, email_key, phone, document_country, document_type,
                                document_number, addresses, language, blocked, external_key, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17) on conflict do nothing",
        state.id.uuid(),
        state.company_id.uuid(),
        state.kind.as_str(),
        state.name.as_str(),
        name_key(state.name.as_str()),
        state.email.as_ref().map(Email::as_str),
        state.email.as_ref().map(Email::canonical),
        state.phone.as_ref().map(Phone::as_str),
        state.identification.as_ref().map(|id| id.country().as_str()),
        state.identification.as_ref().map(Identification::code),
        state.identification.as_ref().map(Identification::number),
        Json(&state.addresses) as _,
        state.language.as_ref().map(LanguageTag::as_str),
        state.blocked,
        state.external_key,
        state.version,
        state.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Fails on the constraint `customers_email` when another customer of the company has the address.
pub(crate) async fn save(connection: &mut PgConnection, customer: &Customer) -> Result<()> {
    let state = customer.state();
    sqlx::query!(
        "update customers set name = $2, name_key = $3, email = $4, email_key = $5, phone = $6, document_country = $7, document_type = $8,
                document_number = $9, addresses = $10, language = $11, blocked = $12, version = $13, updated_at = $14,
                external_key = $15, erased_at = $16
         where id = $1",
        state.id.uuid(),
        state.name.as_str(),
        name_key(state.name.as_str()),
        state.email.as_ref().map(Email::as_str),
        state.email.as_ref().map(Email::canonical),
        state.phone.as_ref().map(Phone::as_str),
        state.identification.as_ref().map(|id| id.country().as_str()),
        state.identification.as_ref().map(Identification::code),
        state.identification.as_ref().map(Identification::number),
        Json(&state.addresses) as _,
        state.language.as_ref().map(LanguageTag::as_str),
        state.blocked,
        state.version,
        state.updated_at.to_sqlx() as _,
        state.external_key,
        state.erased_at.map(ToSqlx::to_sqlx) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
