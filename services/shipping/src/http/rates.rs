//! What sending something costs.

use axum::extract::State;
use jiff::Timestamp;
use quenty_contracts::party::Parcel;
use quenty_kernel::{Scope, country::CountryCode, currency::Currency, measure::Grams, money::Money};
use quenty_platform::{
    App, Result,
    http::{Caller, Can, Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ReadRates,
    item_in::{ItemIn, items},
};
use crate::{
    Error, commands,
    domain::{
        quote::Quote,
        rules::Consignment,
        tariff::{CostParts, Offer, QTY, ServiceLevel, local},
    },
    parts::QuoteSigner,
    store,
};

/// More parcels than this are freight.
pub const MAX_PARCELS: usize = 50;
pub const MAX_ITEMS: usize = 100;

/// One parcel of so many grams, without declared value.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SimpleRatesQuery {
    #[param(value_type = String, example = "CO")]
    origin: CountryCode,
    #[param(value_type = String, example = "MX")]
    destination: CountryCode,
    #[param(value_type = u32, example = 1_200)]
    weight_grams: Grams,
}

/// A consignment to be priced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuoteRatesIn {
    origin: CountryCode,
    destination: CountryCode,
    #[schema(min_items = 1, max_items = 50)]
    parcels: Vec<Parcel>,
    declared_value: Money,
    /// Checked against prohibited goods.
    #[serde(default)]
    #[schema(max_items = 100)]
    items: Vec<ItemIn>,
}

/// Offers for a consignment, cheapest first. The currency is the origin's: COP, MXN or BRL, elsewhere USD; amounts are never converted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RatesOut {
    offers: Vec<OfferOut>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OfferOut {
    /// Send it with the booking: what was quoted is what is booked.
    quote_id: String,
    #[schema(example = "QTY")]
    carrier: String,
    service: ServiceLevel,
    cost: CostParts,
    chargeable_weight_grams: u64,
    /// `false` when the declared value is in another currency than the carrier bills.
    insured: bool,
    /// Business days.
    transit_days: u16,
    promised_at: Timestamp,
    valid_until: Timestamp,
}

/// Price one parcel.
#[utoipa::path(get, path = "/api/v1/shipping/rates", operation_id = "list_rates", tag = "rates", params(SimpleRatesQuery),
    security(("bearer" = ["rates:read"])),
    responses((status = 200, body = RatesOut), (status = 422, description = "`NO_RATE`, `WEIGHT_ABOVE_LIMIT`: the detail names the rule")))]
pub(super) async fn list_rates(
    State(app): State<App>,
    caller: Can<ReadRates>,
    Query(query): Query<SimpleRatesQuery>,
) -> Result<Json<RatesOut>> {
    let parcels = [Parcel { weight_grams: query.weight_grams, dimensions: None, fragile: false }];
    let declared_value = Money::zero(Currency::USD);
    let consignment = Consignment {
        origin: query.origin,
        destination: query.destination,
        parcels: &parcels,
        items: &[],
        declared_value,
    };
    Ok(Json(rates(&app, &caller, &consignment).await?))
}

/// Price a consignment.
#[utoipa::path(post, path = "/api/v1/shipping/rates", operation_id = "quote_rates", tag = "rates", request_body = QuoteRatesIn,
    security(("bearer" = ["rates:read"])),
    responses((status = 200, body = RatesOut),
        (status = 422, description = "`NO_RATE`, `VALUE_ABOVE_LIMIT`, `WEIGHT_ABOVE_LIMIT`, `PROHIBITED`: the detail names the rule")))]
pub(super) async fn quote_rates(
    State(app): State<App>,
    caller: Can<ReadRates>,
    Json(input): Json<QuoteRatesIn>,
) -> Result<Json<RatesOut>> {
    check_sizes(input.parcels.len(), input.items.len())?;
    let declared_value = check_declared(input.declared_value)?;
    let items = items(input.items);
    let consignment = Consignment {
        origin: input.origin,
        destination: input.destination,
        parcels: &input.parcels,
        items: &items,
        declared_value,
    };
    Ok(Json(rates(&app, &caller, &consignment).await?))
}

async fn rates(app: &App, caller: &Caller, consignment: &Consignment<'_>) -> Result<RatesOut, Error> {
    let company = match caller.scope()? {
        Scope::Company(id) => Some(id),
        Scope::All => None,
    };
    let now = app.clock().now();
    let mut connection = app.db().acquire().await?;
    let tariff = store::tariff::find(
        &mut connection,
        QTY,
        consignment.origin,
        consignment.destination,
        commands::today(now),
    )
    .await?;
    let standing = match company {
        Some(id) => store::neighbours::find_standing(&mut *connection, id).await?,
        None => None,
    };
    let there = local(now, standing.as_ref().and_then(|standing| standing.time_zone.as_deref()));
    let mut offers = tariff.offers(consignment, &there)?;
    offers.sort_by_key(|offer| offer.cost.total.amount());
    let signer = app.part::<QuoteSigner>()?;
    let offers = offers.into_iter().map(|offer| {
        let quote = Quote::new(company, consignment, offer.clone(), now);
        Ok(OfferOut::new(signer.sign(&quote)?, offer, quote.valid_until))
    });
    Ok(RatesOut { offers: offers.collect::<Result<_, Error>>()? })
}

impl OfferOut {
    fn new(quote_id: String, offer: Offer, valid_until: Timestamp) -> Self {
        Self {
            quote_id,
            carrier: offer.carrier,
            service: offer.service,
            cost: offer.cost,
            chargeable_weight_grams: offer.chargeable_weight_grams,
            insured: offer.insured,
            transit_days: offer.transit_days,
            promised_at: offer.promised_at,
            valid_until,
        }
    }
}

pub(super) fn check_sizes(parcels: usize, items: usize) -> Result<(), Error> {
    if !(1..=MAX_PARCELS).contains(&parcels) {
        return Err(Error::BadField {
            code: "PARCEL_COUNT",
            pointer: "/parcels",
            detail: "send 1 to 50 parcels",
        });
    }
    if items > MAX_ITEMS {
        return Err(Error::BadField {
            code: "ITEM_COUNT",
            pointer: "/items",
            detail: "send at most 100 items",
        });
    }
    Ok(())
}

pub(super) fn check_declared(value: Money) -> Result<Money, Error> {
    let detail = "the declared value must not be negative";
    value.non_negative().map_err(|_| Error::BadField {
        code: "NEGATIVE_VALUE",
        pointer: "/declared_value",
        detail,
    })
}
