//! Companies: one row each.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    PageQuery, Scope,
    address::Address,
    currency::Currency,
    id::{CompanyId, UserId},
    money::Money,
};
use quenty_platform::Result;
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use super::{parse, unreadable};
use crate::domain::{
    company::{Company, CompanyState, CompanyStatus, Details, KycStatus, Terms},
    identification::Identification,
};

struct Row {
    id: Uuid,
    kind: String,
    legal_name: String,
    trade_name: String,
    country: String,
    document_type: Option<String>,
    document_number: Option<String>,
    size: String,
    categories: Vec<String>,
    currency: String,
    time_zone: String,
    language: String,
    origin: Option<Json<Address>>,
    payment_terms_days: i32,
    credit_limit: Option<Decimal>,
    registered_by: Uuid,
    status: String,
    status_reason: Option<String>,
    kyc: String,
    kyc_reason: Option<String>,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

/// `select … from companies` and the rest of the statement.
macro_rules! select {
    ($rest:literal $(, $value:expr)*) => {
        sqlx::query_as!(
            Row,
            "select id, kind, legal_name, trade_name, country, document_type, document_number, size, categories, currency, time_zone,
                    language, origin as \"origin: Json<Address>\", payment_terms_days, credit_limit, registered_by, status, status_reason,
                    kyc, kyc_reason, version, created_at, updated_at
             from companies " + $rest
            $(, $value)*
        )
    };
}

impl TryFrom<Row> for Company {
    type Error = quenty_platform::Error;

    fn try_from(row: Row) -> Result<Self> {
        let country = parse(&row.country)?;
        let currency: Currency = parse(&row.currency)?;
        let identification = row
            .document_type
            .zip(row.document_number)
            .map(|(code, number)| Identification::known(country, code, number));
        Ok(Self::from_state(CompanyState {
            id: CompanyId::from_uuid(row.id),
            kind: parse(&row.kind)?,
            country,
            details: Details {
                legal_name: parse(&row.legal_name)?,
                trade_name: parse(&row.trade_name)?,
                identification,
                size: parse(&row.size)?,
                categories: row.categories.iter().map(|category| parse(category)).collect::<Result<_>>()?,
                currency,
                time_zone: parse(&row.time_zone)?,
                language: parse(&row.language)?,
                origin: row.origin.map(|Json(origin)| origin),
            },
            terms: Terms {
                payment_days: u16::try_from(row.payment_terms_days).map_err(unreadable)?,
                credit_limit: row
                    .credit_limit
                    .map(|amount| Money::new(amount, currency))
                    .transpose()
                    .map_err(unreadable)?,
            },
            registered_by: UserId::from_uuid(row.registered_by),
            status: parse(&row.status)?,
            status_reason: row.status_reason,
            kyc: parse(&row.kyc)?,
            kyc_reason: row.kyc_reason,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }))
    }
}

pub(crate) async fn find(db: impl PgExecutor<'_>, scope: Scope, id: CompanyId) -> Result<Option<Company>> {
    let row = select!("where id = $2 and ($1::uuid is null or id = $1)", scope.company_uuid(), id.uuid())
        .fetch_optional(db)
        .await?;
    row.map(Company::try_from).transpose()
}

/// Everything that depends on a company's state or on who is in it takes this lock first.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    scope: Scope,
    id: CompanyId,
) -> Result<Option<Company>> {
    let row = select!(
        "where id = $2 and ($1::uuid is null or id = $1) for update",
        scope.company_uuid(),
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Company::try_from).transpose()
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    status: Option<CompanyStatus>,
    kyc: Option<KycStatus>,
    page: &PageQuery,
) -> Result<Vec<Company>> {
    let rows = select!(
        "where ($1::uuid is null or id = $1) and ($2::text is null or status = $2) and ($3::text is null or kyc = $3)
           and ($4::uuid is null or id < $4)
         order by id desc limit $5",
        scope.company_uuid(),
        status.map(CompanyStatus::as_str),
        kyc.map(KycStatus::as_str),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Company::try_from).collect()
}

pub(crate) async fn insert(connection: &mut PgConnection, company: &Company) -> Result<()> {
    let state = company.state();
    sqlx::query!(
        "insert into companies (id, kind, legal_name, trade_name, country, document_type, document_number, size, categories, currency,
                                time_zone, language, origin, payment_terms_days, credit_limit, registered_by, status, kyc, version,
                                created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20)",
        state.id.uuid(),
        state.kind.as_str(),
        state.details.legal_name.as_str(),
        state.details.trade_name.as_str(),
        state.country.as_str(),
        state.details.identification.as_ref().map(Identification::code),
        state.details.identification.as_ref().map(Identification::number),
        state.details.size.as_str(),
        &categories(&state.details),
        state.details.currency.as_str(),
        state.details.time_zone.as_str(),
        state.details.language.as_str(),
        state.details.origin.as_ref().map(Json) as _,
        i32::from(state.terms.payment_days),
        state.terms.credit_limit.map(Money::amount),
        state.registered_by.uuid(),
        state.status.as_str(),
        state.kyc.as_str(),
        state.version,
        state.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Fails on the constraint `companies_judged_document` when another company with the document is in review, active or
/// suspended, and this one is to be, too.
pub(crate) async fn save(connection: &mut PgConnection, company: &Company) -> Result<()> {
    let state = company.state();
    sqlx::query!(
        "update companies set legal_name = $2, trade_name = $3, document_type = $4, document_number = $5, size = $6, categories = $7,
                currency = $8, time_zone = $9, language = $10, origin = $11, payment_terms_days = $12, credit_limit = $13, status = $14,
                status_reason = $15, kyc = $16, kyc_reason = $17, version = $18, updated_at = $19
         where id = $1",
        state.id.uuid(),
        state.details.legal_name.as_str(),
        state.details.trade_name.as_str(),
        state.details.identification.as_ref().map(Identification::code),
        state.details.identification.as_ref().map(Identification::number),
        state.details.size.as_str(),
        &categories(&state.details),
        state.details.currency.as_str(),
        state.details.time_zone.as_str(),
        state.details.language.as_str(),
        state.details.origin.as_ref().map(Json) as _,
        i32::from(state.terms.payment_days),
        state.terms.credit_limit.map(Money::amount),
        state.status.as_str(),
        state.status_reason,
        state.kyc.as_str(),
        state.kyc_reason,
        state.version,
        state.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn categories(details: &Details) -> Vec<String> {
    details.categories.iter().map(ToString::to_string).collect()
}
