//! What the returns of a span tell: how much comes back, why, from where, what it brings, and how long it takes.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{Scope, currency::Currency, id::ProductId, money::Money};
use quenty_platform::{
    Result,
    row::{narrow, parse, unreadable},
};
use rust_decimal::Decimal;
use sqlx::PgExecutor;

use crate::domain::disposition::MeanError;

/// A span of time, up to before its end, within a scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) scope: Scope,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// Delivered units, and how many of them came back or are coming.
#[derive(Debug, Clone)]
pub(crate) struct ProductRate {
    pub(crate) product_id: ProductId,
    pub(crate) sku: String,
    pub(crate) delivered: i64,
    pub(crate) returned: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct RegionRate {
    pub(crate) country: String,
    pub(crate) region: String,
    pub(crate) delivered: i64,
    pub(crate) returned: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct ReasonCount {
    pub(crate) reason: String,
    pub(crate) returns: i64,
    pub(crate) units: i64,
}

/// What disposed units were expected to bring and what they brought, per currency.
#[derive(Debug, Clone)]
pub(crate) struct Recovery {
    pub(crate) units: i64,
    pub(crate) estimated: Money,
    pub(crate) cost: Money,
    /// Of the units whose value is known by now.
    pub(crate) realised_units: i64,
    pub(crate) realised: Money,
    /// What those were expected to bring.
    pub(crate) estimated_of_realised: Money,
}

/// How far the estimates of a category were off, in one currency.
#[derive(Debug, Clone)]
pub(crate) struct EstimateError {
    pub(crate) category: Option<String>,
    pub(crate) currency: Currency,
    pub(crate) error: MeanError,
}

/// Median hours between steps; absent while nothing went so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CycleTimes {
    pub(crate) to_received: Option<f64>,
    pub(crate) to_processed: Option<f64>,
    pub(crate) to_settled: Option<f64>,
}

const MAX_ROWS: i64 = 100;

/// The products of which most came back, of orders delivered in the span.
pub(crate) async fn by_product(db: impl PgExecutor<'_>, span: Span) -> Result<Vec<ProductRate>> {
    let rows = sqlx::query!(
        "select l.product_id, min(l.sku) as \"sku!\", sum(l.quantity) as \"delivered!\", sum(l.claimed) as \"returned!\"
         from delivered_orders o join delivered_lines l on l.order_id = o.id
         where ($1::uuid is null or o.company_id = $1) and o.delivered_at >= $2 and o.delivered_at < $3
         group by l.product_id order by sum(l.claimed) desc, l.product_id limit $4",
        span.scope.company_uuid(),
        span.from.to_sqlx() as _,
        span.to.to_sqlx() as _,
        MAX_ROWS
    )
    .fetch_all(db)
    .await?;
    let rate = rows.into_iter().map(|row| ProductRate {
        product_id: ProductId::from_uuid(row.product_id),
        sku: row.sku,
        delivered: row.delivered,
        returned: row.returned,
    });
    Ok(rate.collect())
}

/// Where goods came back from, by the consignee's region, or the city where there is none.
pub(crate) async fn by_region(db: impl PgExecutor<'_>, span: Span) -> Result<Vec<RegionRate>> {
    let rows = sqlx::query_as!(
        RegionRate,
        "select o.consignee->'address'->>'country' as \"country!\",
                coalesce(o.consignee->'address'->>'state', o.consignee->'address'->>'city') as \"region!\",
                sum(l.quantity) as \"delivered!\", sum(l.claimed) as \"returned!\"
         from delivered_orders o join delivered_lines l on l.order_id = o.id
         where ($1::uuid is null or o.company_id = $1) and o.delivered_at >= $2 and o.delivered_at < $3
         group by 1, 2 order by 4 desc, 1, 2 limit $4",
        span.scope.company_uuid(),
        span.from.to_sqlx() as _,
        span.to.to_sqlx() as _,
        MAX_ROWS
    );
    Ok(rows.fetch_all(db).await?)
}

/// Why goods came back or are coming, of returns opened in the span.
pub(crate) async fn by_reason(db: impl PgExecutor<'_>, span: Span) -> Result<Vec<ReasonCount>> {
    let rows = sqlx::query_as!(
        ReasonCount,
        "select l.reason, count(distinct r.id) as \"returns!\", sum(l.quantity) as \"units!\"
         from returns r join return_lines l on l.return_id = r.id
         where ($1::uuid is null or r.company_id = $1) and r.created_at >= $2 and r.created_at < $3
           and r.status not in ('rejected', 'cancelled', 'expired')
         group by l.reason order by 3 desc, 1",
        span.scope.company_uuid(),
        span.from.to_sqlx() as _,
        span.to.to_sqlx() as _
    );
    Ok(rows.fetch_all(db).await?)
}

/// What the units that were disposed of in the span bring.
pub(crate) async fn recovery(db: impl PgExecutor<'_>, span: Span) -> Result<Vec<Recovery>> {
    let rows = sqlx::query!(
        "select currency, count(*) as \"units!\", sum(estimated) as \"estimated!\", sum(cost) as \"cost!\",
                count(realised) as \"realised_units!\", coalesce(sum(realised), 0) as \"realised!\",
                coalesce(sum(estimated) filter (where realised is not null), 0) as \"estimated_of_realised!\"
         from dispositions where ($1::uuid is null or company_id = $1) and created_at >= $2 and created_at < $3
         group by currency order by currency",
        span.scope.company_uuid(),
        span.from.to_sqlx() as _,
        span.to.to_sqlx() as _
    )
    .fetch_all(db)
    .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let currency = parse(&row.currency)?;
        let money = |amount: Decimal| Money::new(amount, currency).map_err(unreadable);
        all.push(Recovery {
            units: row.units,
            estimated: money(row.estimated)?,
            cost: money(row.cost)?,
            realised_units: row.realised_units,
            realised: money(row.realised)?,
            estimated_of_realised: money(row.estimated_of_realised)?,
        });
    }
    Ok(all)
}

/// How far the estimates of each category were off. Two currencies have no sum: each stands by itself.
pub(crate) async fn errors(db: impl PgExecutor<'_>, span: Span) -> Result<Vec<EstimateError>> {
    let rows = sqlx::query!(
        "select category, currency, count(*) as \"units!\", sum(estimated) as \"estimated!\",
                sum(realised - estimated) as \"bias!\", sum(abs(realised - estimated)) as \"absolute!\"
         from dispositions where ($1::uuid is null or company_id = $1) and created_at >= $2 and created_at < $3 and realised is not null
         group by category, currency order by category, currency",
        span.scope.company_uuid(),
        span.from.to_sqlx() as _,
        span.to.to_sqlx() as _
    )
    .fetch_all(db)
    .await?;
    let mut errors = Vec::with_capacity(rows.len());
    for row in rows {
        let error = MeanError::of(narrow(row.units)?, row.estimated, row.bias, row.absolute);
        let currency = parse(&row.currency)?;
        errors.extend(error.map(|error| EstimateError { category: row.category, currency, error }));
    }
    Ok(errors)
}

/// How long the returns took that were opened in the span.
pub(crate) async fn cycle_times(db: impl PgExecutor<'_>, span: Span) -> Result<CycleTimes> {
    let row = sqlx::query_as!(
        CycleTimes,
        "select percentile_cont(0.5) within group (order by extract(epoch from (state->>'received_at')::timestamptz - created_at)::float8 / 3600) as to_received,
                percentile_cont(0.5) within group (order by extract(epoch from (state->>'processed_at')::timestamptz - created_at)::float8 / 3600) as to_processed,
                percentile_cont(0.5) within group (order by extract(epoch from (state->'settlement'->>'at')::timestamptz - created_at)::float8 / 3600) as to_settled
         from returns where ($1::uuid is null or company_id = $1) and created_at >= $2 and created_at < $3",
        span.scope.company_uuid(),
        span.from.to_sqlx() as _,
        span.to.to_sqlx() as _
    );
    Ok(row.fetch_one(db).await?)
}
