//! Rate cards, limits and prohibited goods, read for one consignment on one day.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{country::CountryCode, measure::Bps, money::Money};
use sqlx::PgConnection;
use std::collections::BTreeMap;

use crate::{
    Error,
    domain::{
        rules::{ImportLimits, ProhibitedGoods, Tariff},
        tariff::{RateCard, ServiceLevel, WeightBreak},
    },
};

/// Everything that decides about price and passage from one country to another.
pub async fn find(
    connection: &mut PgConnection,
    carrier: &str,
    origin: CountryCode,
    destination: CountryCode,
    today: Date,
) -> Result<Tariff, Error> {
    let zone = zone(connection, origin, destination).await?;
    let limits = if origin == destination { None } else { limits(connection, destination, today).await? };
    let prohibited = sqlx::query_as!(
        ProhibitedGoods,
        "select hs_prefix, reason, source from prohibited_goods order by hs_prefix"
    )
    .fetch_all(&mut *connection)
    .await?;
    let card = card(connection, carrier, origin, zone, today).await?;
    Ok(Tariff { card, limits, prohibited })
}

/// 0 is the home country, whatever its own zone.
async fn zone(
    connection: &mut PgConnection,
    origin: CountryCode,
    destination: CountryCode,
) -> Result<i16, Error> {
    if origin == destination {
        return Ok(0);
    }
    let zone = sqlx::query_scalar!("select zone from countries where code = $1", destination.as_str());
    zone.fetch_optional(connection).await?.ok_or(Error::NotFound("country"))
}

async fn limits(
    connection: &mut PgConnection,
    destination: CountryCode,
    today: Date,
) -> Result<Option<ImportLimits>, Error> {
    let row = sqlx::query!(
        "select max_value, max_value_currency, max_weight_grams, source from import_limits
         where country = $1 and valid_from <= $2 and (valid_until is null or valid_until >= $2)
         order by valid_from desc limit 1",
        destination.as_str(),
        today.to_sqlx() as _
    );
    let Some(row) = row.fetch_optional(connection).await? else { return Ok(None) };
    let max_value = row.max_value.zip(row.max_value_currency);
    Ok(Some(ImportLimits {
        max_value: max_value
            .map(|(amount, currency)| Ok::<_, Error>(Money::new(amount, currency.parse()?)?))
            .transpose()?,
        max_weight_grams: row.max_weight_grams.map(TryInto::try_into).transpose()?,
        source: row.source,
    }))
}

/// The newest card of the origin, else that of any origin, with the prices of one zone.
async fn card(
    connection: &mut PgConnection,
    carrier: &str,
    origin: CountryCode,
    zone: i16,
    today: Date,
) -> Result<Option<RateCard>, Error> {
    let row = sqlx::query!(
        "select id, carrier, currency, volumetric_divisor, fuel_bps, insurance_bps, max_parcel_grams, max_declared_value from rate_cards
         where carrier = $1 and (origin = $2 or origin is null) and valid_from <= $3 and (valid_until is null or valid_until >= $3)
         order by origin nulls last, valid_from desc limit 1",
        carrier,
        origin.as_str(),
        today.to_sqlx() as _
    );
    let Some(row) = row.fetch_optional(&mut *connection).await? else { return Ok(None) };
    let prices = sqlx::query!(
        "select b.service, b.above_grams, b.base, b.step, t.business_days
         from rate_card_breaks b join transit_days t on t.carrier = $3 and t.zone = b.zone and t.service = b.service
         where b.card = $1 and b.zone = $2 order by b.service, b.above_grams",
        row.id,
        zone,
        row.carrier
    );
    let mut breaks: BTreeMap<ServiceLevel, Vec<WeightBreak>> = BTreeMap::new();
    let mut business_days = BTreeMap::new();
    for price in prices.fetch_all(connection).await? {
        let service = price.service.parse()?;
        business_days.insert(service, price.business_days.try_into()?);
        let applies =
            WeightBreak { above_grams: price.above_grams.try_into()?, base: price.base, step: price.step };
        breaks.entry(service).or_default().push(applies);
    }
    let currency = row.currency.parse()?;
    Ok(Some(RateCard {
        carrier: row.carrier,
        currency,
        volumetric_divisor: row.volumetric_divisor.try_into()?,
        fuel: Bps::new(row.fuel_bps.try_into()?)?,
        insurance: Bps::new(row.insurance_bps.try_into()?)?,
        max_parcel_grams: row.max_parcel_grams.try_into()?,
        max_declared_value: Money::new(row.max_declared_value, currency)?,
        breaks,
        business_days,
    }))
}
