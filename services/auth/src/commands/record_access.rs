//! The audit trail of operations whose own facts name no address.

use quenty_kernel::{
    Actor,
    clock::wall_now,
    id::{SessionId, UserId},
};
use quenty_platform::Tx;

use crate::{
    domain::{
        facts::{AccessRecorded, SessionFact},
        origin::Origin,
        rate_limit::RECORDS,
    },
    error::Error,
    store,
};

#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    Succeeded,
    Refused,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Refused => "refused",
        }
    }
}

/// Records who did what from where; each record is a stream of its own, so that none waits for another.
pub fn record_access(
    tx: &mut Tx,
    operation: &str,
    outcome: Outcome,
    user: Option<UserId>,
    client: Option<&str>,
    origin: &Origin,
) -> Result<(), Error> {
    let fact = AccessRecorded {
        operation: operation.to_owned(),
        outcome: outcome.name().to_owned(),
        user_id: user,
        client_id: client.map(str::to_owned),
        address: origin.address.clone(),
        user_agent: origin.user_agent.clone(),
    };
    let stream = SessionId::new();
    let subject = user.map_or(stream.uuid(), UserId::uuid);
    Ok(tx.record_about(stream, subject, None, &SessionFact::from(fact))?)
}

/// As [`record_access`], of what may be done again and again: of whoever acts, or of an address where nobody is known, so
/// many and no more.
pub async fn record_bounded(
    tx: &mut Tx,
    operation: &str,
    outcome: Outcome,
    user: Option<UserId>,
    origin: &Origin,
) -> Result<(), Error> {
    let by = match tx.actor() {
        Actor::User(id) => id.to_string(),
        Actor::Service(_) | Actor::System => origin.network(),
    };
    let bucket = RECORDS.bucket(&format!("{operation} {} {by}", outcome.name()));
    match store::rate_limits::hit(tx.conn(), &RECORDS, &bucket, wall_now()).await? {
        None => record_access(tx, operation, outcome, user, None, origin),
        Some(_) => Ok(()),
    }
}
