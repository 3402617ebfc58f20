//! Who calls: the token is checked here once, so that strangers never reach a service; services check again.

use std::sync::Arc;

use hyper::HeaderMap;
use quenty_kernel::{Failure, Kind};
use quenty_platform::{http::bearer_token, token::Claims, trace};

use crate::{
    Gateway,
    api_keys::API_KEY,
    edge::Visit,
    limits::{Class, Principal},
    table::Access,
};

/// Who calls an operation; nobody in particular where anyone may. What proves it goes inward as a token.
///
/// # Errors
/// 401 without a valid token or API key, 429 to an address that tries too many keys.
pub(crate) async fn check(
    gateway: &Gateway,
    access: &Access,
    headers: &mut HeaderMap,
    visit: &mut Visit,
) -> Result<Option<Arc<Claims>>, Failure> {
    let key = headers.remove(API_KEY);
    if *access == Access::Anyone {
        return Ok(None);
    }
    if let Some(key) = key {
        let address = visit.client.address;
        let stranger = Principal::at(address);
        let may_ask = gateway.0.limits.take(Class::Public, &stranger, 1, &mut visit.told);
        // Few come with a key; all others would carry the room for a call of Auth through every step.
        let exchange = Box::pin(gateway.0.api_keys.exchange(&key, headers, address, may_ask));
        trace::part_of(visit.trace, exchange).await?;
    }
    gateway.0.verifier.verify(bearer_token(headers)?).await.map(Some)
}

/// # Errors
/// 403 where the operation needs a permission that the caller has not.
pub(crate) fn permit(access: &Access, caller: Option<&Claims>) -> Result<(), Failure> {
    match (access, caller) {
        (Access::Permission(permission), Some(claims)) if !claims.allows(permission) => Err(Failure::new(
            Kind::Forbidden,
            "NOT_PERMITTED",
            format!("this needs the permission {permission}"),
        )
        .with("permission", permission)),
        _ => Ok(()),
    }
}
