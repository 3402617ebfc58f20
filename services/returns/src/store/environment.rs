//! The footprint of each processed return.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Scope,
    id::{CompanyId, ReturnId},
};
use quenty_platform::{Result, row::narrow};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::emissions::{EnvironmentalRecord, Vehicle};

pub(crate) async fn insert(
    connection: &mut PgConnection,
    company: CompanyId,
    id: ReturnId,
    record: &EnvironmentalRecord,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into environmental_records (return_id, company_id, distance_meters, weight_grams, vehicle, return_leg_g_co2e,
                                            avoided_g_co2e, waste_diverted_grams, factor_set, factor_version, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id.uuid(),
        company.uuid(),
        record.distance_meters.map(narrow::<i64, _>).transpose()?,
        narrow::<i64, _>(record.weight_grams)?,
        record.vehicle.map(Vehicle::as_str),
        record.return_leg_g_co2e.map(narrow::<i64, _>).transpose()?,
        narrow::<i64, _>(record.avoided_g_co2e)?,
        narrow::<i64, _>(record.waste_diverted_grams)?,
        record.factor_set,
        record.factor_version,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What the returns of a span come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Impact {
    pub(crate) returns: i64,
    pub(crate) weight_grams: i64,
    pub(crate) return_leg_g_co2e: i64,
    /// Returns whose way back is not known, and so is not in the sum.
    pub(crate) unknown_legs: i64,
    pub(crate) avoided_g_co2e: i64,
    pub(crate) waste_diverted_grams: i64,
}

/// The sums of the returns that were processed from `from` until before `to`, with the factor sets that they were
/// computed by.
pub(crate) async fn impact(
    db: impl PgExecutor<'_>,
    scope: Scope,
    from: Timestamp,
    to: Timestamp,
) -> Result<(Impact, Vec<String>)> {
    let row = sqlx::query!(
        "select count(*) as \"returns!\", coalesce(sum(weight_grams), 0)::bigint as \"weight_grams!\",
                coalesce(sum(return_leg_g_co2e), 0)::bigint as \"return_leg!\",
                count(*) filter (where return_leg_g_co2e is null) as \"unknown_legs!\",
                coalesce(sum(avoided_g_co2e), 0)::bigint as \"avoided!\", coalesce(sum(waste_diverted_grams), 0)::bigint as \"diverted!\",
                coalesce(array_agg(distinct factor_set || ' ' || factor_version), '{}') as \"factors!\"
         from environmental_records where ($1::uuid is null or company_id = $1) and recorded_at >= $2 and recorded_at < $3",
        scope.company_uuid(),
        from.to_sqlx() as _,
        to.to_sqlx() as _
    )
    .fetch_one(db)
    .await?;
    let impact = Impact {
        returns: row.returns,
        weight_grams: row.weight_grams,
        return_leg_g_co2e: row.return_leg,
        unknown_legs: row.unknown_legs,
        avoided_g_co2e: row.avoided,
        waste_diverted_grams: row.diverted,
    };
    Ok((impact, row.factors))
}
