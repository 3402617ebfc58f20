//! A service's own token (OAuth 2.0 client credentials, RFC 6749 section 4.4).

use quenty_kernel::{Actor, clock::wall_now};
use quenty_platform::{Tx, token::Realm};

use super::{Outcome, record_access, tokens::claims};
use crate::{
    domain::{origin::Origin, rate_limit::FAILURES_OF_CLIENTS, role, session::SERVICE_TOKEN},
    error::Error,
    parts::{Clients, KeyRing},
    store,
};

/// The token and how many seconds it lives, or why there is none; either must be committed.
pub async fn issue_service_token(
    tx: &mut Tx,
    client: &str,
    secret: &str,
    origin: &Origin,
) -> Result<Result<(String, i64), Error>, Error> {
    let app = tx.app().clone();
    let clients = app.part::<Clients>()?;
    if !clients.verify(client, secret) {
        // A stranger's words are nothing to keep.
        let known = clients.knows(client).then_some(client);
        return refuse(tx, known, origin).await.map(Err);
    }
    tx.act_as(Actor::Service(client.to_owned()));
    record_access(tx, "issue_service_token", Outcome::Succeeded, None, Some(client), origin)?;
    let ring = app.part::<KeyRing>()?;
    let permissions = role::of_service(client).iter().map(|p| (*p).to_owned()).collect();
    let claims = claims(ring, client.to_owned(), client, Realm::Service, permissions, SERVICE_TOKEN);
    Ok(Ok((ring.sign(&claims)?, SERVICE_TOKEN.as_secs())))
}

/// The right secret is never kept waiting, because services may share an address; wrong ones are, and leave no more
/// on record.
async fn refuse(tx: &mut Tx, client: Option<&str>, origin: &Origin) -> Result<Error, Error> {
    let (bucket, now) = (FAILURES_OF_CLIENTS.bucket(&origin.address), wall_now());
    let before = store::rate_limits::hit(tx.conn(), &FAILURES_OF_CLIENTS, &bucket, now).await?;
    if let Some(retry_after) = FAILURES_OF_CLIENTS.wait(Some(before), now) {
        return Ok(Error::TooManyAttempts { retry_after });
    }
    record_access(tx, "issue_service_token", Outcome::Refused, None, client, origin)?;
    Ok(Error::BadClient)
}
