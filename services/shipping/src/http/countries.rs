//! Reference data: countries and zones.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use quenty_platform::{
    App, Result,
    http::{Can, Query},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::{ReadCountries, ReadZones};
use crate::{Error, commands, store};
use quenty_kernel::{hex, money::Money};

/// An hour; a day while we are away. It needs a token and is nobody's secret: a new version of us changes it, and nothing
/// else.
const CACHED: &str = "public, max-age=3600, stale-while-revalidate=3600, stale-if-error=86400";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CountriesQuery {
    /// Only the countries of this zone, 1 to 4.
    zone: Option<i16>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CountriesOut {
    items: Vec<CountryOut>,
}

#[derive(Debug, Serialize, ToSchema)]
struct CountryOut {
    #[schema(example = "CO")]
    code: String,
    name: String,
    name_es: String,
    currency: Option<String>,
    zone: i16,
    /// What its customs take in one consignment; absent when we know of no limit.
    limits: Option<LimitsOut>,
}

#[derive(Debug, Serialize, ToSchema)]
struct LimitsOut {
    max_value: Option<Money>,
    max_weight_grams: Option<i64>,
    /// Up to this value no duty is due.
    de_minimis: Option<Money>,
    source: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ZonesOut {
    items: Vec<ZoneOut>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ZoneOut {
    number: i16,
    name: String,
    #[schema(example = json!(["CA", "US"]))]
    countries: Vec<String>,
}

/// List the countries that we ship to.
#[utoipa::path(get, path = "/api/v1/countries", operation_id = "list_countries", tag = "countries", params(CountriesQuery),
    security(("bearer" = ["countries:read"])),
    responses((status = 200, body = CountriesOut), (status = 304, description = "`If-None-Match` names what would be sent")))]
pub(super) async fn list_countries(
    State(app): State<App>,
    _: Can<ReadCountries>,
    Query(query): Query<CountriesQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let countries = store::countries::list(app.db(), query.zone, commands::today(app.clock().now())).await?;
    let items = countries.into_iter().map(TryInto::try_into).collect::<Result<_, Error>>()?;
    reference(&headers, &CountriesOut { items })
}

/// The same for everyone and seldom new: kept for a while, then asked for by its digest.
fn reference(headers: &HeaderMap, data: &impl Serialize) -> Result<Response> {
    let body = serde_json::to_vec(data)?;
    let etag = format!("\"{}\"", hex(Sha256::digest(&body)));
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == etag.as_bytes());
    let kept = [(header::ETAG, etag), (header::CACHE_CONTROL, CACHED.to_owned())];
    Ok(if is_known {
        (StatusCode::NOT_MODIFIED, kept).into_response()
    } else {
        (kept, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    })
}

impl TryFrom<store::countries::Country> for CountryOut {
    type Error = Error;

    fn try_from(country: store::countries::Country) -> Result<Self, Error> {
        let money = |amount: Option<_>, currency: Option<String>| {
            amount
                .zip(currency)
                .map(|(amount, currency)| Ok::<_, Error>(Money::new(amount, currency.parse()?)?))
                .transpose()
        };
        let limits = match country.limits_source {
            None => None,
            Some(source) => Some(LimitsOut {
                max_value: money(country.max_value, country.max_value_currency)?,
                max_weight_grams: country.max_weight_grams,
                de_minimis: money(country.de_minimis, country.de_minimis_currency)?,
                source,
            }),
        };
        let store::countries::Country { code, name, name_es, currency, zone, .. } = country;
        Ok(Self { code, name, name_es, currency, zone, limits })
    }
}

/// List the zones that rate cards price by.
#[utoipa::path(get, path = "/api/v1/zones", operation_id = "list_zones", tag = "countries", security(("bearer" = ["zones:read"])),
    responses((status = 200, body = ZonesOut), (status = 304, description = "`If-None-Match` names what would be sent")))]
pub(super) async fn list_zones(
    State(app): State<App>,
    _: Can<ReadZones>,
    headers: HeaderMap,
) -> Result<Response> {
    let zones = store::countries::zones(app.db()).await?.into_iter();
    let out = |zone: store::countries::Zone| ZoneOut {
        number: zone.number,
        name: zone.name,
        countries: zone.countries,
    };
    reference(&headers, &ZonesOut { items: zones.map(out).collect() })
}
