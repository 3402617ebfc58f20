//! What became of each unit, and what it brought.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    PageQuery, Scope,
    id::{CompanyId, DispositionId, ProductId, ReturnId},
    money::Money,
};
use quenty_platform::{
    Result,
    row::{narrow, parse, unreadable},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::disposition::{Condition, Corrections, Kind, Outcome, correction};

/// One unit's end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Disposition {
    pub(crate) id: DispositionId,
    pub(crate) company_id: CompanyId,
    pub(crate) return_id: ReturnId,
    pub(crate) line: u32,
    pub(crate) unit: u32,
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) category: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) condition: Condition,
    pub(crate) weight_grams: u32,
    /// What it was expected to bring.
    pub(crate) estimated: Money,
    /// The same, before what such units really brought corrected it.
    pub(crate) uncorrected: Money,
    pub(crate) cost: Money,
    pub(crate) realised: Option<Money>,
    pub(crate) partner: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

struct DispositionRow {
    id: Uuid,
    company_id: Uuid,
    return_id: Uuid,
    line: i32,
    unit: i32,
    product_id: Uuid,
    sku: String,
    category: Option<String>,
    kind: String,
    condition: String,
    weight_grams: i64,
    currency: String,
    estimated: Decimal,
    uncorrected: Decimal,
    cost: Decimal,
    realised: Option<Decimal>,
    partner: Option<String>,
    reason: Option<String>,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

impl TryFrom<DispositionRow> for Disposition {
    type Error = quenty_platform::Error;

    fn try_from(row: DispositionRow) -> Result<Self> {
        let currency = parse(&row.currency)?;
        let money = |amount| Money::new(amount, currency).map_err(unreadable);
        Ok(Self {
            id: DispositionId::from_uuid(row.id),
            company_id: CompanyId::from_uuid(row.company_id),
            return_id: ReturnId::from_uuid(row.return_id),
            line: narrow(row.line)?,
            unit: narrow(row.unit)?,
            product_id: ProductId::from_uuid(row.product_id),
            sku: row.sku,
            category: row.category,
            kind: parse(&row.kind)?,
            condition: parse(&row.condition)?,
            weight_grams: narrow(row.weight_grams)?,
            estimated: money(row.estimated)?,
            uncorrected: money(row.uncorrected)?,
            cost: money(row.cost)?,
            realised: row.realised.map(money).transpose()?,
            partner: row.partner,
            reason: row.reason,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DispositionFilter {
    pub(crate) kind: Option<Kind>,
    pub(crate) return_id: Option<ReturnId>,
    pub(crate) product_id: Option<ProductId>,
}

/// One column list for every read; `$tail` is what differs.
macro_rules! select_dispositions {
    ($tail:tt, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            DispositionRow,
            "select id, company_id, return_id, line, unit, product_id, sku, category, kind, condition, weight_grams, currency, estimated,
                    uncorrected, cost, realised, partner, reason, version, created_at, updated_at
             from dispositions where ($1::uuid is null or company_id = $1) " + $tail,
            $($argument),+
        )
    };
}

pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    scope: Scope,
    id: DispositionId,
) -> Result<Option<Disposition>> {
    let row = select_dispositions!("and id = $2", scope.company_uuid(), id.uuid()).fetch_optional(db).await?;
    row.map(Disposition::try_from).transpose()
}

pub(crate) async fn lock(
    connection: &mut PgConnection,
    scope: Scope,
    id: DispositionId,
) -> Result<Option<Disposition>> {
    let row = select_dispositions!("and id = $2 for update", scope.company_uuid(), id.uuid())
        .fetch_optional(connection)
        .await?;
    row.map(Disposition::try_from).transpose()
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    filter: &DispositionFilter,
    page: &PageQuery,
) -> Result<Vec<Disposition>> {
    let rows = select_dispositions!(
        "and ($2::text is null or kind = $2) and ($3::uuid is null or return_id = $3)
         and ($4::uuid is null or product_id = $4) and ($5::uuid is null or id < $5) order by id desc limit $6",
        scope.company_uuid(),
        filter.kind.map(Kind::as_str),
        filter.return_id.map(ReturnId::uuid),
        filter.product_id.map(ProductId::uuid),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Disposition::try_from).collect()
}

pub(crate) async fn insert(connection: &mut PgConnection, dispositions: &[Disposition]) -> Result<()> {
    let rows: Vec<Value> = dispositions
        .iter()
        .map(|of| {
            json!({
                "id": of.id.uuid(), "company_id": of.company_id.uuid(), "return_id": of.return_id.uuid(), "line": of.line, "unit": of.unit,
                "product_id": of.product_id.uuid(), "sku": of.sku, "category": of.category, "kind": of.kind, "condition": of.condition,
                "weight_grams": of.weight_grams, "currency": of.estimated.currency().code(), "estimated": of.estimated.amount(),
                "uncorrected": of.uncorrected.amount(), "cost": of.cost.amount(), "partner": of.partner, "reason": of.reason,
                "at": of.created_at,
            })
        })
        .collect();
    sqlx::query!(
        "insert into dispositions (id, company_id, return_id, line, unit, product_id, sku, category, kind, condition, weight_grams, currency,
                                   estimated, uncorrected, cost, partner, reason, version, created_at, updated_at)
         select id, company_id, return_id, line, unit, product_id, sku, category, kind, condition, weight_grams, currency, estimated,
                uncorrected, cost, partner, reason, 1, at, at
         from jsonb_to_recordset($1) as r(id uuid, company_id uuid, return_id uuid, line integer, unit integer, product_id uuid, sku text,
              category text, kind text, condition text, weight_grams bigint, currency text, estimated numeric, uncorrected numeric,
              cost numeric, partner text, reason text, at timestamptz)",
        Value::Array(rows)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what can change: what it brought, and through whom.
pub(crate) async fn save(connection: &mut PgConnection, of: &Disposition) -> Result<()> {
    sqlx::query!(
        "update dispositions set realised = $2, partner = $3, version = $4, updated_at = $5 where id = $1",
        of.id.uuid(),
        of.realised.map(Money::amount),
        of.partner,
        of.version,
        of.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What the company's units of a category brought so far, by kind: the last hundred of each correct the estimates.
pub(crate) async fn corrections(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    category: Option<&str>,
) -> Result<Corrections> {
    let rows = sqlx::query!(
        "select kind, currency, uncorrected, realised as \"realised!\" from (
             select kind, currency, uncorrected, realised, row_number() over (partition by kind order by updated_at desc) as place
             from dispositions where company_id = $1 and category is not distinct from $2 and realised is not null) as newest
         where place <= 100 order by kind, place",
        company.uuid(),
        category
    )
    .fetch_all(db)
    .await?;
    let mut outcomes: Vec<(Kind, Vec<Outcome>)> = Vec::new();
    for row in rows {
        let (kind, currency) = (parse(&row.kind)?, parse(&row.currency)?);
        let money = |amount| Money::new(amount, currency).map_err(unreadable);
        let outcome = Outcome { estimated: money(row.uncorrected)?, realised: money(row.realised)? };
        match outcomes.last_mut() {
            Some((of, known)) if *of == kind => known.push(outcome),
            _ => outcomes.push((kind, vec![outcome])),
        }
    }
    Ok(outcomes.into_iter().map(|(kind, outcomes)| (kind, correction(&outcomes))).collect())
}
