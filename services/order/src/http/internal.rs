//! What the other services ask. Never routed by the gateway.

use axum::extract::State;
use quenty_contracts::order::{Exchange, ExchangePlaced};
use quenty_kernel::{Failure, Kind};
use quenty_platform::{
    App, Result,
    http::{Answer, Caller, Can, Json},
    token::Realm,
};

use super::{PlaceExchanges, known_standing};
use crate::{commands, store};

/// # Errors
/// 403 for people, whatever their permissions say.
fn sibling(caller: &Caller) -> Result<(), Failure> {
    match caller.realm() {
        Some(Realm::Service) => Ok(()),
        _ => Err(Failure::new(
            Kind::Forbidden,
            "SERVICES_ONLY",
            "only the platform's own services can do this",
        )),
    }
}

/// Place the order that replaces returned goods; a repeat for the same return gives the same one.
///
/// It goes to the consignee of the order whose goods came back. What was bought in that order, no more than of it, costs
/// what it cost there, with its discount and tax, and as much as is `returned` if as many of it came back; the rest has the
/// catalogue's price, taxed as that order was. The credit pays for it; what it leaves is to be paid as for any prepaid
/// order.
#[utoipa::path(post, path = "/internal/exchanges", operation_id = "place_exchange", tag = "internal",
    request_body = Exchange, security(("bearer" = ["internal.exchanges:write"])),
    responses((status = 200, body = ExchangePlaced), (status = 404, description = "`NOT_FOUND`: the company has no such order"),
        (status = 409, description = "`INSUFFICIENT_STOCK`, `COMPANY_NOT_ACTIVE`, `KYC_REQUIRED`, `REFERENCE_TAKEN`"),
        (status = 422, description = "`UNKNOWN_PRODUCT`, `PRODUCT_ARCHIVED`, `CURRENCY_MISMATCH`, `NEGATIVE_AMOUNT`, …")))]
pub(super) async fn place_exchange(
    State(app): State<App>,
    caller: Can<PlaceExchanges>,
    Json(exchange): Json<Exchange>,
) -> Result<Answer> {
    sibling(&caller)?;
    let company = exchange.company_id;
    // What was placed stays placed, whatever the company may do now.
    if let Some(placed) = store::exchanges::find(app.db(), company, exchange.return_id).await? {
        return Answer::ok(&placed);
    }
    let standing = known_standing(&app, company).await?;
    let mut tx = app.begin(&caller).await?;
    let placed = commands::place_exchange(&mut tx, &exchange, standing).await?;
    tx.answer(Answer::ok(&placed)?).await
}
