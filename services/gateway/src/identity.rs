//! Who calls: the token is checked here once, so that strangers never reach a service; services check again.

use hyper::{HeaderMap, header};
use quenty_kernel::{Failure, Kind};
use quenty_platform::token::Verifier;

use crate::table::Access;

/// Lets the caller through, or says why not.
pub(crate) async fn check(verifier: &Verifier, access: &Access, headers: &HeaderMap) -> Result<(), Failure> {
    if *access == Access::Anyone {
        return Ok(());
    }
    let value = headers.get(header::AUTHORIZATION).ok_or_else(|| {
        Failure::new(
            Kind::Unauthenticated,
            "NO_TOKEN",
            "this operation needs an access token: Authorization: Bearer …",
        )
    })?;
    let token = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| {
            Failure::new(
                Kind::Unauthenticated,
                "BAD_AUTHORIZATION",
                "send Authorization: Bearer <access token>",
            )
        })?;
    let claims = verifier.verify(token).await?;
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
