//! A service proves to be it, for what OAuth offers to clients (RFC 6749, section 2.3.1).

use quenty_kernel::{Actor, clock::wall_now};
use quenty_platform::Tx;

use super::{Outcome, record_access};
use crate::{
    domain::{origin::Origin, rate_limit::FAILURES_OF_CLIENTS},
    error::Error,
    parts::Clients,
    store,
};

/// The service acts from now on, if this is its secret; the inner error must be committed, too.
///
/// The right secret is never kept waiting, because services may share an address; wrong ones are, and leave no more
/// on record.
pub(super) async fn prove_client(
    tx: &mut Tx,
    client: &str,
    secret: &str,
    operation: &str,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let app = tx.app().clone();
    let clients = app.part::<Clients>()?;
    if clients.verify(client, secret) {
        tx.act_as(Actor::Service(client.to_owned()));
        return Ok(Ok(()));
    }
    let (bucket, now) = (FAILURES_OF_CLIENTS.bucket(&origin.network()), wall_now());
    if let Some(retry_after) = store::rate_limits::hit(tx.conn(), &FAILURES_OF_CLIENTS, &bucket, now).await? {
        return Ok(Err(Error::TooManyAttempts { retry_after }));
    }
    // A stranger's words are nothing to keep.
    let known = clients.knows(client).then_some(client);
    record_access(tx, operation, Outcome::Refused, None, known, origin)?;
    Ok(Err(Error::BadClient))
}
