//! Who calls: the token is checked here once, so that strangers never reach a service; services check again.

use hyper::HeaderMap;
use quenty_kernel::{Failure, Kind};
use quenty_platform::{http::bearer_token, token::Verifier};

use crate::table::Access;

/// Lets the caller through, or says why not.
pub(crate) async fn check(verifier: &Verifier, access: &Access, headers: &HeaderMap) -> Result<(), Failure> {
    if *access == Access::Anyone {
        return Ok(());
    }
    let claims = verifier.verify(bearer_token(headers)?).await?;
    match access {
        Access::Permission(permission) if !claims.allows(permission) => Err(Failure::new(
            Kind::Forbidden,
            "NOT_PERMITTED",
            format!("this needs the permission {permission}"),
        )
        .with("permission", permission)),
        _ => Ok(()),
    }
}
