//! A service's own token (OAuth 2.0 client credentials, RFC 6749 section 4.4).

use quenty_platform::{Tx, token::Realm};

use super::{Outcome, prove_client::prove_client, record_access, tokens::claims};
use crate::{
    domain::{origin::Origin, role, session::SERVICE_TOKEN},
    error::Error,
    parts::KeyRing,
};

/// The token and how many seconds it lives, or why there is none; either must be committed.
pub async fn issue_service_token(
    tx: &mut Tx,
    client: &str,
    secret: &str,
    origin: &Origin,
) -> Result<Result<(String, i64), Error>, Error> {
    if let Err(refused) = prove_client(tx, client, secret, "issue_service_token", origin).await? {
        return Ok(Err(refused));
    }
    let app = tx.app().clone();
    record_access(tx, "issue_service_token", Outcome::Succeeded, None, Some(client), origin)?;
    let ring = app.part::<KeyRing>()?;
    let permissions = role::of_service(client).iter().map(|p| (*p).to_owned()).collect();
    let claims = claims(ring, client.to_owned(), client, Realm::Service, permissions, SERVICE_TOKEN);
    Ok(Ok((ring.sign(&claims)?, SERVICE_TOKEN.as_secs())))
}
