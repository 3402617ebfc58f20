//! Who calls: the token is checked here once, so that strangers never reach a service; services check again.

use std::sync::Arc;

use hyper::HeaderMap;
use quenty_kernel::{Failure, Kind};
use quenty_platform::{
    http::bearer_token,
    token::{Claims, Verifier},
};

use crate::table::Access;

/// Who calls an operation; nobody in particular where anyone may.
///
/// # Errors
/// 401 without a valid token.
pub(crate) async fn check(
    verifier: &Verifier,
    access: &Access,
    headers: &HeaderMap,
) -> Result<Option<Arc<Claims>>, Failure> {
    if *access == Access::Anyone {
        return Ok(None);
    }
    verifier.verify(bearer_token(headers)?).await.map(Some)
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
