//! What comes back, why, what it brings, and what it means for the climate.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{Failure, currency::Currency, id::ProductId, money::Money};
use quenty_platform::{
    App, Result,
    http::{Caller, Can, Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ReadReturns;
use crate::{
    domain::disposition::MeanError,
    store::{
        analytics::{self, Span},
        environment,
    },
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SpanQuery {
    #[param(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Up to before this moment.
    #[param(value_type = String, format = DateTime)]
    to: Timestamp,
}

impl SpanQuery {
    fn span(&self, caller: &Caller) -> Result<Span, Failure> {
        if self.from >= self.to {
            return Err(Failure::invalid_query("`to` must lie after `from`"));
        }
        Ok(Span { scope: caller.scope()?, from: self.from, to: self.to })
    }
}

/// Returned of delivered units, in basis points.
fn rate_bps(returned: i64, delivered: i64) -> i64 {
    returned.saturating_mul(10_000) / delivered.max(1)
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProductRateOut {
    product_id: ProductId,
    sku: String,
    delivered_units: i64,
    returned_units: i64,
    rate_bps: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegionRateOut {
    #[schema(example = "CO")]
    country: String,
    region: String,
    delivered_units: i64,
    returned_units: i64,
    rate_bps: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReasonOut {
    #[schema(example = "changed_mind")]
    reason: String,
    returns: i64,
    units: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecoveryOut {
    units: i64,
    estimated: Money,
    cost: Money,
    /// Units whose value is known by now.
    realised_units: i64,
    realised: Money,
    /// What those were expected to bring.
    estimated_of_realised: Money,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EstimateErrorOut {
    category: Option<String>,
    currency: Currency,
    #[serde(flatten)]
    error: MeanError,
}

/// Median hours from the request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CycleTimesOut {
    to_received_hours: Option<f64>,
    to_processed_hours: Option<f64>,
    to_settled_hours: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReturnAnalyticsOut {
    /// Of orders delivered in the span, the products of which most came back: at most 100.
    by_product: Vec<ProductRateOut>,
    /// Of orders delivered in the span, by the consignee's region: at most 100.
    by_region: Vec<RegionRateOut>,
    /// Of returns opened in the span, without those that were rejected, cancelled or expired.
    by_reason: Vec<ReasonOut>,
    /// Of units disposed of in the span, a line per currency.
    recovery: Vec<RecoveryOut>,
    /// How far the estimates of these units were off, a line per category and currency.
    estimate_errors: Vec<EstimateErrorOut>,
    cycle_times: CycleTimesOut,
}

/// Return rates by product, reason and region; recovery estimated and realised; how long it takes.
#[utoipa::path(get, path = "/api/v1/returns/analytics", operation_id = "get_return_analytics", tag = "returns",
    params(SpanQuery), security(("bearer" = ["returns:read"])), responses((status = 200, body = ReturnAnalyticsOut)))]
pub(super) async fn get_return_analytics(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Query(query): Query<SpanQuery>,
) -> Result<Json<ReturnAnalyticsOut>> {
    let (db, span) = (app.db(), query.span(&caller)?);
    let by_product = analytics::by_product(db, span).await?.into_iter().map(|of| ProductRateOut {
        product_id: of.product_id,
        sku: of.sku,
        delivered_units: of.delivered,
        returned_units: of.returned,
        rate_bps: rate_bps(of.returned, of.delivered),
    });
    let by_region = analytics::by_region(db, span).await?.into_iter().map(|of| RegionRateOut {
        country: of.country,
        region: of.region,
        delivered_units: of.delivered,
        returned_units: of.returned,
        rate_bps: rate_bps(of.returned, of.delivered),
    });
    let by_reason = analytics::by_reason(db, span).await?.into_iter();
    let recovery = analytics::recovery(db, span).await?.into_iter().map(|of| RecoveryOut {
        units: of.units,
        estimated: of.estimated,
        cost: of.cost,
        realised_units: of.realised_units,
        realised: of.realised,
        estimated_of_realised: of.estimated_of_realised,
    });
    let errors = analytics::errors(db, span).await?.into_iter();
    let times = analytics::cycle_times(db, span).await?;
    Ok(Json(ReturnAnalyticsOut {
        by_product: by_product.collect(),
        by_region: by_region.collect(),
        by_reason: by_reason
            .map(|of| ReasonOut { reason: of.reason, returns: of.returns, units: of.units })
            .collect(),
        recovery: recovery.collect(),
        estimate_errors: errors
            .map(|of| EstimateErrorOut { category: of.category, currency: of.currency, error: of.error })
            .collect(),
        cycle_times: CycleTimesOut {
            to_received_hours: times.to_received,
            to_processed_hours: times.to_processed,
            to_settled_hours: times.to_settled,
        },
    }))
}

/// Of the returns that were processed in the span.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EnvironmentalImpactOut {
    returns: i64,
    weight_grams: i64,
    /// What bringing the goods back emitted.
    return_leg_g_co2e: i64,
    /// Returns whose way back is not known, and so is not in the sum.
    unknown_legs: i64,
    /// What was not emitted because goods were used again.
    avoided_g_co2e: i64,
    /// The weight of everything that was not destroyed.
    waste_diverted_grams: i64,
    /// The emission factors that it was computed by.
    factor_sets: Vec<String>,
}

/// What returning goods emitted, and what using them again saved.
#[utoipa::path(get, path = "/api/v1/returns/environmental-impact", operation_id = "get_environmental_impact", tag = "returns",
    params(SpanQuery), security(("bearer" = ["returns:read"])), responses((status = 200, body = EnvironmentalImpactOut)))]
pub(super) async fn get_environmental_impact(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Query(query): Query<SpanQuery>,
) -> Result<Json<EnvironmentalImpactOut>> {
    let span = query.span(&caller)?;
    let (impact, factor_sets) = environment::impact(app.db(), span.scope, span.from, span.to).await?;
    Ok(Json(EnvironmentalImpactOut {
        returns: impact.returns,
        weight_grams: impact.weight_grams,
        return_leg_g_co2e: impact.return_leg_g_co2e,
        unknown_legs: impact.unknown_legs,
        avoided_g_co2e: impact.avoided_g_co2e,
        waste_diverted_grams: impact.waste_diverted_grams,
        factor_sets,
    }))
}
